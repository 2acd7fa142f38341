package file

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve/journal"
)

// image is what a journal left on its disk.
type image struct {
	fs     *crashFS
	m      *model
	synced map[journal.Pos]journal.Pos // what was durable when a frame was appended: it says so
	at     map[journal.Pos]extent
	closed bool
}

// newImage is a journal of a few segments, the oldest of which were trimmed.
// One that was not closed ends with frames that were not synced.
func newImage(t *testing.T, rng *rand.Rand, closed bool) *image {
	d := newOnDisk(t, rng.Uint64())
	im := &image{m: d.m, closed: closed, synced: make(map[journal.Pos]journal.Pos)}
	put := func() {
		im.synced[d.m.last+1] = d.m.synced
		n := 40 + rng.IntN(2000)
		if rng.IntN(100) == 0 {
			n = 70_000
		}
		if err := d.append(n, journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 150 + rng.IntN(150) {
		put()
		if rng.IntN(3) == 0 {
			if err := d.sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.trim(1 + journal.Pos(rng.Uint64N(50))); err != nil {
		t.Fatal(err)
	}
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	if closed {
		if err := d.close(); err != nil {
			t.Fatal(err)
		}
	} else {
		for range rng.IntN(4) {
			put()
		}
	}
	im.fs = d.fs.clone(rng)
	im.at = locate(im.fs, d.m)
	return im
}

// broke tells which promise was broken by what was found after the damage,
// without an error; nil: none.
//
// What the format cannot know, and so may take for the torn end of a journal
// that was not closed: damage to frames behind which no whole frame says that
// they were durable. It says so when it was appended after a Sync that they
// were appended before; the one that was appended last, nobody vouches for. The seal of
// a segment vouches for the next one, and a journal that was closed has a CLEAN
// that vouches for all.
func (im *image) broke(d harm, fs []heard, last journal.Pos) error {
	m := *im.m
	m.tried = m.last
	lost := last + 1 // the first frame that is not there
	m.synced = min(m.synced, last)
	if err := m.check(fs, last); err != nil || last == m.last {
		return err
	}
	if im.closed {
		return broken("%d frames are lost behind frame %d of a closed journal", m.last-last, last)
	}
	if !d.hits(im.at[lost]) {
		return broken("frame %d is lost, which was not damaged", lost)
	}
	if d.removed {
		return broken("frame %d is lost with its segment, of which a seal says that there is one", lost)
	}
	for p := lost + 1; p <= m.last; p++ {
		if im.synced[p] >= lost && !d.hits(im.at[p]) {
			return broken("frame %d is lost, of which frame %d says that it was durable", lost, p)
		}
	}
	return nil
}

// tidy holds that an error says what is damaged.
func tidy(err error) error {
	var c *journal.CorruptError
	switch {
	case errors.Is(err, journal.ErrNewer):
		return broken("damage is taken for a newer version: %w", err)
	case !errors.As(err, &c) || !errors.Is(err, journal.ErrCorrupt):
		return broken("an error that is no *journal.CorruptError: %w", err)
	case c.File == "" || c.Offset < 0 || c.Reason == "":
		return broken("the error does not say where, or why: %+v", c)
	}
	return nil
}

// inspect opens the damaged journal, and returns which promise was broken.
func (im *image) inspect(fs *crashFS, d harm) (reported bool, err error) {
	j, err := open(crashDir, small, fs)
	if err != nil {
		return true, tidy(err)
	}
	defer j.Close() // nothing was appended
	got, last, err := replay(j)
	if err != nil {
		return true, tidy(err)
	}
	return false, im.broke(d, got, last)
}

func TestDamage_IsReportedOrHarmless(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if *cutSeed != 0 {
		seed = *cutSeed
	}
	rng := rand.New(rand.NewPCG(seed, 4))
	reported := 0
	kinds := make(map[string][2]int)
	for round := 0; round < damageRounds; {
		im := newImage(t, rng, rng.IntN(2) == 0)
		for range 50 {
			fs := im.fs.clone(rng)
			d := doHarm(fs, rng)
			said, err := im.inspect(fs, d)
			if err != nil {
				t.Fatalf("closed %v, %v: %v\nframes %d to %d, synced to %d; seed %d, round %d: again with -cut.seed",
					im.closed, d, err, im.m.first, im.m.last, im.m.synced, seed, round)
			}
			k := kinds[strings.Fields(d.what)[0]]
			if said {
				reported++
				k[0]++
			}
			k[1]++
			kinds[strings.Fields(d.what)[0]] = k
			round++
		}
	}
	if reported < damageRounds/4 || reported == damageRounds {
		t.Errorf("%d of %d damages were reported", reported, damageRounds)
	}
	t.Logf("%d of %d damages were reported, %v of each kind", reported, damageRounds, kinds)
}

// The last write of a journal that was killed may be torn at any byte: that is
// no damage, and costs that frame only. Where CLEAN says that it was whole, it is.
func TestDamage_CutTailIsTornOnlyWithoutClean(t *testing.T) {
	t.Parallel()
	for _, closed := range []bool{false, true} {
		d := newOnDisk(t, 5)
		d.put(10, 300)
		if err := d.append(200, journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
		if closed {
			if err := d.close(); err != nil {
				t.Fatal(err)
			}
		}
		rng := rand.New(rand.NewPCG(6, 6))
		whole := d.fs.clone(rng)
		last := locate(whole, d.m)[d.m.last]
		for at := last.lo - 40; at < last.hi; at++ {
			fs := whole.clone(rng)
			fs.entries[last.name].data = fs.entries[last.name].data[:at]
			j, err := open(crashDir, small, fs)
			var got []heard
			if err == nil {
				got, _, err = replay(j)
				j.Close() // nothing was appended
			}
			switch {
			case closed && err == nil:
				t.Errorf("cut at byte %d of a closed journal: no error", at)
			case closed:
				if err := tidy(err); err != nil {
					t.Error(err)
				}
			case err != nil:
				t.Errorf("cut at byte %d: %v", at, err)
			case len(got) != 10:
				t.Errorf("cut at byte %d: %d frames, want 10", at, len(got))
			}
		}
	}
}

func TestDamage_NewerVersionIsRefusedUntouched(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	im := newImage(t, rng, true)
	for _, name := range segments(im.fs) {
		fs := im.fs.clone(rng)
		h := fs.entries[name].data
		le.PutUint32(h[8:], version+1)
		le.PutUint32(h[60:], crc32.Checksum(h[:60], castagnoli))
		before := fs.clone(rng)
		if j, err := open(crashDir, small, fs); !errors.Is(err, journal.ErrNewer) {
			t.Errorf("%s of a newer version: %v", filepath.Base(name), err)
			if err == nil {
				j.Close()
			}
		}
		if err := sameFiles(before, fs); err != nil {
			t.Error(err)
		}
	}
}

// sameFiles tells the first difference between two file systems.
func sameFiles(a, b *crashFS) error {
	if a.names() != b.names() {
		return fmt.Errorf("there was %s, there is %s", a.names(), b.names())
	}
	for name, ino := range a.entries {
		if !slices.Equal(ino.data, b.entries[name].data) {
			return fmt.Errorf("%s was changed", name)
		}
	}
	return nil
}
