package queue_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestPriority_HigherGoesFirstAndWithinOneTheFirst(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		rnd := rand.New(rand.NewPCG(1, 2))
		all := []int32{math.MinInt32, math.MaxInt32, 0, -1, 1, 7, 8, 9, 10, 11, 12, 13}
		var want []reeve.Task
		for i := range 500 {
			task := reeve.Task{Priority: all[rnd.IntN(len(all))], Payload: fmt.Append(nil, i), Type: fmt.Sprint(rnd.IntN(3))}
			c.mustAdd(t, q, task)
			want = append(want, task)
			if rnd.IntN(3) > 0 {
				continue
			}
			slices.SortStableFunc(want, func(a, b reeve.Task) int { return int(max(-1, min(1, int64(b.Priority)-int64(a.Priority)))) })
			n := 1 + rnd.IntN(5)
			for i, got := range c.take(t, q, n) {
				if string(got.Payload) != string(want[i].Payload) || got.Priority != want[i].Priority {
					t.Fatalf("task %s of priority %d came, want %s of %d", got.Payload, got.Priority, want[i].Payload, want[i].Priority)
				}
			}
			want = want[min(n, len(want)):]
		}
	})
}

func TestPriority_AHighOneGoesBeforeAHundredThousandLowOnes(t *testing.T) {
	unverified(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.flood(t, q, 100_000, func(int) reeve.Task { return reeve.Task{Priority: -5} })
		high := c.mustAdd(t, q, reeve.Task{Priority: 1})
		if got := c.take(t, q, 2); len(got) != 2 || got[0].ID != high || got[1].Priority != -5 {
			t.Fatalf("%+v", got)
		}
		q.Check()
	})
}

func TestPriority_AFailedOrReturnedTaskKeepsItsPriority(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		for i, p := range []int32{0, 0, 5, 5, 5} {
			c.mustAdd(t, q, reeve.Task{Priority: p, Payload: fmt.Append(nil, i)})
		}
		ts := c.take(t, q, 2)
		c.ok(t, c.nack(q, ts[0], queue.NackOp{Error: "x"}), c.nack(q, ts[1], queue.NackOp{Returned: true}))
		if got := payloads(c.take(t, q, 5)); got != "3 4 2 0 1 " {
			t.Fatal(got)
		}
	})
}

func TestPriority_VeryManyOfThemGiveTheirMemoryBack(t *testing.T) {
	unverified(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		c.flood(t, q, reeve.MaxBatch, func(i int) reeve.Task { return reeve.Task{Priority: int32(i)} })
		c.ackAll(t, q)
		before := heapBytes()
		c.flood(t, q, 200_000, func(i int) reeve.Task { return reeve.Task{Priority: int32(i * 7919)} })
		if n := c.ackAll(t, q); n != 200_000 {
			t.Fatalf("%d tasks", n)
		}
		if kept := heapBytes() - before; kept > 4<<20 {
			t.Fatalf("%d bytes are kept for priorities without tasks", kept)
		}
		q.Check()
	})
}

func TestLIFO_TheLastGoesFirst(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{LIFO: true}), newClient(e)
		c.put(q, "1", "2", "3", "4")
		c.add(q, reeve.Task{Payload: []byte("5"), Type: "other"})
		ts := c.take(t, q, 3)
		if got := payloads(ts); got != "5 4 3 " {
			t.Fatal(got)
		}
		c.put(q, "6")
		c.ok(t, c.nack(q, ts[1], queue.NackOp{Returned: true})) // as if it had not been taken: next
		c.ok(t, c.nack(q, ts[2], queue.NackOp{Error: "x"}))     // failed: behind all others
		if got := payloads(c.take(t, q, 9)); got != "4 6 2 1 3 " {
			t.Fatal(got)
		}
		c.Release(false) // its leases come back, to the front
		c = newClient(e)
		c.put(q, "7")
		if got := payloads(c.take(t, q, 1)); got != "7 " {
			t.Fatal(got)
		}
	})
}

func TestLIFO_HoldsWithinAPriorityAndForTasksWithKeys(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{LIFO: true}), newClient(e)
		for i, p := range []int32{1, 0, 1, 0} {
			c.mustAdd(t, q, reeve.Task{Priority: p, Payload: fmt.Append(nil, i), Rules: &reeve.Rules{Key: fmt.Sprint(i)}})
		}
		if got := payloads(c.take(t, q, 9)); got != "2 0 3 1 " {
			t.Fatal(got)
		}
	})
}

// aged is what a task counts for with ageing, but for a constant, as an oracle
// tells it: priority × ageing - when it became ready.
func aged(priority int32, ready, ageing time.Duration) *big.Int {
	n := new(big.Int).Mul(big.NewInt(int64(priority)), big.NewInt(int64(ageing)))
	return n.Sub(n, big.NewInt(int64(ready)))
}

func TestAgeing_ATaskCountsForWhatItsWaitMakesOfIt(t *testing.T) {
	t.Parallel()
	type waiting struct {
		payload  string
		priority int32
		ready    time.Duration
	}
	for _, ageing := range []time.Duration{time.Millisecond, time.Second, 24 * time.Hour} {
		run(t, func(t *testing.T, e *queue.Engine) {
			q, c := declare(t, e, "q", reeve.QueueConfig{Ageing: ageing}), newClient(e)
			rnd, start := rand.New(rand.NewPCG(3, 4)), time.Now()
			all := []int32{math.MinInt32, math.MaxInt32, 0, 1, 2, 3, 4, -1, 50}
			var there []waiting
			for i := range 1500 {
				sleep(time.Duration(rnd.Int64N(int64(ageing))))
				if rnd.IntN(5) < 3 {
					w := waiting{fmt.Sprint(i), all[rnd.IntN(len(all))], time.Since(start)}
					c.mustAdd(t, q, reeve.Task{Priority: w.priority, Payload: []byte(w.payload), Type: fmt.Sprint(rnd.IntN(4))})
					there = append(there, w)
					continue
				}
				ts := c.take(t, q, 1)
				if len(ts) != min(1, len(there)) {
					t.Fatalf("%d tasks of %d", len(ts), len(there))
				}
				if len(ts) == 0 {
					continue
				}
				c.ok(t, c.ack(q, ts[0]))
				i := slices.IndexFunc(there, func(w waiting) bool { return w.payload == string(ts[0].Payload) })
				mine := aged(there[i].priority, there[i].ready, ageing)
				for _, o := range there {
					if aged(o.priority, o.ready, ageing).Cmp(mine) > 0 {
						t.Fatalf("%+v came before %+v at %v", there[i], o, time.Since(start))
					}
				}
				there = slices.Delete(there, i, i+1)
			}
		})
	}
}

func TestAgeing_BoundsTheWaitWhileHigherOnesKeepComing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Ageing: 5 * time.Second}), newClient(e)
		low := c.mustAdd(t, q, reeve.Task{})
		c.mustAdd(t, q, reeve.Task{Priority: 10})
		for i := 0; ; i++ {
			if c.take(t, q, 1)[0].ID == low {
				if i < 50 || i > 52 { // 10 priorities of 5 s each
					t.Fatalf("it waited %d s", i)
				}
				break
			}
			if i > 60 {
				t.Fatal("it starves")
			}
			c.mustAdd(t, q, reeve.Task{Priority: 10})
			sleep(time.Second)
		}
	})
}

func TestAgeing_LIFOWithTypesKeepsOneOrder(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) { // the checks look at it
		q, c := declare(t, e, "q", reeve.QueueConfig{Ageing: time.Second, LIFO: true}), newClient(e)
		rnd := rand.New(rand.NewPCG(5, 6))
		for range 500 {
			sleep(time.Duration(rnd.IntN(1000)) * time.Millisecond)
			c.mustAdd(t, q, reeve.Task{Priority: int32(rnd.IntN(4)), Type: fmt.Sprint(rnd.IntN(4))})
			if rnd.IntN(3) == 0 {
				c.take(t, q, 1)
			}
		}
	})
}

func TestReserve_AHighTaskStartsAtOnceWhateverLowOnesThereAre(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, p, a, b := declare(t, e, "q", reeve.QueueConfig{Reserve: reeve.Reserve{Slots: 2, Priority: 10}}), newClient(e), newClient(e), newClient(e)
		q.Consume(a.Holder, 1, 3, reeve.GetOptions{})
		second := q.Consume(b.Holder, 1, 2, reeve.GetOptions{})
		low, high := reeve.Task{Priority: 9}, reeve.Task{Priority: 10}
		want := func(lows, highs int) {
			t.Helper()
			var n [2]int
			for _, task := range append(a.seen(), b.seen()...) {
				n[task.Priority-9]++
			}
			if n != [2]int{lows, highs} {
				t.Fatalf("%d low, %d high tasks were handed over, want %d, %d", n[0], n[1], lows, highs)
			}
		}
		for range 10 {
			p.mustAdd(t, q, low)
		}
		want(3, 0)
		p.mustAdd(t, q, high)
		want(3, 1)
		p.mustAdd(t, q, high)
		want(3, 2)
		p.mustAdd(t, q, high) // no slot at all
		want(3, 2)
		for _, task := range append(a.seen(), b.seen()...) {
			if task.Priority == 9 {
				p.ok(t, p.ack(q, task)) // the slot goes to the high one that waits
				break
			}
		}
		want(3, 3)
		q.Get(newClient(e).Holder, &queue.GetOp{Max: 1, Tag: 1}) // takes no slot
		if s := q.Stats(); s.Leased != 6 || s.Ready != 6 {
			t.Fatalf("%+v", s)
		}
		second.Close()
		for _, task := range b.seen() { // they have no slots any more
			p.ok(t, p.ack(q, task))
		}
		if s := q.Stats(); s.Leased > 4 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestReserve_IsNeverExceededAndNeverKeepsAnyFromRunning(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		const reserve = 2
		q, p := declare(t, e, "q", reeve.QueueConfig{Reserve: reeve.Reserve{Slots: reserve, Priority: 1}}), newClient(e)
		rnd := rand.New(rand.NewPCG(7, 8))
		type consumer struct {
			*client
			handle *queue.Consumer
			slots  int
			ended  map[reeve.ID]bool
			closed bool
			lows   int // handed over, ever
		}
		var there []*consumer
		for range 1500 {
			switch rnd.IntN(10) {
			case 0, 1, 2, 3:
				p.mustAdd(t, q, reeve.Task{Priority: int32(rnd.IntN(2))})
			case 4:
				if len(there) < 4 {
					k := &consumer{client: newClient(e), slots: rnd.IntN(4), ended: map[reeve.ID]bool{}}
					k.handle = q.Consume(k.Holder, 1, k.slots, reeve.GetOptions{})
					there = append(there, k)
				}
			case 5:
				if len(there) > 0 {
					i := rnd.IntN(len(there))
					switch k := there[i]; rnd.IntN(3) {
					case 0:
						if !k.closed {
							k.slots = rnd.IntN(4)
						}
						k.handle.SetSlots(k.slots)
					case 1:
						k.handle.Close()
						k.slots, k.closed = 0, true
					case 2:
						k.Release(true)
						there = slices.Delete(there, i, i+1)
					}
				}
			default:
				if len(there) > 0 {
					k := there[rnd.IntN(len(there))]
					for _, task := range k.seen() {
						if !k.ended[task.ID] {
							k.ended[task.ID] = true
							k.ok(t, k.ack(q, task))
							break
						}
					}
				}
			}
			s := q.Stats()
			free, slots, low, started := 0, 0, 0, false
			for _, k := range there {
				used, lows := 0, 0
				for _, task := range k.seen() {
					if task.Priority == 0 {
						lows++
					}
					if !k.ended[task.ID] {
						used++
						if task.Priority == 0 && !k.closed {
							low++
						}
					}
				}
				free += max(0, k.slots-used)
				slots += k.slots
				started = started || lows > k.lows
				k.lows = lows
			}
			if started && low > slots-reserve {
				t.Fatalf("%d low tasks in %d slots of which %d are reserved", low, slots, reserve)
			}
			if ready, _ := q.List(&reeve.Filter{States: []reeve.State{reeve.StateReady}}, reeve.ListOptions{Max: 1000}); free > 0 {
				for _, task := range ready.Tasks {
					if task.Priority == 1 {
						t.Fatalf("a high task waits with %d free slots: %+v", free, s)
					}
					if low < slots-reserve {
						t.Fatalf("a low task waits with %d free slots, and %d low ones in %d slots", free, low, slots)
					}
				}
			}
		}
	})
}
