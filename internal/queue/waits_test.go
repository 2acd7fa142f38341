package queue

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reeveq/reeve"
)

func TestWaits_AgreesWithASlice(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(13, 14))
	holds := []*hold{{}, {}, {}}
	for range 100 {
		var s waits
		var want []*wait
		expect := func(what string, got []*wait, mine func(*wait) bool) {
			var left, taken []*wait
			for _, w := range want {
				if mine(w) {
					taken = append(taken, w)
				} else {
					left = append(left, w)
				}
			}
			want = left
			if !slices.Equal(got, taken) {
				t.Fatalf("%s gave %d, want %d, in the order in which they came", what, len(got), len(taken))
			}
			for _, w := range got {
				if w.listed {
					t.Fatal("one that was taken still waits")
				}
			}
		}
		for range rnd.IntN(500) {
			switch id := reeve.ID(rnd.IntN(20)); rnd.IntN(8) {
			case 0, 1, 2, 3, 4:
				want = append(want, s.add(holds[rnd.IntN(3)], &WaitOp{ID: id, Tag: rnd.Uint64N(5)}))
			case 5:
				if len(want) > 0 {
					w := want[rnd.IntN(len(want))]
					s.drop(w)
					expect("drop", []*wait{w}, func(o *wait) bool { return o == w })
				}
			case 6:
				expect("take", slices.Collect(s.take(id)), func(w *wait) bool { return w.op.ID == id })
			case 7:
				if k := holds[rnd.IntN(3)]; rnd.IntN(10) == 0 {
					expect("takeOf", slices.Collect(s.takeOf(k)), func(w *wait) bool { return w.hold == k })
				}
			}
			if s.len() != len(want) {
				t.Fatalf("%d wait, want %d", s.len(), len(want))
			}
		}
		got := slices.Collect(s.takeAll())
		if len(got) != len(want) || s.len() != 0 || len(s.ids)+len(s.holds) != 0 {
			t.Fatalf("%d were taken of %d, %d are left", len(got), len(want), s.len())
		}
		for _, w := range want {
			if w.listed || !slices.Contains(got, w) {
				t.Fatal("one was not taken")
			}
		}
	}
}

func TestWaits_GiveBackTheirMemoryAfterAFlood(t *testing.T) {
	t.Parallel()
	var s waits
	k := &hold{}
	const n = 100_000
	for id := range reeve.ID(n) {
		s.add(k, &WaitOp{ID: id})
	}
	for id := range reeve.ID(n - 10) {
		for range s.take(id) {
		}
	}
	if s.len() != 10 || s.crowd > n/16 {
		t.Fatalf("%d wait, in maps for %d", s.len(), s.crowd)
	}
	n10 := 0
	for range s.takeOf(k) {
		n10++
	}
	if n10 != 10 || s.len() != 0 {
		t.Fatalf("%d were left", n10)
	}
}
