package file

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reeveq/reeve/journal"
)

// What a tool finds is what the owner would have found; and salvage finds all
// that was not damaged, whatever is wrong with the rest.
func TestDamage_CheckAgreesAndSalvageBringsTheRest(t *testing.T) {
	t.Parallel()
	seed := *cutSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	rng := rand.New(rand.NewPCG(seed, 8))
	for round := 0; round < damageRounds/10; {
		im := newImage(t, rng, rng.IntN(2) == 0)
		for range 20 {
			round++
			fs, dir := im.fs.clone(rng), t.TempDir()
			d := doHarm(fs, rng)
			fs.export(t, dir)
			said, err := im.inspect(fs, d)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Check(dir)
			if (err != nil) != said {
				t.Errorf("%v: reported when opened %v; Check: %v", d, said, err)
			}
			if err != nil {
				err = tidy(err)
			} else if r.Last > im.m.last || r.Frames != int64(r.Last+1-r.First) {
				err = broken("Check found %d frames, %d to %d", r.Frames, r.First, r.Last)
			}
			if err == nil {
				err = im.salvage(dir, d)
			}
			if err != nil || t.Failed() {
				t.Fatalf("closed %v, %v: %v\nframes %d to %d; seed %d, round %d: again with -cut.seed",
					im.closed, d, err, im.m.first, im.m.last, seed, round)
			}
		}
	}
}

// salvage returns which undamaged frame it has not brought.
func (im *image) salvage(dir string, d harm) error {
	sv, err := newSalvager(dir, lookFS{})
	if err != nil {
		return err
	}
	to := newCrashFS(im.fs.rng)
	if sv.to, err = open(crashDir, small, to); err != nil {
		return err
	}
	err = sv.run()
	if err := errors.Join(err, sv.to.Close()); err != nil {
		return err
	}
	j, err := open(crashDir, small, to)
	if err != nil {
		return err
	}
	defer j.Close() // nothing was appended
	got, _, err := replay(j)
	if err != nil {
		return err
	}
	known := make(map[string]journal.Pos)
	for p, b := range im.m.frames {
		known[string(b)] = p
	}
	brought := make(map[journal.Pos]bool)
	last := journal.Pos(0)
	for _, h := range got {
		p := known[string(h.data)]
		if p <= last {
			return broken("frame %d is brought behind frame %d (0: never appended)", p, last)
		}
		brought[p], last = true, p
	}
	if r := sv.report; r.Frames != int64(len(got)) || r.Last != last {
		return broken("the report tells of %d frames up to %d: %d up to %d were brought", r.Frames, r.Last, len(got), last)
	}
	for p := im.m.first; p <= im.m.last; p++ {
		if !brought[p] && (d.moved || !d.hits(im.at[p])) {
			return broken("frame %d is not brought, which was not damaged", p)
		}
	}
	return nil
}
