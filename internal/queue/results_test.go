package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reeveq/reeve"
)

// ended is a result that counts for size bytes.
func ended(id reeve.ID, size int64) reeve.Result {
	return reeve.Result{ID: id, Queue: "q", State: reeve.StateDone, Payload: make([]byte, size-reeve.TaskOverhead)}
}

// The model: a plain map that is looked through at every step.
func TestResults_AgreesWithAMap(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(11, 12))
	s := results{most: 20_000}
	type entry struct{ size, until int64 }
	want := map[reeve.ID]entry{}
	now, next := int64(0), int64(0)
	for range 20_000 {
		now += rnd.Int64N(4)
		id := reeve.ID(rnd.IntN(200) + 1)
		r, ok := s.get(id, now)
		if e, wantOK := want[id]; ok != (wantOK && e.until > now) || ok && (r.ID != id || resultSize(&r) != e.size) {
			t.Fatalf("%v at %d: %v %v, want %v", id, now, ok, r, e)
		}
		switch rnd.IntN(4) {
		case 0, 1:
			next++ // no two end together, so that it is clear which goes first
			e := entry{256 + rnd.Int64N(3000), next*8 + rnd.Int64N(500)*8}
			for slices.ContainsFunc(ends(want, func(e entry) int64 { return e.until }), func(u int64) bool { return u == e.until }) {
				e.until++
			}
			s.add(ended(id, e.size), now, e.until)
			delete(want, id)
			if e.until <= now {
				break
			}
			want[id] = e
			for total(want, func(e entry) int64 { return e.size }) > s.most {
				first := reeve.ID(0)
				for id2, e2 := range want {
					if id2 != id && (first == 0 || e2.until < want[first].until) {
						first = id2
					}
				}
				delete(want, first)
			}
		case 2:
			s.remove(id)
			delete(want, id)
		case 3:
			n, most := s.len(), rnd.IntN(4)
			s.expire(now, most)
			if n-s.len() > most || n-s.len() < most && s.nextDue() <= now {
				t.Fatalf("%d of at most %d forgotten, next is due %d at %d", n-s.len(), most, s.nextDue(), now)
			}
			for id, e := range want {
				if e.until <= now && s.ids[id] == nil {
					delete(want, id)
				}
			}
		}
		if s.len() != len(want) || s.bytes() != total(want, func(e entry) int64 { return e.size }) || s.bytes() > s.most {
			t.Fatalf("%d of %d bytes, want %d of %d", s.len(), s.bytes(), len(want), total(want, func(e entry) int64 { return e.size }))
		}
	}
	if s.early == 0 {
		t.Fatal("the memory was never short")
	}
}

func ends[E any](m map[reeve.ID]E, f func(E) int64) []int64 {
	var list []int64
	for _, e := range m {
		list = append(list, f(e))
	}
	return list
}

func total[E any](m map[reeve.ID]E, f func(E) int64) int64 {
	n := int64(0)
	for _, x := range ends(m, f) {
		n += x
	}
	return n
}

func TestResults_ThoseThatEndFirstGoFirstForRoom(t *testing.T) {
	t.Parallel()
	s := results{most: 1000}
	s.add(ended(1, 400), 0, 50)
	s.add(ended(2, 400), 0, 40)
	s.add(ended(3, 400), 0, 60)
	if _, ok := s.get(2, 0); ok || s.early != 1 || s.bytes() != 800 {
		t.Fatalf("%d early, %d bytes", s.early, s.bytes())
	}
	s.add(ended(4, 400), 55, 90) // 1 is over: not early
	if _, ok := s.get(1, 0); ok || s.early != 1 || s.len() != 2 {
		t.Fatalf("%d early, %d kept", s.early, s.len())
	}
	s.add(ended(5, 1001), 55, 90) // never fits: and costs nobody's place
	if _, ok := s.get(5, 55); ok || s.early != 2 || s.len() != 2 {
		t.Fatalf("%d early, %d kept", s.early, s.len())
	}
	s.add(ended(3, 300), 55, 70) // in place of its own
	if s.len() != 2 || s.bytes() != 700 || s.nextDue() != 70 {
		t.Fatalf("%d kept, %d bytes, due %d", s.len(), s.bytes(), s.nextDue())
	}
}

func TestResults_AreGoneAtTheMomentTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	s := results{most: 1 << 20}
	s.add(reeve.Result{ID: 7, Reason: "because", Error: "it", Type: "t"}, 0, 100)
	if r, ok := s.get(7, 99); !ok || r.Reason != "because" || s.bytes() != 256+10 {
		t.Fatalf("%v %v, %d bytes", r, ok, s.bytes())
	}
	if _, ok := s.get(7, 100); ok {
		t.Fatal("there at its end")
	}
	if s.expire(99, 9); s.len() != 1 {
		t.Fatal("forgotten too early")
	}
	if s.expire(100, 9); s.len() != 0 || s.bytes() != 0 || s.nextDue() != never || s.early != 0 {
		t.Fatalf("%d kept, %d bytes", s.len(), s.bytes())
	}
	s.add(ended(8, 256), 100, 100)
	if s.len() != 0 {
		t.Fatal("one that is over already is kept")
	}
}

func TestResults_TakeNoMoreThanTheyCountForAndGiveItBack(t *testing.T) {
	before := heapInUse()
	const n = 200_000
	s := results{most: n * 300}
	for i := range n {
		s.add(ended(reeve.ID(i+1), 300), 0, int64(i+1))
	}
	held := heapInUse() - before
	if s.len() != n || held > s.bytes() {
		t.Errorf("%d outcomes take %d bytes, and count for %d", s.len(), held, s.bytes())
	}
	s.expire(n-50, n)
	if left := heapInUse() - before; s.len() != 50 || left > held/20 {
		t.Errorf("%d of %d outcomes take %d bytes; all took %d", s.len(), n, left, held)
	}
	if _, ok := s.get(n, 0); !ok {
		t.Error("one that is kept is gone")
	}
}

// BenchmarkResults adds one, and one goes for it.
func BenchmarkResults(b *testing.B) {
	for _, n := range []int64{1000, 1_000_000} {
		b.Run(fmt.Sprintf("kept=%d", n), func(b *testing.B) {
			s := results{most: n * reeve.TaskOverhead}
			id := int64(0)
			add := func() {
				id++
				s.add(reeve.Result{ID: reeve.ID(id)}, id, id+2*n)
			}
			for range n {
				add()
			}
			b.ReportAllocs()
			for b.Loop() {
				add()
			}
		})
	}
}
