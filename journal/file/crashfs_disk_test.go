package file

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// small are options with segments that are soon full.
var small = Options{SegmentSize: 64 << 10, foreground: true}

// onDisk is a journal on a crashFS, and what it has promised.
type onDisk struct {
	t  *testing.T
	fs *crashFS
	j  *Journal
	m  *model
}

func newOnDisk(t *testing.T, seed uint64) *onDisk {
	d := &onDisk{t: t, fs: newCrashFS(rand.New(rand.NewPCG(seed, 3))), m: newModel()}
	d.open()
	return d
}

// tryOpen opens what is on the disk, and holds it against what was promised.
func (d *onDisk) tryOpen() error {
	j, err := open(crashDir, small, d.fs)
	if err != nil {
		return err
	}
	d.j = j
	d.t.Cleanup(func() { j.Close() }) // an error where the test has broken it
	return d.m.recovered(j)
}

func (d *onDisk) open() {
	d.t.Helper()
	if err := d.tryOpen(); err != nil {
		d.t.Fatalf("open: %v", err)
	}
}

// kill ends the journal's process, and opens what it leaves.
func (d *onDisk) kill() {
	d.t.Helper()
	d.fs = d.fs.kill()
	d.j.Close() // an error: it is dead
	d.open()
}

// cut takes the power away, and opens what is left of it.
func (d *onDisk) cut() {
	d.t.Helper()
	d.fs = d.fs.survive(d.fs.rng)
	d.j.Close() // an error: the power is gone
	d.open()
}

// append appends one frame of n bytes.
func (d *onDisk) append(n int, o journal.AppendOptions) error {
	p := d.m.last + 1
	b := make([]byte, n)
	copy(b, fmt.Sprintf("frame %d %d", p, d.fs.rng.Uint64()))
	d.m.frames[p], d.m.tried = b, p
	err := d.j.Append(context.Background(), p, b, o)
	switch {
	case err == nil:
		d.m.last = p
	case errors.Is(err, reeve.ErrJournalFull):
		delete(d.m.frames, p)
		d.m.tried = d.m.last
	}
	return err
}

// tryPut appends frames of n bytes and syncs each.
func (d *onDisk) tryPut(count, n int) error {
	for range count {
		if err := d.append(n, journal.AppendOptions{}); err != nil {
			return err
		}
		if err := d.sync(); err != nil {
			return err
		}
	}
	return nil
}

func (d *onDisk) trim(p journal.Pos) error {
	d.m.first = p
	return d.j.Trim(context.Background(), p)
}

func (d *onDisk) close() error {
	err := d.j.Close()
	if err == nil {
		d.m.synced = d.m.last
	}
	return err
}

func (d *onDisk) sync() error {
	err := d.j.Sync(context.Background())
	if err == nil {
		d.m.synced = d.m.last
	}
	return err
}

// put appends frames of n bytes and syncs them.
func (d *onDisk) put(count, n int) {
	d.t.Helper()
	for range count {
		if err := d.append(n, journal.AppendOptions{}); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := d.sync(); err != nil {
		d.t.Fatal(err)
	}
}

// refusesAll holds that the journal has failed for good.
func (d *onDisk) refusesAll() {
	d.t.Helper()
	ctx := context.Background()
	for name, err := range map[string]error{
		"Append":         d.j.Append(ctx, d.m.last+1, []byte("x"), journal.AppendOptions{}),
		"Append reserve": d.j.Append(ctx, d.m.last+1, []byte("x"), journal.AppendOptions{Reserve: true}),
		"Sync":           d.j.Sync(ctx),
		"Trim":           d.j.Trim(ctx, d.m.first),
	} {
		if !errors.Is(err, reeve.ErrJournal) {
			d.t.Errorf("%s of a journal that failed: %v", name, err)
		}
	}
}
