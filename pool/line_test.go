package pool

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A line and a plain list are the same, whatever is done to them.
func TestLine_IsAListThatIsTakenFromInOrderAndOutOfTurn(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2))
	var l line
	var list []*item
	for step := range 20_000 {
		switch n := dice.IntN(10); {
		case n < 5 || n < 8 && step%4000 < 2000:
			it := &item{at: step}
			l.push(it)
			list = append(list, it)
		case n < 9:
			want := (*item)(nil)
			if len(list) > 0 {
				want, list = list[0], list[1:]
			}
			if got := l.pop(); got != want {
				t.Fatalf("step %d: pop: %v, want %v", step, got, want)
			}
		default:
			some := l.round(1 + dice.IntN(8))
			gone := &item{at: -1}
			if taken := l.take(append(some, gone)); !slices.Equal(taken, some) {
				t.Fatalf("step %d: took %d of %d", step, len(taken), len(some))
			}
			list = slices.DeleteFunc(list, func(it *item) bool { return slices.Contains(some, it) })
		}
		if l.len() != len(list) {
			t.Fatalf("step %d: %d, want %d", step, l.len(), len(list))
		}
	}
	for _, want := range list {
		if got := l.pop(); got != want {
			t.Fatalf("at the end: %v, want %v", got, want)
		}
	}
}

func TestLine_RoundsSeeAllInTurn(t *testing.T) {
	t.Parallel()
	var l line
	for i := range 10 {
		l.push(&item{at: i})
	}
	seen := map[int]int{}
	for range 8 {
		for _, it := range l.round(3) {
			seen[it.at]++
		}
	}
	if len(seen) != 10 {
		t.Errorf("%v", seen)
	}
	for at, n := range seen {
		if n < 2 || n > 3 {
			t.Errorf("%d was seen %d times", at, n)
		}
	}
}
