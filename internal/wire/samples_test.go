package wire_test

import (
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// sample is one message with a name, as it is in testdata/frames.golden and,
// by the same name, in docs/PROTOCOL.md.
type sample struct {
	name string
	add  func(b *wire.Builder) error
}

// frames is the sample as it travels.
func (s sample) frames() []byte {
	var b wire.Builder
	b.SetMaxFrame(1 << 20)
	if err := s.add(&b); err != nil {
		panic(s.name + ": " + err.Error())
	}
	return b.Take()
}

func message(name string, m wire.Message) sample {
	return sample{name, func(b *wire.Builder) error { return b.Message(m) }}
}

const (
	sampleTime = int64(1_790_000_000_000_000_000)
	sampleID   = reeve.ID(0x1001)
)

// samples has every message of the protocol. The first ones are a whole
// conversation.
func samples() []sample {
	client := wire.ClientID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	put := []reeve.Task{{Payload: []byte("abc")}}
	return append([]sample{
		message("hello", wire.Hello{Version: 1, Impl: "example/1.0", Client: client, Host: "box", PID: 4711, Name: "w1", Low: 1}),
		message("welcome", wire.Welcome{
			Version: 1, Impl: "reeve/1.0", Epoch: 99, Session: 1, Heartbeat: 5 * time.Second, MaxFrame: 67109888,
			MaxPayload: 67108864, Window: 65536, Time: sampleTime, MaxWaiting: 67108864,
		}),
		message("consume", wire.Consume{Req: 1, Low: 1, Queue: "tasks", Consumer: 1, Slots: 2}),
		message("answer-consume", wire.Answer{Req: 1, Lease: 30 * time.Second}),
		{"put", func(b *wire.Builder) error { return b.Put(2, 2, "tasks", wire.FlagEach, put) }},
		{"confirm", func(b *wire.Builder) error { b.Confirm(2, 1, sampleID); return nil }},
		{"deliver", func(b *wire.Builder) error {
			return b.Deliver(1, 0, "tasks", &reeve.Task{ID: sampleID, Attempt: 1, Payload: []byte("abc"), PutAt: unix(sampleTime)})
		}},
		{"complete", func(b *wire.Builder) error {
			return b.Complete(3, 3, "tasks", "results", sampleID, 1, &reeve.Task{Payload: []byte("ABC")})
		}},
		{"confirm-complete", func(b *wire.Builder) error { b.Confirm(3, 1, 0); return nil }},
		message("goodbye", wire.Goodbye{}),

		message("heartbeat", wire.Heartbeat{Seq: 7}),
		message("lost", wire.Lost{Queue: "tasks", ID: sampleID, Attempt: 1, Code: 4, Text: "reeve: lease lost"}),
		message("goodbye-error", wire.Goodbye{Code: 14, Text: "reeve: protocol error: Put: trailing bytes"}),
		{"put-all", func(b *wire.Builder) error {
			return b.Put(4, 4, "tasks", wire.FlagNoWait, []reeve.Task{
				{Payload: []byte{1}, Type: "sum", Delay: time.Second, Timeout: time.Minute}, {Payload: []byte{2}},
			})
		}},
		{"put-each-2", func(b *wire.Builder) error {
			return b.Put(5, 4, "tasks", wire.FlagEach, []reeve.Task{{Payload: []byte("a")}, {Payload: []byte("b")}})
		}},
		{"complete-2", func(b *wire.Builder) error {
			if err := b.Complete(5, 5, "tasks", "results", sampleID, 1, &reeve.Task{Payload: []byte("x"), Type: "sum"}); err != nil {
				return err
			}
			return b.Complete(6, 5, "tasks", "results", sampleID+1, 2, &reeve.Task{Payload: []byte("y")})
		}},
		{"ack-2", func(b *wire.Builder) error {
			if err := b.Ack(7, 7, "tasks", sampleID, 1); err != nil {
				return err
			}
			return b.Ack(8, 7, "tasks", sampleID+1, 300)
		}},
		message("nack", wire.Nack{
			Req: 9, Low: 9, Queue: "tasks", ID: sampleID, Attempt: 1, Delay: time.Second, Cause: wire.CauseTimedOut,
			Error: "took too long", Stack: "main.go",
		}),
		message("nack-returned", wire.Nack{Req: 9, Low: 9, Queue: "tasks", ID: sampleID, Attempt: 1, Cause: wire.CauseReturned}),
		message("bury", wire.Bury{Req: 10, Low: 9, Queue: "tasks", ID: sampleID, Attempt: 1, Error: "not a number"}),
		message("extend", wire.Extend{Req: 11, Low: 11, Queue: "tasks", ID: sampleID, Attempt: 1, Duration: time.Hour}),
		message("claim", wire.Claim{Req: 12, Low: 12, Queue: "tasks", Entries: wire.Pairs{{ID: sampleID, Attempt: 1}, {ID: 7, Attempt: 2}}}),
		message("claim-consumer", wire.Claim{Req: 12, Low: 12, Queue: "tasks", Entries: wire.Pairs{{ID: sampleID, Attempt: 1}}, Consumer: 1}),
		message("get", wire.Get{Req: 13, Low: 13, Queue: "tasks", Max: 10, NoWait: true}),
		message("unconsume", wire.Unconsume{Req: 14, Low: 14, Consumer: 1}),
		message("cancel", wire.Cancel{Req: 13}),
		message("stats", wire.StatsRequest{Req: 15, Low: 15}),
		message("join", wire.Join{Req: 16, Low: 16, Queue: "tasks"}),
		message("shutdown", wire.ShutdownRequest{Req: 17, Low: 17, Queue: "tasks", Immediate: true}),
		message("dead", wire.DeadRequest{Req: 18, Low: 18, Queue: "tasks", Skip: 1, Max: 100}),
		{"confirm-2", func(b *wire.Builder) error {
			b.Confirm(20, 1, 0x2000)
			b.Confirm(21, 1, 0x2001)
			b.Confirm(30, 1, 0)
			return nil
		}},
		{"deliver-get", func(b *wire.Builder) error {
			if err := b.Deliver(0, 13, "tasks", &reeve.Task{
				ID: sampleID, Attempt: 2, Payload: []byte("abc"), Type: "sum", PutAt: unix(sampleTime), Timeout: time.Minute, Source: 9,
			}); err != nil {
				return err
			}
			return b.Deliver(0, 13, "tasks", &reeve.Task{ID: sampleID + 1, Attempt: 1})
		}},
		message("answer-claim", wire.Answer{Req: 12, Kept: []bool{true, false}}),
		message("answer-stats", wire.Answer{Req: 15, Queues: []wire.Stats{{
			Name: "tasks", Ready: 1, Delayed: 2, Leased: 3, Dead: 4, Bytes: 5000, MaxLen: 6, MaxBytes: -1, OldestReady: time.Second,
			WaitingPuts: 7, Consumers: 8, FreeSlots: 9, Shutdown: true, Put: 10, Done: 11, Redelivered: 12, Failed: 13, TimedOut: 14,
			Lost: 15, Returned: 16, Buried: 17, Refused: 18, Dropped: 19, LateAcks: 20,
		}}}),
		message("answer-dead", wire.Answer{Req: 18, Dead: []wire.Dead{{
			ID: sampleID, Attempt: 5, Payload: []byte("abc"), Type: "sum", PutAt: sampleTime, Source: 9, Reason: "5 attempts failed",
			Error: "no such file", Stack: "main.go", Failed: 5, TimedOut: 1, Lost: 2, Returned: 3, DiedAt: sampleTime + 1, Timeout: time.Minute,
		}}}),
		message("error", wire.ErrorFor(13, reeve.ErrEmpty, "")),
		message("error-no-such-queue", wire.ErrorFor(2, &reeve.NoSuchQueueError{Name: "taks", Known: []string{"results", "tasks"}}, "")),
		message("error-limit", wire.ErrorFor(2, &reeve.LimitError{
			Kind: reeve.ErrQueueFull, Limit: "queue length", Value: 11, Max: 10, Set: "QueueConfig.MaxLen",
		}, "goroutine 1")),
		message("end", wire.End{Consumer: 1, Queue: "tasks", Code: 3, Text: "reeve: queue was shut down"}),
	}, append(ruledSamples(), operatorSamples()...)...)
}

// typeOf is the type that a struct is sent as.
func typeOf(t *testing.T, m wire.Message) wire.Type {
	t.Helper()
	frame, err := wire.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	typ, _, err := wire.ParseType(frame[wire.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	return typ
}
