package queue

import (
	"math/rand/v2"
	"testing"

	"github.com/reeveq/reeve"
)

func TestTable_AgreesWithAMap(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	var b table
	want := map[reeve.ID]*task{}
	next := reeve.ID(1 << 40)
	for range 50_000 {
		switch id := next - reeve.ID(rnd.IntN(3000)); {
		case rnd.IntN(5) < 2:
			next += reeve.ID(1 + rnd.IntN(9)) // other queues take ids, too
			x := &task{id: next}
			b.add(x)
			want[next] = x
		case b.get(id) != want[id]:
			t.Fatalf("id %v: %v, want %v", id, b.get(id), want[id])
		case want[id] != nil:
			b.remove(id)
			delete(want, id)
		}
	}
	n := 0
	for x := range b.all() {
		n++
		if want[x.id] != x {
			t.Fatal("a task that was removed")
		}
	}
	if n != len(want) || b.n != n {
		t.Fatalf("%d tasks, counted %d, want %d", n, b.n, len(want))
	}
}

func TestTable_GivesBackItsMemoryAfterAFlood(t *testing.T) {
	t.Parallel()
	var b table
	const n = 200_000
	for id := range reeve.ID(n) {
		b.add(&task{id: id + 1})
	}
	for x := range b.all() {
		if x.id%1000 != 0 {
			b.remove(x.id)
		}
	}
	if b.n != n/1000 || b.peak > n>>pageBits/16+1 {
		t.Fatalf("%d tasks in a map that held %d pages", b.n, b.peak)
	}
	for id := reeve.ID(1000); id <= n; id += 1000 {
		if b.get(id) == nil {
			t.Fatalf("task %v is gone", id)
		}
	}
}
