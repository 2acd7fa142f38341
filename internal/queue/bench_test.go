package queue_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// mute is a holder's sink that keeps only the tokens of what was delivered.
type mute struct {
	acks  []queue.AckOp
	count int
}

func (m *mute) Deliver(_ uint64, _ string, t *reeve.Task) {
	m.acks = append(m.acks, queue.AckOp{ID: t.ID, Attempt: t.Attempt})
}
func (m *mute) Got(_ uint64, _ string, ts []reeve.Task, _ error) {
	for i := range ts {
		m.Deliver(0, "", &ts[i])
	}
}
func (m *mute) End(uint64, string, error) {}
func (m *mute) Lost(reeve.Token, error)   {}
func (m *mute) Wake()                     {}
func (m *mute) Reply(_ uint64, n int, _ reeve.ID, err error) {
	if err != nil {
		panic(err)
	}
	m.count += n
}

// benchEngine makes an engine and one who holds, puts and acks.
func benchEngine(b *testing.B) (*queue.Engine, *mute, *queue.Holder) {
	queue.SetVerify(false)
	e := queue.New(queue.Config{})
	b.Cleanup(func() {
		e.Close()
		queue.SetVerify(true)
	})
	m := &mute{}
	return e, m, e.NewHolder(m, true)
}

var payload = make([]byte, 100)

func batch(n int) []reeve.Task {
	ts := make([]reeve.Task, n)
	for i := range ts {
		ts[i].Payload = payload
	}
	return ts
}

func fill(q *queue.Queue, h *queue.Holder, m *mute, n int) {
	ts := batch(4000)
	for ; n > 0; n -= len(ts) {
		q.Put(h, &queue.PutOp{Tasks: ts[:min(n, len(ts))], By: m})
	}
}

var (
	unbounded = reeve.QueueConfig{MaxBytes: reeve.NoLimit}
	depths    = []int{0, 1_000_000}
	batches   = []int{1, 64}
)

func perTask(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/task")
}

func BenchmarkPut(b *testing.B) {
	for _, n := range batches {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			e, m, h := benchEngine(b)
			q, ts := declare(b, e, "q", unbounded), batch(n)
			b.ReportAllocs()
			for b.Loop() {
				q.Put(h, &queue.PutOp{Tasks: ts, By: m})
			}
			perTask(b, n)
		})
	}
}

func BenchmarkPutDeliverAck(b *testing.B) {
	for _, depth := range depths {
		for _, n := range batches {
			b.Run(fmt.Sprintf("depth=%d/batch=%d", depth, n), func(b *testing.B) {
				e, m, h := benchEngine(b)
				q, ts := declare(b, e, "q", unbounded), batch(n)
				fill(q, h, m, depth)
				q.Consume(h, 1, n, reeve.GetOptions{})
				var acks []queue.AckOp
				b.ReportAllocs()
				for b.Loop() { // with a depth: hands over those in front
					q.Put(h, &queue.PutOp{Tasks: ts, By: m})
					acks = append(acks[:0], m.acks...)
					m.acks = m.acks[:0]
					q.Ack(h, acks, 1, m)
				}
				perTask(b, n)
			})
		}
	}
}

func BenchmarkPutDeliverComplete(b *testing.B) {
	for _, depth := range depths {
		for _, n := range batches {
			b.Run(fmt.Sprintf("depth=%d/batch=%d", depth, n), func(b *testing.B) {
				e, m, h := benchEngine(b)
				q, out, ts := declare(b, e, "q", unbounded), declare(b, e, "out", unbounded), batch(n)
				sink := &mute{}
				fill(q, h, m, depth)
				q.Consume(h, 1, n, reeve.GetOptions{})
				out.Consume(e.NewHolder(sink, true), 1, 2*n, reeve.GetOptions{})
				ends := make([]queue.CompleteOp, n)
				b.ReportAllocs()
				for b.Loop() {
					q.Put(h, &queue.PutOp{Tasks: ts, By: m})
					for i, a := range m.acks {
						ends[i] = queue.CompleteOp{ID: a.ID, Attempt: a.Attempt, Result: ts[0], By: m}
					}
					m.acks = m.acks[:0]
					q.Complete(h, out, ends)
					out.Ack(h, sink.acks, 1, m)
					sink.acks = sink.acks[:0]
				}
				perTask(b, n)
			})
		}
	}
}

// BenchmarkAckInRandomOrder settles leases in an order that has nothing to do
// with that of their hand-over.
func BenchmarkAckInRandomOrder(b *testing.B) {
	for _, leased := range []int{100, 60_000} {
		b.Run(fmt.Sprintf("leased=%d", leased), func(b *testing.B) {
			e, m, h := benchEngine(b)
			q, ts := declare(b, e, "q", unbounded), batch(1)
			q.Consume(h, 1, leased, reeve.GetOptions{})
			fill(q, h, m, leased)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 7919) % leased
				last := len(m.acks) - 1
				m.acks[i], m.acks[last] = m.acks[last], m.acks[i]
				ack := m.acks[last]
				m.acks = m.acks[:last]
				q.Ack(h, []queue.AckOp{ack}, 1, m)
				q.Put(h, &queue.PutOp{Tasks: ts, By: m})
			}
		})
	}
}

// BenchmarkEngine tells what each operation takes for one task while so many
// others are queued. The time is that of the operation alone; the allocations
// are those of the whole life of the task.
func BenchmarkEngine(b *testing.B) {
	for _, op := range []struct {
		name string
		life func(l *life) // calls timed once
	}{
		{"put", func(l *life) { l.timed(l.put); l.get(); l.ack() }},
		{"get", func(l *life) { l.put(); l.timed(l.get); l.ack() }},
		{"ack", func(l *life) { l.put(); l.get(); l.timed(l.ack) }},
		{"complete", func(l *life) { l.put(); l.get(); l.timed(l.complete); l.collect() }},
		// Those that are nacked are acked when they come again.
		{"nack", func(l *life) { l.put(); l.get(); l.ack(); l.get(); l.timed(l.nack) }},
	} {
		for _, depth := range []int{10, 1_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s-%d", op.name, depth), func(b *testing.B) {
				l := newLife(b, depth)
				b.ReportAllocs()
				for b.Loop() {
					op.life(l)
				}
				b.ReportMetric(float64(l.took.Nanoseconds())/float64(b.N*lifeBatch), "ns/op")
			})
		}
	}
}

// lifeBatch is how many tasks go through each step together: no more than the
// smallest queue has, and enough that the clock does not count.
const lifeBatch = 10

// life has tasks go through a queue in which depth others are.
type life struct {
	m, sink     *mute // of who works, and of who takes results
	h, taker    *queue.Holder
	q, out      *queue.Queue
	tasks       []reeve.Task
	completions []queue.CompleteOp
	took        time.Duration
}

func newLife(b *testing.B, depth int) *life {
	e, m, h := benchEngine(b)
	sink := &mute{}
	l := &life{
		m: m, h: h, sink: sink, taker: e.NewHolder(sink, true), tasks: batch(lifeBatch), completions: make([]queue.CompleteOp, lifeBatch),
		q: declare(b, e, "q", unbounded), out: declare(b, e, "out", unbounded),
	}
	fill(l.q, h, m, depth)
	return l
}

func (l *life) timed(step func()) {
	start := time.Now()
	step()
	l.took += time.Since(start)
}

func (l *life) put() { l.q.Put(l.h, &queue.PutOp{Tasks: l.tasks, By: l.m}) }

func (l *life) get() {
	l.q.Get(l.h, &queue.GetOp{Max: lifeBatch, NoWait: true})
	if len(l.m.acks) != lifeBatch {
		panic(fmt.Sprintf("%d tasks were handed over, want %d", len(l.m.acks), lifeBatch))
	}
}

func (l *life) ack() {
	l.q.Ack(l.h, l.m.acks, 1, l.m)
	l.m.acks = l.m.acks[:0]
}

func (l *life) complete() {
	for i, a := range l.m.acks {
		l.completions[i] = queue.CompleteOp{ID: a.ID, Attempt: a.Attempt, Result: l.tasks[0], By: l.m}
	}
	l.q.Complete(l.h, l.out, l.completions)
	l.m.acks = l.m.acks[:0]
}

func (l *life) collect() {
	l.out.Get(l.taker, &queue.GetOp{Max: lifeBatch, NoWait: true})
	l.out.Ack(l.taker, l.sink.acks, 1, l.sink)
	l.sink.acks = l.sink.acks[:0]
}

func (l *life) nack() {
	for _, a := range l.m.acks {
		l.q.Nack(l.h, &queue.NackOp{ID: a.ID, Attempt: a.Attempt}, 1, l.m)
	}
	l.m.acks = l.m.acks[:0]
}

func BenchmarkStats(b *testing.B) {
	e, m, h := benchEngine(b)
	q := declare(b, e, "q", unbounded)
	fill(q, h, m, 1_000_000)
	for range 5000 {
		q.Consume(e.NewHolder(m, true), 1, 0, reeve.GetOptions{})
	}
	for b.Loop() {
		q.Stats()
	}
}

// BenchmarkMemory tells what a queued task of 100 bytes takes.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		e, m, h := benchEngine(b)
		q := declare(b, e, "q", unbounded)
		before := heap()
		for range n / 100 {
			ts := batch(100)
			for i := range ts {
				ts[i].Payload = make([]byte, 100)
			}
			q.Put(h, &queue.PutOp{Tasks: ts, By: m})
		}
		b.ReportMetric(float64(heap()-before)/n, "B/task")
		runtime.KeepAlive(q)
	}
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
