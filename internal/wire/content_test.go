package wire_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

func duration(ns int64) time.Duration { return time.Duration(ns) }

func unix(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// content is everything that a message says, for comparing.
func content(m any) string {
	var b strings.Builder
	switch f := m.(type) {
	case *wire.PutFrame:
		fmt.Fprintf(&b, "put %d %d %q %d\n", f.Req, f.Low, f.Queue, f.Flags)
		for i := range f.Tasks {
			b.WriteString(taskContent(&f.Tasks[i]))
		}
	case *wire.CompleteFrame:
		fmt.Fprintf(&b, "complete %d %d %q %q\n", f.Req, f.Low, f.Queue, f.To)
		for i := range f.Entries {
			fmt.Fprintf(&b, "%d %d ", f.Entries[i].ID, f.Entries[i].Attempt)
			b.WriteString(taskContent(&f.Entries[i].Result))
		}
	case *wire.AckFrame:
		fmt.Fprintf(&b, "ack %d %d %q %v\n", f.Req, f.Low, f.Queue, f.Entries)
	case *wire.ConfirmFrame:
		fmt.Fprintf(&b, "confirm %v\n", f.Ranges)
	case *wire.DeliverFrame:
		fmt.Fprintf(&b, "deliver %d %d %q\n", f.Consumer, f.Req, f.Queue)
		for i := range f.Tasks {
			b.WriteString(taskContent(&f.Tasks[i]))
		}
	case *wire.CallFrame:
		fmt.Fprintf(&b, "call %d %d %q %d %d %q %q %x %d %d\n", f.Req, f.Low, f.Name, f.ID, f.Life, f.Type, f.Method, f.Args, f.Flags, f.Timeout)
	case *wire.ReturnFrame:
		fmt.Fprintf(&b, "return %d %x\n", f.Req, f.Value)
	default:
		fmt.Fprintf(&b, "%T %+v\n", m, m)
	}
	return b.String()
}

func taskContent(t *reeve.Task) string {
	at := int64(0)
	if !t.PutAt.IsZero() {
		at = t.PutAt.UnixNano()
	}
	return fmt.Sprintf("%d %d %x %q %d %d %d %d %d %s\n", t.ID, t.Attempt, t.Payload, t.Type, t.Delay, t.Timeout, t.Source, at,
		t.Priority, rulesContent(t.Rules))
}

func rulesContent(r *reeve.Rules) string {
	if r == nil {
		return "no rules"
	}
	nano := func(t time.Time) any {
		if t.IsZero() {
			return "never"
		}
		return t.UnixNano()
	}
	return fmt.Sprintf("rules %v %d %v %d [%d %v %d %v] %q %q %d %d %q %d %v", nano(r.At), r.Expiry, nano(r.ExpireAt), r.Attempts,
		r.Backoff.Base, r.Backoff.Factor, r.Backoff.Max, r.Backoff.Jitter, r.Key, r.Unique, r.UniqueMode, r.UniqueFor, r.Labels, r.KeepResult, r.Blobs)
}

// frames are the frames in buf, without headers.
func frames(buf []byte) (out [][]byte) {
	for len(buf) > 0 {
		var f []byte
		f, buf = wire.SplitFrame(buf)
		out = append(out, f[wire.HeaderLen:])
	}
	return out
}

// hot is what there is for each of the hand-written messages.
type hot struct {
	typ    wire.Type
	fresh  func() decoder
	oracle func(body []byte) (any, error)
}

func erase[T any](f func([]byte) (T, error)) func([]byte) (any, error) {
	return func(b []byte) (any, error) { return f(b) }
}

var hotMessages = []hot{
	{wire.TypePut, func() decoder { return new(wire.PutFrame) }, erase(oraclePut)},
	{wire.TypeComplete, func() decoder { return new(wire.CompleteFrame) }, erase(oracleComplete)},
	{wire.TypeAck, func() decoder { return new(wire.AckFrame) }, erase(oracleAck)},
	{wire.TypeConfirm, func() decoder { return new(wire.ConfirmFrame) }, erase(oracleConfirm)},
	{wire.TypeDeliver, func() decoder { return new(wire.DeliverFrame) }, erase(oracleDeliver)},
	{wire.TypeCall, func() decoder { return new(wire.CallFrame) }, erase(oracleCall)},
	{wire.TypeReturn, func() decoder { return new(wire.ReturnFrame) }, erase(oracleReturn)},
}

func hotOf(t wire.Type) *hot {
	for i := range hotMessages {
		if hotMessages[i].typ == t {
			return &hotMessages[i]
		}
	}
	return nil
}

// coldMessages has one empty struct of each message that goes through Decode.
func coldMessages() []wire.Message {
	return []wire.Message{
		&wire.Hello{}, &wire.Welcome{}, &wire.Heartbeat{}, &wire.Lost{}, &wire.Goodbye{}, &wire.Nack{}, &wire.Bury{},
		&wire.Extend{}, &wire.Claim{}, &wire.Get{}, &wire.Consume{}, &wire.Unconsume{}, &wire.Cancel{},
		&wire.StatsRequest{}, &wire.Join{}, &wire.ShutdownRequest{}, &wire.DeadRequest{}, &wire.Answer{}, &wire.Error{},
		&wire.End{}, &wire.Command{}, &wire.Report{}, &wire.Progress{}, &wire.Event{},
		&wire.TaskRequest{}, &wire.List{}, &wire.Peek{}, &wire.Explain{}, &wire.CancelTask{}, &wire.Act{}, &wire.Pause{},
		&wire.ResultRequest{}, &wire.WorkersRequest{}, &wire.CommandRequest{}, &wire.Events{}, &wire.Unevents{},
		&wire.TypesRequest{}, &wire.Backup{}, &wire.Claimed{},
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
