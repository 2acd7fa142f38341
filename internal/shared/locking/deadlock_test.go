package locking

import (
	"container/list"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reeveq/reeve/internal/shared"
)

// waitsFor are all owners for whom w waits, one step or many away, as the rules say
// it: those who hold what it wants, and, where there are readers, those before it, but
// for readers beside each other.
func waitsFor(sp *space, w *waiter, found map[owner]bool) {
	var next []owner
	for _, h := range w.gate.holds {
		if !(w.read && h.read) {
			next = append(next, h.owner)
		}
	}
	for e := w.gate.queue.Front(); e != nil && e.Value != w; e = e.Next() {
		if u := e.Value.(*waiter); w.gate.readers && !(w.read && u.read) {
			next = append(next, u.owner)
		}
	}
	for _, o := range next {
		if found[o] {
			continue
		}
		found[o] = true
		if s := sp.busy[o]; s != nil {
			for _, u := range s.waits {
				waitsFor(sp, u, found)
			}
		}
	}
}

// One who would wait for itself is found in any tangle of locks, and nobody else.
func TestDeadlock_IsFoundIfThereIsOne(t *testing.T) {
	t.Parallel()
	h := shared.New(shared.Config{})
	defer h.Close()
	client := h.NewCaller(shared.ClientID{}, shared.Who{Name: "A"}).Client()
	refused, waiting := 0, 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		sp := &space{busy: map[owner]*standing{}}
		var gates []*gate
		for i := range 6 {
			g := &gate{sp: sp, name: fmt.Sprint(i), queue: list.New(), tracked: true, readers: i%2 == 0}
			gates = append(gates, g)
		}
		someone := func() owner { return owner{client, uint64(r.IntN(14))} }
		for range 60 {
			g := gates[r.IntN(len(gates))]
			w := &waiter{gate: g, owner: someone(), read: g.readers && r.IntN(3) > 0}
			if r.IntN(4) == 0 {
				w.above = []owner{someone()}
			}
			beside := len(g.holds) == 0 || w.read && g.holds[0].read
			if g.queue.Len() == 0 && beside {
				g.holds = append(g.holds, &hold{owner: w.owner, read: w.read})
				sp.standing(w.owner).holds++
				continue
			}
			found := map[owner]bool{}
			waitsFor(sp, w, found)
			want := slices.ContainsFunc(w.owners(), func(o owner) bool { return found[o] })
			err := sp.deadlock(w)
			if (err != nil) != want {
				t.Fatalf("seed %d: %v waits for itself: %v; told: %v", seed, w.owner, want, err)
			}
			if err != nil {
				refused++
				continue
			}
			waiting++
			w.place = g.queue.PushBack(w)
			sp.waits(w)
		}
	}
	if refused < 1000 || waiting < 1000 {
		t.Errorf("%d are refused and %d wait: the test is of no use", refused, waiting)
	}
}

// BenchmarkDeadlock is the search for one who holds something and wants what many
// wait for.
func BenchmarkDeadlock(b *testing.B) {
	h := shared.New(shared.Config{})
	defer h.Close()
	client := h.NewCaller(shared.ClientID{}, shared.Who{Name: "A"}).Client()
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sp := &space{busy: map[owner]*standing{}}
			g := &gate{sp: sp, queue: list.New(), tracked: true, readers: true}
			for i := range n {
				o := owner{client, uint64(i)}
				g.holds = append(g.holds, &hold{owner: o, read: true})
				w := &waiter{gate: g, owner: owner{client, uint64(n + i)}, read: i%2 > 0}
				w.place = g.queue.PushBack(w)
				sp.waits(w)
			}
			me := owner{client, uint64(2 * n)}
			sp.standing(me).holds++
			for b.Loop() {
				if err := sp.deadlock(&waiter{gate: g, owner: me}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
