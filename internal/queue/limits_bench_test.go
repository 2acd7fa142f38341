//go:build unix

package queue_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// These benchmarks compare two ways in one run, in turns, so that what else the
// machine does falls on both; where they can they count processor time.

// cpuTime is what this process has used of the processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// inTurns runs the two in turns, round by round, each of which does n things,
// and reports what one takes and how the second compares with the first: the
// middle of all rounds.
func inTurns(b *testing.B, n int, first, second func(round int)) {
	var times [2][]float64
	var ratios []float64
	round := 0
	for b.Loop() {
		var took [2]float64
		for i := range 2 {
			which := (round + i) % 2
			runtime.GC() // what the other left is not this one's
			begin := cpuTime()
			[]func(int){first, second}[which](round)
			took[which] = float64(cpuTime() - begin)
			times[which] = append(times[which], took[which]/float64(n))
		}
		ratios = append(ratios, took[1]/took[0])
		round++
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle(times[0]), "ns/first")
	b.ReportMetric(middle(times[1]), "ns/second")
	b.ReportMetric(middle(ratios), "second/first")
}

func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

func p99(list []time.Duration) float64 {
	slices.Sort(list)
	return float64(list[len(list)*99/100])
}

// lot is a queue with one who puts, takes and acks.
type lot struct {
	q    *queue.Queue
	h    *queue.Holder
	sink *mute
}

func newLot(b *testing.B, e *queue.Engine, name string, cfg reeve.QueueConfig) *lot {
	cfg.MaxBytes = reeve.NoLimit
	m := &mute{}
	return &lot{declare(b, e, name, cfg), e.NewHolder(m, true), m}
}

// put puts tasks, each a request of its own.
func (l *lot) put(ts []reeve.Task) {
	l.q.Put(l.h, &queue.PutOp{Tasks: ts, Each: true, By: l.sink})
}

// ack acks all that was handed over.
func (l *lot) ack() {
	acks := slices.Clone(l.sink.acks)
	l.sink.acks = l.sink.acks[:0]
	l.q.Ack(l.h, acks, 1, l.sink)
}

// BenchmarkTail tells how the slowest hundredth of puts, gets and acks, these in
// any order, compares with that of an empty queue when a million tasks wait.
func BenchmarkTail(b *testing.B) {
	e, _, _ := benchEngine(b)
	lots := []*lot{newLot(b, e, "empty", reeve.QueueConfig{}), newLot(b, e, "full", reeve.QueueConfig{})}
	verbs := []string{"put", "get", "ack"}
	var took [2][3][]time.Duration
	held := [2][]queue.AckOp{}
	for i, l := range lots {
		fill(l.q, l.h, l.sink, 10_000+i*1_000_000)
		for range 10 {
			l.q.Get(l.h, &queue.GetOp{Max: 1000, NoWait: true})
		}
		held[i] = slices.Clone(l.sink.acks)
		l.sink.acks = l.sink.acks[:0]
	}
	one := batch(1)
	runtime.GC()
	for n := 0; b.Loop(); n++ {
		i := n / 1000 % 2
		l := lots[i]
		begin := time.Now()
		l.q.Put(l.h, &queue.PutOp{Tasks: one, By: l.sink})
		put := time.Now()
		l.q.Get(l.h, &queue.GetOp{Max: 1, NoWait: true})
		got := time.Now()
		at := rand.IntN(len(held[i]))
		ack := held[i][at]
		held[i][at] = l.sink.acks[0]
		l.sink.acks = l.sink.acks[:0]
		ready := time.Now()
		l.q.Ack(l.h, []queue.AckOp{ack}, 1, l.sink)
		acked := time.Now()
		for v, d := range []time.Duration{put.Sub(begin), got.Sub(put), acked.Sub(ready)} {
			took[i][v] = append(took[i][v], d)
		}
	}
	for v, verb := range verbs {
		if len(took[1][v]) == 0 {
			return // a run of a few, to see how long it takes
		}
		empty, full := p99(took[0][v]), p99(took[1][v])
		b.ReportMetric(full, verb+"-p99-ns")
		b.ReportMetric(full/empty, verb+"-p99-full/empty")
	}
}

// BenchmarkUnique compares puts with a unique key with plain ones, and then the
// whole lives of such tasks, where as many come as go.
func BenchmarkUnique(b *testing.B) {
	const blocks, each = 256, 64
	const n = blocks * each
	for _, mode := range []reeve.UniqueMode{reeve.UniqueUntilDone, reeve.UniqueUntilStart, reeve.UniqueForTime} {
		b.Run(mode.String(), func(b *testing.B) {
			e, _, _ := benchEngine(b)
			lots := []*lot{newLot(b, e, "plain", reeve.QueueConfig{}), newLot(b, e, "unique", reeve.QueueConfig{})}
			tasks := make([]reeve.Task, n)
			prepare := func(round int, unique bool) {
				rules := make([]reeve.Rules, n)
				for i := range tasks {
					tasks[i] = reeve.Task{Payload: payload}
					if unique { // as it comes off the wire: rules and a text of its own
						rules[i] = reeve.Rules{Unique: fmt.Sprintf("https://example.org/%d/%d", round, i), UniqueMode: mode}
						if mode == reeve.UniqueForTime {
							rules[i].UniqueFor = 100 * time.Millisecond
						}
						tasks[i].Rules = &rules[i]
					}
				}
			}
			for i, l := range lots { // what stands there
				prepare(-1, i == 1)
				for ts := range slices.Chunk(tasks, each) {
					l.put(ts)
				}
			}
			var puts, lives [2][]float64
			var ratios []float64
			for round := 0; b.Loop(); round++ {
				for i := range 2 {
					which := (round + i) % 2
					l := lots[which]
					prepare(round, which == 1)
					runtime.GC()
					var put time.Duration
					begin := cpuTime()
					for at := 0; at < n; at += each {
						start := cpuTime()
						l.put(tasks[at : at+each])
						put += cpuTime() - start
						l.q.Get(l.h, &queue.GetOp{Max: each, NoWait: true})
						l.ack()
					}
					puts[which] = append(puts[which], float64(put)/n)
					lives[which] = append(lives[which], float64(cpuTime()-begin)/n)
				}
				ratios = append(ratios, lives[1][round]/lives[0][round])
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(middle(puts[0]), "ns/plain-put")
			b.ReportMetric(middle(puts[1]), "ns/unique-put")
			b.ReportMetric(middle(lives[0]), "ns/plain-life")
			b.ReportMetric(middle(lives[1]), "ns/unique-life")
			b.ReportMetric(middle(ratios), "life-unique/plain")
		})
	}
}

// BenchmarkLimits compares lives of tasks in a queue whose limits are on, and
// hold nothing up, with those in one that has none.
func BenchmarkLimits(b *testing.B) {
	const n, each = 16_384, 64
	const many = 1_000_000
	for name, c := range map[string]struct {
		cfg  reeve.QueueConfig
		task func(i int) reeve.Task
	}{
		"concurrency":      {reeve.QueueConfig{Concurrency: many}, nil},
		"rate":             {reeve.QueueConfig{Rate: reeve.Rate{Tasks: 1_000_000_000, Burst: many}}, nil},
		"type concurrency": {reeve.QueueConfig{TypeConcurrency: map[string]int{"mail": many}}, func(int) reeve.Task { return reeve.Task{Type: "mail"} }},
		"reserve":          {reeve.QueueConfig{Reserve: reeve.Reserve{Slots: 10, Priority: 1}}, nil},
		"windows":          {reeve.QueueConfig{Windows: []reeve.Window{{}}}, nil},
		"key concurrency":  {reeve.QueueConfig{KeyConcurrency: 64}, func(i int) reeve.Task { return reeve.Task{Rules: &reeve.Rules{Key: keys[i%len(keys)]}} }},
		"all": {reeve.QueueConfig{
			Concurrency: many, Rate: reeve.Rate{Tasks: 1_000_000_000, Burst: many}, TypeConcurrency: map[string]int{"mail": many},
			Reserve: reeve.Reserve{Slots: 10, Priority: 1},
		}, func(int) reeve.Task { return reeve.Task{Type: "mail"} }},
	} {
		b.Run(name, func(b *testing.B) {
			e, _, _ := benchEngine(b)
			off := newLot(b, e, "off", reeve.QueueConfig{KeyConcurrency: reeve.NoLimit})
			on := newLot(b, e, "on", c.cfg)
			tasks := make([]reeve.Task, n)
			for i := range tasks {
				if c.task != nil {
					tasks[i] = c.task(i)
				}
				tasks[i].Payload = payload
			}
			for _, l := range []*lot{off, on} {
				l.q.Consume(l.h, 1, 4*each, reeve.GetOptions{})
			}
			live := func(l *lot) func(int) {
				return func(int) {
					for range 4 {
						for at := 0; at < n; at += each {
							l.put(tasks[at : at+each])
							l.ack()
						}
					}
				}
			}
			inTurns(b, 4*n, live(off), live(on))
		})
	}
}

var keys = func() (list []string) {
	for i := range 100 {
		list = append(list, fmt.Sprintf("host-%d.example.org", i))
	}
	return list
}()

// BenchmarkDelayed tells what a delayed task takes besides its payload, and how
// often the engine looks at a million of them in a time in which none is due,
// and what that takes of the processors.
func BenchmarkDelayed(b *testing.B) {
	for name, task := range map[string]func(i int) reeve.Task{
		"delay": func(i int) reeve.Task { return reeve.Task{Delay: time.Hour + time.Duration(i)} },
		"at": func(i int) reeve.Task {
			return reeve.Task{Rules: &reeve.Rules{At: time.Now().Add(time.Hour + time.Duration(i))}}
		},
	} {
		b.Run(name, func(b *testing.B) {
			const n, quiet = 1_000_000, time.Second
			for b.Loop() {
				queue.SetVerify(false)
				var looks atomic.Int64 // at the wall clock, which the engine does whenever it looks for what is due
				e := queue.New(queue.Config{Wall: func() time.Time {
					looks.Add(1)
					return time.Now()
				}})
				m := &mute{}
				h := e.NewHolder(m, true)
				q := declare(b, e, "q", unbounded)
				before := heap()
				ts := make([]reeve.Task, 1000)
				for i := 0; i < n; {
					for j := range ts {
						ts[j] = task(i)
						ts[j].Payload = payload // of all of them: it counts for nothing
						i++
					}
					q.Put(h, &queue.PutOp{Tasks: ts, By: m})
				}
				b.ReportMetric(float64(heap()-before)/n, "B/task")
				time.Sleep(quiet) // what the puts set off is over
				looks.Store(0)
				used := cpuTime()
				time.Sleep(quiet)
				b.ReportMetric(float64(looks.Load()), "looks/s")
				b.ReportMetric(100*float64(cpuTime()-used)/float64(quiet), "%cpu")
				runtime.KeepAlive(q)
				e.Close()
				queue.SetVerify(true)
			}
		})
	}
}

// BenchmarkStorm has 100,000 tasks due in the same millisecond: how their way
// from then on compares with that of as many others from their put on, and with
// that of as many that are ready; and how puts into another queue fare
// meanwhile.
func BenchmarkStorm(b *testing.B) {
	const n = 100_000
	var put, ready []float64
	var calm, storm []time.Duration
	for b.Loop() {
		e, _, _ := benchEngine(b)
		other := newLot(b, e, "other", reeve.QueueConfig{})
		puts := func(until func() bool) (took []time.Duration) {
			one := batch(1)
			for !until() {
				begin := time.Now()
				other.q.Put(other.h, &queue.PutOp{Tasks: one, By: other.sink})
				took = append(took, time.Since(begin))
				time.Sleep(20 * time.Microsecond)
			}
			return took
		}
		var putting, took [2]time.Duration
		for i, delay := range []time.Duration{0, 300 * time.Millisecond} {
			sink := &sinker{}
			l := &lot{declare(b, e, fmt.Sprint(i), unbounded), e.NewHolder(sink, true), &mute{}}
			ts := batch(4000)
			due, start := time.Now().Add(delay), cpuTime()
			for range n / len(ts) {
				for j := range ts {
					ts[j].Delay = 0
					if delay > 0 {
						ts[j].Delay = max(time.Until(due), 1)
					}
				}
				l.put(ts)
			}
			putting[i] = cpuTime() - start
			if delay == 0 {
				calm = append(calm, puts(func() bool { return time.Since(due) > 300*time.Millisecond })...)
			}
			time.Sleep(time.Until(due) - 10*time.Millisecond)
			runtime.GC()
			begin := cpuTime()
			sink.ack = func(acks []queue.AckOp) { l.q.Ack(l.h, acks, 1, l.sink) }
			l.q.Consume(l.h, 1, 1000, reeve.GetOptions{})
			if delay > 0 {
				storm = append(storm, puts(func() bool { return l.q.Stats().Done == n })...)
			}
			for l.q.Stats().Done < n {
				time.Sleep(time.Millisecond)
			}
			took[i] = cpuTime() - begin
		}
		put = append(put, float64(putting[0]+took[0])/float64(took[1]))
		ready = append(ready, float64(took[0])/float64(took[1]))
	}
	b.ReportMetric(middle(put), "throughput-storm/put")
	b.ReportMetric(middle(ready), "throughput-storm/ready")
	b.ReportMetric(p99(calm), "put-p99-calm-ns")
	b.ReportMetric(p99(storm), "put-p99-storm-ns")
}

// sinker acks what it is handed over whenever it is woken.
type sinker struct {
	mute
	ack func([]queue.AckOp)
}

func (s *sinker) Wake() {
	acks := s.acks
	s.acks = nil
	if s.ack != nil && len(acks) > 0 {
		s.ack(acks)
	}
}

// BenchmarkLook tells what it takes to look at 1,000 queues with 100,000 keys
// and a million tasks, and how long that holds up a queue.
func BenchmarkLook(b *testing.B) {
	e, _, _ := benchEngine(b)
	const queues, n = 1000, 1_000_000
	for i := range queues {
		l := newLot(b, e, fmt.Sprint(i), reeve.QueueConfig{})
		ts := make([]reeve.Task, n/queues)
		for j := range ts {
			ts[j] = reeve.Task{Payload: payload, Rules: &reeve.Rules{Key: fmt.Sprint(j % 100)}}
		}
		l.put(ts)
	}
	big := newLot(b, e, "big", reeve.QueueConfig{})
	ts := batch(4000)
	var first, last reeve.ID
	for range n / len(ts) {
		ids := &lastID{}
		big.q.Put(big.h, &queue.PutOp{Tasks: ts, By: ids})
		if first == 0 {
			first = ids.first
		}
		last = ids.first
	}
	b.Run("stats", func(b *testing.B) {
		for b.Loop() {
			e.Stats()
		}
		var holds []time.Duration // of one queue: no longer than a call
		for range 10 {
			for _, name := range e.Names() {
				q, err := e.Lookup(name)
				if err != nil {
					b.Fatal(err)
				}
				begin := time.Now()
				q.Stats()
				holds = append(holds, time.Since(begin))
			}
		}
		b.ReportMetric(p99(holds), "hold-p99-ns")
		b.ReportMetric(float64(holds[len(holds)-1]), "hold-max-ns")
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			if _, err := big.q.List(nil, reeve.ListOptions{After: first + reeve.ID(rand.Uint64N(uint64(last-first))), Payload: 100}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("peek", func(b *testing.B) {
		for b.Loop() {
			if _, err := big.q.Peek(100, 100); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("explain", func(b *testing.B) {
		for b.Loop() {
			if _, err := e.Explain(last); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// lastID keeps the answer to a Put.
type lastID struct{ first reeve.ID }

func (l *lastID) Reply(_ uint64, _ int, first reeve.ID, err error) {
	if err != nil {
		panic(err)
	}
	l.first = first
}

// BenchmarkExplain tells that a reason costs the same however many tasks there
// are, and whatever they wait for.
func BenchmarkExplain(b *testing.B) {
	task := map[string]func(i int) reeve.Task{
		"alike":      func(int) reeve.Task { return reeve.Task{} },
		"priorities": func(i int) reeve.Task { return reeve.Task{Priority: int32(-i)} },
		"types":      func(i int) reeve.Task { return reeve.Task{Type: fmt.Sprint(i)} },
		"key":        func(int) reeve.Task { return keyed("", "k") },
	}
	for name := range task {
		for _, n := range []int{5_000, 100_000} {
			b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) {
				e, _, _ := benchEngine(b)
				q, c := declare(b, e, "explained", reeve.QueueConfig{}), newClient(e)
				c.flood(b, q, n, task[name])
				id := c.mustAdd(b, q, task[name](n))
				for b.Loop() {
					if x, err := e.Explain(id); err != nil || len(x.Reasons) == 0 {
						b.Fatalf("%+v, %v", x, err)
					}
				}
			})
		}
	}
}

// BenchmarkManyWishes puts, hands over and acks a task that one of n consumers
// takes, each of which wants a label of its own.
func BenchmarkManyWishes(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("consumers=%d", n), func(b *testing.B) {
			e, _, _ := benchEngine(b)
			l := newLot(b, e, "q", reeve.QueueConfig{})
			for i := range n {
				l.q.Consume(l.h, uint64(i+1), 1, reeve.GetOptions{Labels: []string{fmt.Sprint("host-", i)}})
			}
			task := []reeve.Task{{Payload: payload, Rules: &reeve.Rules{Labels: []string{"host-0"}}}}
			for b.Loop() {
				l.put(task)
				l.ack()
			}
		})
	}
}
