package queue

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTimeHeap_GivesOutInOrderWhateverLeavesOrChangesItsTime(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var h timeHeap[int64] // the value is the time, to compare with
		var in []*timed[int64]
		for range rnd.IntN(300) {
			switch i := rnd.IntN(max(1, len(in))); {
			case len(in) > 0 && rnd.IntN(3) == 0:
				h.remove(in[i])
				if in[i].in() {
					t.Fatal("one that left still knows a place")
				}
				in = slices.Delete(in, i, i+1)
			case len(in) > 0 && rnd.IntN(3) == 0:
				in[i].of = rnd.Int64N(50)
				h.fix(in[i], in[i].of)
			default:
				x := &timed[int64]{of: rnd.Int64N(50)}
				h.add(x, x.of)
				in = append(in, x)
			}
		}
		var want []int64
		for _, x := range in {
			want = append(want, x.of)
			if !x.in() || h.when(x) != x.of {
				t.Fatal("one does not know its place")
			}
		}
		slices.Sort(want)
		for _, at := range want {
			if h.next() != at || h.head().of != at {
				t.Fatalf("got %d, want %d", h.next(), at)
			}
			h.remove(h.head())
		}
		if h.len() != 0 || h.head() != nil || h.next() != never {
			t.Fatal("something is left")
		}
	}
}

func TestTimeHeap_GivesBackItsMemoryAfterAFlood(t *testing.T) {
	t.Parallel()
	var h timeHeap[int]
	for i := range 100_000 {
		h.add(&timed[int]{of: i}, int64(i))
	}
	for h.len() > 10 {
		h.remove(h.list[h.len()/2].el)
	}
	if cap(h.list) > 1<<11 {
		t.Fatalf("10 in room for %d", cap(h.list))
	}
	for last := int64(-1); h.len() > 0; h.remove(h.head()) {
		if h.next() <= last {
			t.Fatal("out of order")
		}
		last = h.next()
	}
}

// BenchmarkTimeHeap adds one and takes the earliest out, of so many.
func BenchmarkTimeHeap(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(sizeName(n), func(b *testing.B) {
			rnd := rand.New(rand.NewPCG(1, 2))
			var h timeHeap[int]
			for range n {
				h.add(&timed[int]{}, rnd.Int64N(1<<40))
			}
			b.ReportAllocs()
			for b.Loop() {
				x := h.head()
				at := h.next()
				h.remove(x)
				h.add(x, at+rnd.Int64N(1<<40))
			}
		})
	}
}

// BenchmarkDueHeap does the same with tasks in a dueHeap.
func BenchmarkDueHeap(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(sizeName(n), func(b *testing.B) {
			rnd := rand.New(rand.NewPCG(1, 2))
			var h dueHeap
			for range n {
				h.add(&task{due: rnd.Int64N(1 << 40)})
			}
			b.ReportAllocs()
			for b.Loop() {
				x := h[0].t
				h.remove(x)
				x.due += rnd.Int64N(1 << 40)
				h.add(x)
			}
		})
	}
}

func sizeName(n int) string {
	if n >= 1_000_000 {
		return "n=1M"
	}
	return "n=1k"
}
