package journaltest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reeveq/reeve/journal"
)

var (
	modelSeed   = flag.Uint64("journaltest.seed", 0, "first seed of the random test of journals; 0: by the clock")
	modelRounds = flag.Int("journaltest.rounds", 6, "rounds of the random test of journals, one seed each")
)

// model does everything at random to a journal and to a slice.
func model(t *trial) {
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for i := range *modelRounds {
		t.randomly(i, seed+uint64(i))
		if t.Failed() {
			return
		}
	}
}

// randomly is one round. What a seed does depends on the hooks that there are,
// and on nothing else.
func (t *trial) randomly(round int, seed uint64) {
	b := t.book("model-" + strings.Repeat("x", round))
	b.rand = rand.New(rand.NewPCG(seed, 1))
	var done []string
	defer func() {
		if t.Failed() {
			t.Logf("-journaltest.seed=%d; the last of %d steps: %s", seed, len(done), strings.Join(done[max(0, len(done)-25):], ", "))
		}
	}()
	steps := b.steps()
	for range 200 {
		at := b.rand.IntN(100)
		for _, s := range steps {
			if at -= s.weight; at < 0 {
				done = append(done, fmt.Sprintf("%s at %d", s.name, b.last()))
				s.do()
				break
			}
		}
		if t.Failed() {
			return
		}
	}
	b.readAll()
	b.close()
	b.reopen()
	b.readAll()
	b.close()
}

type step struct {
	name   string
	weight int // of 100
	do     func()
}

func (b *book) steps() []step {
	reopen := func() {
		b.close()
		b.reopen()
	}
	kill, powerCut := reopen, reopen
	if b.Kill != nil {
		kill = func() {
			b.kill()
			b.reopen()
		}
	}
	if b.PowerCut != nil {
		powerCut = b.powerCut
	}
	return []step{
		{"append", 30, func() { b.appendSome(1, 300) }},
		{"append many", 10, func() { b.appendSome(1+b.rand.IntN(20), 2000) }},
		{"append much", 4, func() { b.appendSome(1, min(b.MaxFrame, 200_000)) }},
		{"sync", 16, b.sync},
		{"read", 18, func() {
			for range 1 + b.rand.IntN(10) {
				if b.last() > 0 {
					b.read(1 + journal.Pos(b.rand.IntN(len(b.frames))))
				}
			}
		}},
		{"read all", 2, b.readAll},
		{"trim", 6, func() { b.trim(1 + journal.Pos(b.rand.IntN(len(b.frames)+1))) }},
		{"trim all", 2, func() { b.trim(b.last() + 1) }},
		{"reopen", 4, reopen},
		{"kill", 4, kill},
		{"power cut", 4, powerCut},
	}
}
