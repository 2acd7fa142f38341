package pool

import (
	"math/rand/v2"
	"testing"

	"github.com/reeveq/reeve"
)

// nobody is a receiver that counts what it is told.
type nobody struct{ told []int }

func (n *nobody) over(i int, _ []byte, _ error) { n.told[i]++ }

// TestLive_EveryInputIsToldOnceWhoeverEndsItFirst takes inputs of several
// receivers, and ends them one by one and together, in any order.
func TestLive_EveryInputIsToldOnceWhoeverEndsItFirst(t *testing.T) {
	const inputs = 40
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		c := newCore(nil, nil, Config{}.withDefaults(), nil)
		var all []*item
		var whose []*nobody
		for range 4 {
			n := &nobody{told: make([]int, inputs)}
			whose = append(whose, n)
			for i := range inputs {
				all = append(all, &item{to: n, at: i, id: reeve.ID(len(all) + 1)})
			}
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, it := range all {
			c.liveLocked(it)
			c.held++
		}
		gone := map[reeve.ID]bool{}
		for i, it := range all {
			c.finish(it, nil, nil)
			if i == len(all)/2 || r.IntN(len(all)) == 0 {
				for _, id := range c.abandon(whose[r.IntN(len(whose))], errTerminated) {
					gone[id] = true
				}
			}
			if i == 3*len(all)/4 {
				for _, id := range c.abandon(nil, errTerminated) {
					gone[id] = true
				}
			}
		}
		for k, n := range whose {
			for i, times := range n.told {
				if times != 1 {
					t.Fatalf("seed %d: input %d of receiver %d was told %d times", seed, i, k, times)
				}
			}
		}
		if len(c.live) != 0 || c.held != 0 || len(gone) == 0 || len(gone) == len(all) {
			t.Fatalf("seed %d: %d receivers have live inputs, %d are held, %d were given up", seed, len(c.live), c.held, len(gone))
		}
	}
}
