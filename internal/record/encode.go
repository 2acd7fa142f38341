package record

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/reeveq/reeve"
)

// The Append functions append one record to b and allocate nothing but room in
// b. They keep nothing of r.

// AppendMaster appends r to b.
func AppendMaster(b []byte, r *Master) []byte {
	at := len(b)
	b = beginSmall(b, KindMaster)
	b = binary.LittleEndian.AppendUint64(b, r.Epoch)
	b = appendTime(b, r.Start)
	b = appendID(b, r.Last)
	return finishSmall(b, at)
}

// AppendQueue appends r to b.
func AppendQueue(b []byte, r *Queue) []byte {
	b, o := begin(b, KindQueue, 4+len(r.Name)+len(r.Config))
	b = binary.AppendUvarint(b, uint64(r.No))
	b = appendText(b, r.Name)
	b = appendText(b, r.Config)
	return finish(b, o)
}

// AppendDelete appends r to b.
func AppendDelete(b []byte, r *Delete) []byte {
	at := len(b)
	b = beginSmall(b, KindDelete)
	b = binary.AppendUvarint(b, uint64(r.Queue))
	return finishSmall(b, at)
}

// AppendPause appends r to b.
func AppendPause(b []byte, r *Pause) []byte {
	b, o := begin(b, KindPause, 4+len(r.Reason))
	b = binary.AppendUvarint(b, uint64(r.Queue))
	b = append(b, bit(r.Paused, pausePaused)|bit(r.Reason != "", pauseReason))
	if r.Reason != "" {
		b = appendText(b, r.Reason)
	}
	return finish(b, o)
}

// AppendClient appends r to b.
func AppendClient(b []byte, r *Client) []byte {
	b, o := begin(b, KindClient, 4+len(r.Key)+len(r.Process))
	b = binary.AppendUvarint(b, uint64(r.No))
	b = appendText(b, r.Key)
	b = append(b, r.Process[:]...)
	return finish(b, o)
}

// AppendGone appends r to b.
func AppendGone(b []byte, r *Gone) []byte {
	at := len(b)
	b = beginSmall(b, KindGone)
	b = binary.AppendUvarint(b, uint64(r.Client))
	return finishSmall(b, at)
}

// AppendRequest appends r to b.
func AppendRequest(b []byte, r *Request) []byte {
	at := len(b)
	b = beginSmall(b, KindRequest)
	b = append(b, bit(r.Count != 1, requestCount)|bit(r.First != 0, requestFirst)|bit(r.Low != 0, requestLow))
	b = binary.AppendUvarint(b, uint64(r.Client))
	b = binary.AppendUvarint(b, r.Req)
	if r.Count != 1 {
		b = binary.AppendUvarint(b, uint64(r.Count))
	}
	if r.First != 0 {
		b = appendID(b, r.First)
	}
	if r.Low != 0 {
		b = binary.AppendUvarint(b, r.Req-r.Low) // which is mostly little
	}
	return finishSmall(b, at)
}

// AppendLease appends r to b.
func AppendLease(b []byte, r *Lease) []byte {
	at := len(b)
	b = beginSmall(b, KindLease)
	b = appendTask(b, r.Queue, r.ID)
	b = binary.AppendUvarint(b, uint64(r.Attempt))
	b = binary.AppendUvarint(b, uint64(r.Client))
	return finishSmall(b, at)
}

// AppendExtend appends r to b.
func AppendExtend(b []byte, r *Extend) []byte {
	at := len(b)
	b = beginSmall(b, KindExtend)
	b = appendTask(b, r.Queue, r.ID)
	b = appendTime(b, r.Until)
	return finishSmall(b, at)
}

// AppendMove appends r to b.
func AppendMove(b []byte, r *Move) []byte {
	at := len(b)
	b = beginSmall(b, KindMove)
	b = appendTask(b, r.Queue, r.ID)
	b = append(b, bit(r.Claimed, moveClaimed))
	b = binary.AppendUvarint(b, uint64(r.To))
	return finishSmall(b, at)
}

// AppendEnd appends r to b.
func AppendEnd(b []byte, r *End) []byte {
	at := len(b)
	b = beginSmall(b, KindEnd)
	b = appendTask(b, r.Queue, r.ID)
	return finishSmall(b, at)
}

// AppendUnique appends r to b.
func AppendUnique(b []byte, r *Unique) []byte {
	b, o := begin(b, KindUnique, 24+len(r.Key))
	b = appendTask(b, r.Queue, r.ID)
	b = append(b, bit(r.Until != 0, uniqueUntil), byte(r.Mode))
	b = appendText(b, r.Key)
	if r.Until != 0 {
		b = appendTime(b, r.Until)
	}
	return finish(b, o)
}

// appendTask names a task, as most records begin.
func appendTask(b []byte, queue uint32, id reeve.ID) []byte {
	return appendID(binary.AppendUvarint(b, uint64(queue)), id)
}

func appendID(b []byte, id reeve.ID) []byte { return binary.LittleEndian.AppendUint64(b, uint64(id)) }

func appendTime(b []byte, t int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(t)) }

func appendFloat(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// bit is v if it is the case.
func bit[T byte | uint16 | uint64](is bool, v T) T {
	if is {
		return v
	}
	return 0
}

// What int64 nanoseconds can tell: the years 1677 to 2262.
var (
	firstTime = time.Unix(0, math.MinInt64)
	lastTime  = time.Unix(0, math.MaxInt64)
)

// nanos is t, or the nearest that can be told.
func nanos(t time.Time) int64 {
	switch {
	case t.Before(firstTime):
		return math.MinInt64
	case t.After(lastTime):
		return math.MaxInt64
	}
	return t.UnixNano()
}
