package proxy

import (
	"math/rand/v2"
	"testing"

	"github.com/reeveq/reeve"
)

func TestLeases_AreWhatAMapHolds(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	var table leases
	model := map[reeve.ID]*reeve.Lease{}
	for step := range 20_000 {
		id := reeve.ID(1 + random.IntN(200))
		if random.IntN(4) == 0 {
			id <<= 40
		}
		switch h := table.at(id); {
		case (h == nil) != (model[id] == nil) || h != nil && h.lease != model[id]:
			t.Fatalf("seed %d, step %d: task %v differs", seed, step, id)
		case h != nil:
			table.remove(id)
			delete(model, id)
		default:
			model[id] = reeve.NewLease("tasks", reeve.Task{ID: id}, nil)
			table.add(id, held{lease: model[id]})
		}
		if table.n != len(model) {
			t.Fatalf("seed %d, step %d: %d entries, want %d", seed, step, table.n, len(model))
		}
		if step%1000 == 0 {
			n := 0
			for h := range table.all() {
				if n++; model[h.lease.ID] != h.lease {
					t.Fatalf("seed %d, step %d: task %v stands", seed, step, h.lease.ID)
				}
			}
			if n != len(model) {
				t.Fatalf("seed %d, step %d: %d stand, want %d", seed, step, n, len(model))
			}
		}
	}
}
