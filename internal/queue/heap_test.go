package queue

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDueHeap_GivesOutInOrderWhateverLeavesFromTheMiddle(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var h dueHeap
		var in []*task
		var want []int64
		for range rnd.IntN(300) {
			if len(in) > 0 && rnd.IntN(3) == 0 {
				i := rnd.IntN(len(in))
				h.remove(in[i])
				if in[i].heap != -1 {
					t.Fatal("a task that left still knows a place")
				}
				in = slices.Delete(in, i, i+1)
				continue
			}
			x := &task{due: rnd.Int64N(50)}
			h.add(x)
			in = append(in, x)
		}
		for _, x := range in {
			want = append(want, x.due)
			if h[x.heap].t != x {
				t.Fatal("a task does not know its place")
			}
		}
		slices.Sort(want)
		for _, due := range want {
			if h[0].due != due {
				t.Fatalf("got %d, want %d", h[0].due, due)
			}
			h.remove(h[0].t)
		}
		if len(h) != 0 {
			t.Fatal("something is left")
		}
	}
}

func TestDueHeap_GivesBackItsMemoryAfterAFlood(t *testing.T) {
	t.Parallel()
	var h dueHeap
	for i := range 100_000 {
		h.add(&task{due: int64(i)})
	}
	for len(h) > 10 {
		h.remove(h[len(h)/2].t)
	}
	if cap(h) > 1<<13 {
		t.Fatalf("10 tasks in room for %d", cap(h))
	}
	for i := int64(1); len(h) > 0; i++ {
		if len(h) > 1 && h[0].due > h[1].due {
			t.Fatal("out of order")
		}
		h.remove(h[0].t)
	}
}
