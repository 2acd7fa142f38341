package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// benchItems is how many items go into one frame: one that came alone, and what
// gathers while another write is under way.
var benchItems = []int{1, 64}

var benchTask = reeve.Task{
	ID: 1 << 33, Attempt: 1, Payload: bytes.Repeat([]byte("x"), 100), PutAt: time.Unix(0, 1_800_000_000_000_000_000),
}

func perItem(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/item")
}

type benchFrame struct {
	name string
	add  func(b *wire.Builder, i int)
	dec  func() decoder
}

// benchFrames are the hot messages, each with what most of them have.
var benchFrames = []benchFrame{
	{"put", func(b *wire.Builder, i int) {
		b.Put(uint64(1000+i), 1000, "tasks", wire.FlagEach, []reeve.Task{benchTask})
	}, func() decoder { return new(wire.PutFrame) }},
	{"complete", func(b *wire.Builder, i int) {
		b.Complete(uint64(1000+i), 1000, "tasks", "results", reeve.ID(1<<33+i), 1, &benchTask)
	}, func() decoder { return new(wire.CompleteFrame) }},
	{"ack", func(b *wire.Builder, i int) {
		b.Ack(uint64(1000+i), 1000, "tasks", reeve.ID(1<<33+i), 1)
	}, func() decoder { return new(wire.AckFrame) }},
	{"confirm", func(b *wire.Builder, i int) {
		b.Confirm(uint64(1000+2*i), 1, reeve.ID(1<<33+i)) // none joins the one before
	}, func() decoder { return new(wire.ConfirmFrame) }},
	{"deliver", func(b *wire.Builder, i int) {
		t := benchTask
		t.ID += reeve.ID(i)
		b.Deliver(1, 0, "tasks", &t)
	}, func() decoder { return new(wire.DeliverFrame) }},
	{"call", func(b *wire.Builder, i int) {
		b.Call(&wire.Call{Req: uint64(1<<62 + i), Low: 1 << 62, Name: "scores", Method: "Add", Args: benchTask.Payload})
	}, func() decoder { return new(wire.CallFrame) }},
	{"return", func(b *wire.Builder, i int) {
		b.Return(uint64(1<<62+i), benchTask.Payload)
	}, func() decoder { return new(wire.ReturnFrame) }},
}

// ruledFrames are benchFrames with what tasks may ask for beyond them.
var ruledFrames = []benchFrame{
	{"put-priority", func(b *wire.Builder, i int) {
		t := benchTask
		t.Priority = 5
		b.Put(uint64(1000+i), 1000, "tasks", wire.FlagEach, []reeve.Task{t})
	}, func() decoder { return new(wire.PutFrame) }},
	{"put-unique", func(b *wire.Builder, i int) {
		t := benchTask
		t.Rules = &uniqueRules
		b.Put(uint64(1000+i), 1000, "tasks", wire.FlagEach, []reeve.Task{t})
	}, func() decoder { return new(wire.PutFrame) }},
	{"deliver-key", func(b *wire.Builder, i int) {
		t := benchTask
		t.ID, t.Rules = t.ID+reeve.ID(i), &keyRules
		b.Deliver(1, 0, "tasks", &t)
	}, func() decoder { return new(wire.DeliverFrame) }},
}

var (
	uniqueRules = reeve.Rules{Unique: "https://host.example/some/page.html"}
	keyRules    = reeve.Rules{Key: "host.example", Attempts: 3}
)

type decoder interface{ Decode([]byte) error }

// decodeAll has d read all frames in buf, one after another.
func decodeAll(d decoder, buf []byte) error {
	for len(buf) > 0 {
		var frame []byte
		frame, buf = wire.SplitFrame(buf)
		_, body, err := wire.ParseType(frame[wire.HeaderLen:])
		if err == nil {
			err = d.Decode(body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eachFrame runs f for all messages and numbers of items, as "put-64".
func eachFrame(b *testing.B, f func(b *testing.B, m benchFrame, n int)) {
	for _, m := range append(benchFrames, ruledFrames...) {
		for _, n := range benchItems {
			b.Run(fmt.Sprintf("%s-%d", m.name, n), func(b *testing.B) {
				b.ReportAllocs()
				f(b, m, n)
				perItem(b, n)
			})
		}
	}
}

func BenchmarkWireEncode(b *testing.B) {
	eachFrame(b, func(b *testing.B, m benchFrame, n int) {
		var w wire.Builder
		for b.Loop() {
			for i := range n {
				m.add(&w, i)
			}
			w.Reset(w.Take())
		}
	})
}

func BenchmarkWireDecode(b *testing.B) {
	eachFrame(b, func(b *testing.B, m benchFrame, n int) {
		var w wire.Builder
		for i := range n {
			m.add(&w, i)
		}
		buf, d := w.Take(), m.dec()
		for b.Loop() {
			if err := decodeAll(d, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A Confirm that joins the one before it is what a steady stream has.
func BenchmarkWireEncodeConfirmJoined(b *testing.B) {
	const n = 64
	var w wire.Builder
	b.ReportAllocs()
	for b.Loop() {
		for i := range n {
			w.Confirm(uint64(1000+i), 1, reeve.ID(1<<33+i))
		}
		w.Reset(w.Take())
	}
	perItem(b, n)
}

func BenchmarkAppendHeartbeat(b *testing.B) {
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = wire.Append(buf[:0], &wire.Heartbeat{Seq: 7}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeNack(b *testing.B) {
	buf, err := wire.Append(nil, &wire.Nack{Req: 7, Low: 5, Queue: "tasks", ID: 1 << 33, Attempt: 3, Error: "no such file"})
	if err != nil {
		b.Fatal(err)
	}
	t, body, _ := wire.ParseType(buf[wire.HeaderLen:])
	var m wire.Nack
	b.ReportAllocs()
	for b.Loop() {
		if err := wire.Decode(t, body, &m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	for _, size := range []int{100, 4 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			frame := append([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, make([]byte, size)...)
			r := wire.NewReader(&endless{frame: frame}, 2<<20)
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless repeats one frame, in reads of any size.
type endless struct {
	frame []byte
	at    int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		m := copy(p[n:], e.frame[e.at:])
		n += m
		e.at = (e.at + m) % len(e.frame)
	}
	return n, nil
}

var _ io.Reader = (*endless)(nil)
