package queue

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reeveq/reeve"
)

// checkOrder fails when a page is not in its place, or too many are noted.
func checkOrder(t *testing.T, b *table) {
	t.Helper()
	o := &b.order
	if gone := o.gone(b.pages); gone < 0 || gone > len(b.pages)+64+1 {
		t.Fatalf("%d pages, %d more noted", len(b.pages), gone)
	}
	nos := o.nos[o.head:]
	for i := range nos {
		if i > 0 && nos[i] <= nos[i-1] {
			t.Fatalf("page %d comes after page %d", nos[i], nos[i-1])
		}
	}
	for no := range b.pages {
		if _, ok := slices.BinarySearch(nos, no); !ok && !slices.Contains(o.late, no) {
			t.Fatalf("page %d is not noted", no)
		}
	}
}

func TestTableFrom_GoesInOrderWhateverCameAndWent(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(15, 16))
	for range 60 {
		var b table
		want := map[reeve.ID]*task{}
		put := func(id reeve.ID) {
			if want[id] == nil {
				want[id] = &task{id: id}
				b.add(want[id])
			}
		}
		next := reeve.ID(1 << 30)
		sparse, old, gone := 1+rnd.IntN(40), rnd.IntN(4), 1+rnd.IntN(4)
		for range rnd.IntN(4000) {
			switch k := rnd.IntN(8); {
			case k < 4:
				next += reeve.ID(1 + rnd.IntN(sparse))
				put(next)
			case k == 4 && old > 0: // from another queue
				put(next - reeve.ID(rnd.IntN(20_000)))
			case k > 4 && rnd.IntN(gone) > 0:
				for id := range want { // any
					b.remove(id)
					delete(want, id)
					break
				}
			}
			if rnd.IntN(200) == 0 {
				for range b.from(next - reeve.ID(rnd.IntN(20_000))) {
					break
				}
				checkOrder(t, &b)
			}
		}
		checkOrder(t, &b)
		ids := make([]reeve.ID, 0, len(want))
		for id := range want {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, after := range []reeve.ID{0, next - 5000, next - 1, next, math.MaxUint64, reeve.ID(rnd.Uint64N(uint64(next)))} {
			i, _ := slices.BinarySearch(ids, after+1)
			if after == math.MaxUint64 {
				i = len(ids)
			}
			var got []reeve.ID
			for x := range b.from(after) {
				got = append(got, x.id)
			}
			if !slices.Equal(got, ids[i:]) {
				t.Fatalf("after %v: %d tasks, want %d", after, len(got), len(ids)-i)
			}
		}
	}
}

// Tasks that are there all the while are seen once each, in order, and no task
// is seen that is not there.
func TestTableFrom_StandsThatTasksComeAndGoMeanwhile(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(17, 18))
	for range 100 {
		var b table
		there, stay := map[reeve.ID]*task{}, map[reeve.ID]bool{}
		put := func(id reeve.ID) {
			if there[id] == nil {
				there[id] = &task{id: id}
				b.add(there[id])
			}
		}
		for id := reeve.ID(1000); id < 3000; id += reeve.ID(1 + rnd.IntN(30)) {
			put(id)
			stay[id] = rnd.IntN(3) == 0
		}
		last := reeve.ID(0)
		for x := range b.from(0) {
			if x.id <= last || there[x.id] != x {
				t.Fatalf("task %v after %v; it is there: %v", x.id, last, there[x.id] == x)
			}
			last = x.id
			delete(stay, x.id)
			b.remove(x.id)
			delete(there, x.id)
			for range rnd.IntN(3) {
				put(reeve.ID(1 + rnd.IntN(4000)))
			}
			for id := range there {
				if !stay[id] {
					b.remove(id)
					delete(there, id)
				}
				break
			}
		}
		for id, must := range stay {
			if must {
				t.Fatalf("task %v was not seen", id)
			}
		}
		checkOrder(t, &b)
	}
}

func TestTableOrder_TakesLittleMemoryAndGivesItBack(t *testing.T) {
	t.Parallel()
	var b table
	const n = 200_000
	room := func() int { return 8 * (cap(b.order.nos) + cap(b.order.late)) }
	for i := range 5 * n { // as many come and go as stand there
		b.add(&task{id: reeve.ID(i + 1)})
		if i >= n {
			b.remove(reeve.ID(i - n + 1))
		}
	}
	if room() > 2*n {
		t.Fatalf("%d bytes for %d tasks", room(), n)
	}
	for i := range n { // as many with older ids, as from another queue
		b.add(&task{id: reeve.ID(3*n + i)})
	}
	for i := range n { // and all but a few go, in no order
		if id := reeve.ID(4*n + (i*7919)%n + 1); id%1000 != 0 {
			b.remove(id)
		}
		b.remove(reeve.ID(3*n + (i*7919)%n))
	}
	checkOrder(t, &b)
	if b.n != n/1000 || room() > 1<<14 {
		t.Fatalf("%d bytes for %d tasks", room(), b.n)
	}
	last := reeve.ID(0)
	for x := range b.from(0) {
		if x.id != last+1000 && last > 0 {
			t.Fatalf("task %v after %v", x.id, last)
		}
		last = x.id
	}
	if last != 5*n {
		t.Fatalf("the last is %v", last)
	}
}

// BenchmarkTable adds a task and removes one, of so many: the oldest, the
// newest, or any.
func BenchmarkTable(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		for _, order := range []string{"oldest", "newest", "any"} {
			b.Run(order+"/"+sizeName(n), func(b *testing.B) {
				rnd := rand.New(rand.NewPCG(1, 2))
				var tab table
				ring := make([]*task, n)
				id := reeve.ID(0)
				for i := range ring {
					id++
					ring[i] = &task{id: id}
					tab.add(ring[i])
				}
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					id++
					switch order {
					case "oldest":
						i = int(id) % n
					case "newest":
						i = n - 1
					default:
						i = rnd.IntN(n)
					}
					t := ring[i]
					tab.remove(t.id)
					t.id = id
					tab.add(t)
				}
			})
		}
	}
}

// BenchmarkTableOne adds the only task and removes it.
func BenchmarkTableOne(b *testing.B) {
	var tab table
	t := &task{}
	b.ReportAllocs()
	for b.Loop() {
		t.id++
		tab.add(t)
		tab.remove(t.id)
	}
}

// BenchmarkTableFill adds 100,000 tasks and removes them in the same order.
func BenchmarkTableFill(b *testing.B) {
	ts := make([]task, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		var tab table
		for i := range ts {
			ts[i].id = reeve.ID(i + 1)
			tab.add(&ts[i])
		}
		for i := range ts {
			tab.remove(ts[i].id)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ts)), "ns/task")
}

// BenchmarkTableFrom goes through a million tasks.
func BenchmarkTableFrom(b *testing.B) {
	const n = 1_000_000
	var tab table
	for i := range n {
		tab.add(&task{id: reeve.ID(i + 1)})
	}
	for b.Loop() {
		for range tab.from(0) {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/task")
}
