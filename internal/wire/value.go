package wire

import (
	"encoding/hex"
	"time"

	"github.com/reeveq/reeve"
)

// ClientID is the random name of one client process, the same for all its
// sessions. Whoever knows it can resume the client, so it is not for logs.
type ClientID [16]byte

// String is the beginning of the id in hexadecimal: enough to tell clients
// apart, too little to resume one.
func (id ClientID) String() string { return hex.EncodeToString(id[:4]) }

// MarshalCBOR writes a byte string of 16 bytes.
func (id ClientID) MarshalCBOR() ([]byte, error) {
	return appendBytes(make([]byte, 0, 1+len(id)), id[:]), nil
}

// UnmarshalCBOR reads a byte string of exactly 16 bytes.
func (id *ClientID) UnmarshalCBOR(b []byte) error {
	c := cursor{b: b}
	v := c.bytes()
	if !c.bad() && len(v) != len(id) {
		c.fail("client id must have 16 bytes")
	}
	copy(id[:], v)
	return c.end("client id")
}

// Pair names one hand-over of a task.
type Pair struct {
	ID      reeve.ID
	Attempt uint32
}

// Pairs travel as a flat array: id, attempt, id, attempt, …
type Pairs []Pair

// MarshalCBOR writes the flat array.
func (p Pairs) MarshalCBOR() ([]byte, error) {
	b := appendHead(make([]byte, 0, 5+8*len(p)), majorArray, 2*uint64(len(p)))
	for _, v := range p {
		b = appendUint(appendUint(b, uint64(v.ID)), uint64(v.Attempt))
	}
	return b, nil
}

// UnmarshalCBOR reads the flat array.
func (p *Pairs) UnmarshalCBOR(b []byte) error {
	c := cursor{b: b}
	*p = c.pairs((*p)[:0])
	return c.end("entries")
}

// pairs appends the pairs of a flat array to dst. At the top of a message its
// nesting does not matter: it holds numbers only.
func (c *cursor) pairs(dst []Pair) []Pair {
	n := c.entries(2, 2)
	dst = grow(dst, n)
	for i := range dst {
		dst[i] = Pair{ID: reeve.ID(c.uint()), Attempt: c.uint32()}
		if c.bad() {
			return dst[:0]
		}
	}
	return dst
}

// Stats is [reeve.QueueStats] with its keys; the two convert into each other.
type Stats struct {
	Name        string        `cbor:"1,keyasint,omitempty"`
	Ready       int           `cbor:"2,keyasint,omitempty"`
	Delayed     int           `cbor:"3,keyasint,omitempty"`
	Leased      int           `cbor:"4,keyasint,omitempty"`
	Dead        int           `cbor:"5,keyasint,omitempty"`
	Bytes       int64         `cbor:"6,keyasint,omitempty"`
	MaxLen      int           `cbor:"7,keyasint,omitempty"`
	MaxBytes    int64         `cbor:"8,keyasint,omitempty"`
	OldestReady time.Duration `cbor:"9,keyasint,omitempty"`
	WaitingPuts int           `cbor:"10,keyasint,omitempty"`
	Consumers   int           `cbor:"11,keyasint,omitempty"`
	FreeSlots   int           `cbor:"12,keyasint,omitempty"`
	Shutdown    bool          `cbor:"13,keyasint,omitempty"`
	Put         uint64        `cbor:"14,keyasint,omitempty"`
	Done        uint64        `cbor:"15,keyasint,omitempty"`
	Redelivered uint64        `cbor:"16,keyasint,omitempty"`
	Failed      uint64        `cbor:"17,keyasint,omitempty"`
	TimedOut    uint64        `cbor:"18,keyasint,omitempty"`
	Lost        uint64        `cbor:"19,keyasint,omitempty"`
	Returned    uint64        `cbor:"20,keyasint,omitempty"`
	Buried      uint64        `cbor:"21,keyasint,omitempty"`
	Refused     uint64        `cbor:"22,keyasint,omitempty"`
	Dropped     uint64        `cbor:"23,keyasint,omitempty"`
	LateAcks    uint64        `cbor:"24,keyasint,omitempty"`

	Snoozed      uint64          `cbor:"25,keyasint,omitempty"`
	Skipped      uint64          `cbor:"26,keyasint,omitempty"`
	Discarded    uint64          `cbor:"27,keyasint,omitempty"`
	Cancelled    uint64          `cbor:"28,keyasint,omitempty"`
	Expired      uint64          `cbor:"29,keyasint,omitempty"`
	Duplicates   uint64          `cbor:"30,keyasint,omitempty"`
	Revived      uint64          `cbor:"31,keyasint,omitempty"`
	Purged       uint64          `cbor:"32,keyasint,omitempty"`
	MovedIn      uint64          `cbor:"33,keyasint,omitempty"`
	MovedOut     uint64          `cbor:"34,keyasint,omitempty"`
	Paused       bool            `cbor:"35,keyasint,omitempty"`
	PauseReason  string          `cbor:"36,keyasint,omitempty"`
	Closed       bool            `cbor:"37,keyasint,omitempty"`
	Blocked      int             `cbor:"38,keyasint,omitempty"`
	Keys         int             `cbor:"39,keyasint,omitempty"`
	Uniques      int             `cbor:"40,keyasint,omitempty"`
	Results      int             `cbor:"41,keyasint,omitempty"`
	ResultBytes  int64           `cbor:"42,keyasint,omitempty"`
	ResultsEarly uint64          `cbor:"43,keyasint,omitempty"`
	Wait         reeve.Histogram `cbor:"44,keyasint,omitempty"`
	Run          reeve.Histogram `cbor:"45,keyasint,omitempty"`
}

// QueueStats is s in the words of the vocabulary.
func (s Stats) QueueStats() reeve.QueueStats { return reeve.QueueStats(s) }

// Dead is [reeve.DeadTask] with its keys.
type Dead struct {
	ID       reeve.ID      `cbor:"1,keyasint,omitempty"`
	Attempt  uint32        `cbor:"2,keyasint,omitempty"`
	Payload  []byte        `cbor:"3,keyasint,omitempty"`
	Type     string        `cbor:"4,keyasint,omitempty"`
	PutAt    int64         `cbor:"5,keyasint,omitempty"`
	Source   reeve.ID      `cbor:"6,keyasint,omitempty"`
	Reason   string        `cbor:"7,keyasint,omitempty"`
	Error    string        `cbor:"8,keyasint,omitempty"`
	Stack    string        `cbor:"9,keyasint,omitempty"`
	Failed   uint32        `cbor:"10,keyasint,omitempty"`
	TimedOut uint32        `cbor:"11,keyasint,omitempty"`
	Lost     uint32        `cbor:"12,keyasint,omitempty"`
	Returned uint32        `cbor:"13,keyasint,omitempty"`
	DiedAt   int64         `cbor:"14,keyasint,omitempty"`
	Timeout  time.Duration `cbor:"15,keyasint,omitempty"`
}

// DeadOf is t with its keys. It shares the payload.
func DeadOf(t *reeve.DeadTask) Dead {
	return Dead{
		ID: t.ID, Attempt: t.Attempt, Payload: t.Payload, Type: t.Type, PutAt: unixNano(t.PutAt), Source: t.Source,
		Reason: t.Reason, Error: t.Error, Stack: t.Stack,
		Failed: t.Counts.Failed, TimedOut: t.Counts.TimedOut, Lost: t.Counts.Lost, Returned: t.Counts.Returned,
		DiedAt: unixNano(t.DiedAt), Timeout: t.Timeout,
	}
}

// DeadTask is d in the words of the vocabulary. It shares the payload.
func (d *Dead) DeadTask() reeve.DeadTask {
	return reeve.DeadTask{
		Task: reeve.Task{
			ID: d.ID, Attempt: d.Attempt, Payload: d.Payload, Type: d.Type, PutAt: timeOf(d.PutAt),
			Source: d.Source, Timeout: d.Timeout,
		},
		Reason: d.Reason, Error: d.Error, Stack: d.Stack,
		Counts: reeve.Counts{Failed: d.Failed, TimedOut: d.TimedOut, Lost: d.Lost, Returned: d.Returned},
		DiedAt: timeOf(d.DiedAt),
	}
}

// unixNano and timeOf map the zero time to 0 and back.
func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
