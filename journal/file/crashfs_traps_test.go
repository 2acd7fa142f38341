package file

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// The places where logs are known to break. Each script is cut at each of its
// steps, several times with another outcome; then opening is cut; then the
// journal goes on for more than a segment, and is cut and opened once more.
var traps = map[string]func(d *onDisk) error{
	// The header of the new segment is torn or its name is lost, the segment
	// before has its seal; what is written then must not stand behind the seal.
	"rotation": func(d *onDisk) error { return d.tryPut(12, 15_000) },

	// Several segments are begun with nothing synced by the journal's owner.
	"rotation without a sync": func(d *onDisk) error {
		for range 16 {
			if err := d.append(12_000, journal.AppendOptions{}); err != nil {
				return err
			}
		}
		return d.sync()
	},

	"a frame larger than a segment": func(d *onDisk) error {
		for _, n := range []int{300, 100_000, 300, 70_000, 70_000, 300} {
			if err := d.tryPut(1, n); err != nil {
				return err
			}
		}
		return nil
	},

	// Segments go one by one, the oldest first; all of them, too.
	"trimming": func(d *onDisk) error {
		for range 3 {
			if err := d.tryPut(10, 15_000); err != nil {
				return err
			}
			if err := d.trim(d.m.last - 3); err != nil {
				return err
			}
		}
		if err := d.trim(d.m.last + 1); err != nil {
			return err
		}
		return d.tryPut(3, 300)
	},

	// CLEAN is written, is removed, and its removal is lost although more was
	// written behind.
	"close and open": func(d *onDisk) error {
		for range 3 {
			if err := d.tryPut(5, 300); err != nil {
				return err
			}
			if err := d.close(); err != nil {
				return err
			}
			if err := d.tryOpen(); err != nil {
				return err
			}
		}
		return d.tryPut(2, 300)
	},

	// The reserve becomes a segment, and is made again.
	"reserve": func(d *onDisk) error {
		d.fs.budget = d.fs.used + 20_000
		for _, o := range []journal.AppendOptions{{}, reserved} {
			for {
				err := d.append(3000, o)
				if errors.Is(err, reeve.ErrJournalFull) {
					break
				}
				if err == nil {
					err = d.sync()
				}
				if err != nil {
					return err
				}
			}
		}
		d.fs.budget = 0
		if err := d.tryPut(5, 3000); err != nil {
			return err
		}
		if err := d.trim(d.m.last); err != nil {
			return err
		}
		return d.tryPut(5, 3000)
	},
}

func TestPowerCut_AtEveryStepOfWhatIsKnownToBreak(t *testing.T) {
	t.Parallel()
	for name, script := range traps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(trapSeeds) {
				for n := 1; ; n++ {
					done, err := spring(t, script, n, seed)
					if err != nil {
						t.Fatalf("cut at step %d, seed %d: %v", n, seed, err)
					}
					if done {
						if n < 10 {
							t.Errorf("%d steps only", n)
						}
						break
					}
				}
			}
		})
	}
}

// spring runs a script with a cut at its n-th step, unless it is done before.
func spring(t *testing.T, script func(d *onDisk) error, n int, seed uint64) (done bool, err error) {
	d := &onDisk{t: t, fs: newCrashFS(rand.New(rand.NewPCG(seed, uint64(n)))), m: newModel()}
	d.fs.cutAt = n
	if err = d.tryOpen(); err == nil {
		err = script(d)
	}
	if done = !d.fs.off(); done && err != nil {
		return true, err
	}
	if errors.Is(err, journal.ErrCorrupt) || errors.Is(err, errBroken) {
		return false, err
	}
	for again := range 3 {
		d.fs = d.fs.survive(d.fs.rng)
		if d.j != nil {
			d.j.Close() // an error: the power is gone
		}
		if again == 0 {
			d.fs.cutAt = 1 + d.fs.rng.IntN(12)
		}
		err := d.tryOpen()
		if d.fs.off() && !errors.Is(err, journal.ErrCorrupt) && !errors.Is(err, errBroken) {
			continue
		}
		if err != nil {
			return done, fmt.Errorf("open %d: %w", again+1, err)
		}
		d.fs.cutAt = 0
		if err := d.tryPut(2, 300); err != nil {
			return done, fmt.Errorf("put %d: %w", again+1, err)
		}
		for range 3 + seed%8 {
			if err := d.append(9000, journal.AppendOptions{}); err != nil {
				return done, fmt.Errorf("put %d: %w", again+1, err)
			}
		}
	}
	return done, d.close()
}

// FIRST is written in place, twice: a cut harms one copy, and the next cut,
// while that is repaired, must not harm the other.
func TestPowerCut_FirstSurvivesTwoInARow(t *testing.T) {
	t.Parallel()
	d := newOnDisk(t, 11)
	for range 2 {
		d.put(30, 5000)
		if err := d.trim(d.m.last); err != nil {
			t.Fatal(err)
		}
	}
	first := filepath.Join(crashDir, firstName)
	for seed := range uint64(40) {
		for n := 1; n < 8; n++ {
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			fs := d.fs.clone(rng)
			torn := fs.entries[first].data[seed%2*firstCopy:]
			torn[rng.IntN(blockSize)]++
			fs.cutAt = n
			if j, err := open(crashDir, small, fs); err == nil {
				j.Close() // an error where the power is gone
			} else if !fs.off() {
				t.Fatalf("one copy of FIRST is torn: %v", err)
			}
			j, err := open(crashDir, small, fs.survive(rng))
			if err != nil {
				t.Fatalf("copy %d was torn, then a cut at step %d, seed %d: %v", seed%2, n, seed, err)
			}
			j.Close() // nothing was appended
		}
	}
}
