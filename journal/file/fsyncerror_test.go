package file

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

func TestSyncError_StopsTheJournalForGood(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		d := newOnDisk(t, seed)
		d.put(20, 700)
		if err := d.append(300, journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
		d.fs.fail = failNth(1, errIO, opDatasync, opSync)
		err := d.sync()
		if !errors.Is(err, reeve.ErrJournal) || errors.Is(err, reeve.ErrJournalFull) || !errors.Is(err, errIO) {
			t.Fatalf("Sync: %v, want reeve.ErrJournal and the disk's own", err)
		}
		if !strings.Contains(err.Error(), ".seg") {
			t.Errorf("the error names no file: %v", err)
		}
		d.refusesAll()
		if err := d.j.Close(); err == nil {
			t.Error("Close says that all is durable")
		}
		// What the failed sync left out, no later one writes: what the next
		// process finds in the system's memory, and tells of, must get to the
		// disk all the same.
		d.kill()
		d.put(1, 100)
		d.cut()
	}
}

// Rotation, trimming, opening and closing sync, too.
func TestSyncError_StopsTheJournalWhereverItIs(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		d := newOnDisk(t, uint64(n))
		failed := failNth(n, errIO, opDatasync, opSync, opSyncDir)
		hit := false
		d.fs.fail = func(o op, name string) error {
			err := failed(o, name)
			hit = hit || err != nil
			return err
		}
		var err error
		for i := 0; i < 40 && err == nil; i++ {
			err = d.tryPut(1, 5000)
			if err == nil && i%10 == 9 {
				err = d.trim(d.m.last - 5)
			}
		}
		if err == nil {
			_ = d.close() // the sync that fails may be one of its own, or one that can be made up for
		} else if d.refusesAll(); !errors.Is(err, reeve.ErrJournal) {
			t.Errorf("failed sync %d: %v", n, err)
		}
		if t.Failed() {
			return
		}
		d.cut()
		if !hit {
			if n < 40 {
				t.Errorf("%d syncs only", n-1)
			}
			return
		}
	}
}

func TestWriteError_StopsTheJournalForGood(t *testing.T) {
	t.Parallel()
	for seed, what := range []error{errIO, errReadOnly, &shortWrite{100, errIO}} {
		d := newOnDisk(t, uint64(seed))
		d.put(20, 700)
		d.fs.fail = failNth(1, what, opWrite)
		if err := d.append(500, journal.AppendOptions{}); !errors.Is(err, reeve.ErrJournal) || errors.Is(err, reeve.ErrJournalFull) {
			t.Errorf("Append: %v, want reeve.ErrJournal", err)
		}
		d.refusesAll()
		d.kill()
		d.put(3, 700)
		d.cut()
	}
}

// What found no space is taken back, which has to be synced: when that fails,
// the frames before it must not be taken for durable by the next process.
func TestSyncError_WhileAFrameIsTakenBackHidesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		d := newOnDisk(t, seed)
		d.put(20, 700)
		if err := d.append(700, journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
		d.fs.fail = func(o op, _ string) error {
			if o != opWrite {
				return nil
			}
			d.fs.fail = failNth(1, errIO, opSync)
			return errNoSpace
		}
		if err := d.append(300, journal.AppendOptions{}); !errors.Is(err, reeve.ErrJournal) || !errors.Is(err, errIO) {
			t.Fatalf("Append: %v, want reeve.ErrJournal and the disk's own", err)
		}
		d.refusesAll()
		d.kill()
		d.put(1, 100)
		d.cut()
	}
}

// A journal that is opened makes durable what it finds. When that fails, the next
// attempt must not take it for done; nor what it has overwritten for gone.
func TestSyncError_WhileOpeningHidesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		d := newOnDisk(t, seed)
		d.put(5, 700)
		for range 5 {
			if err := d.append(700, journal.AppendOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if seed%2 == 0 { // an end that is torn
			w := &d.j.w
			if _, err := w.f.WriteAt(bytes.Repeat([]byte{1}, 100), w.off-3*frameSize(700)); err != nil {
				t.Fatal(err)
			}
		}
		d.fs = d.fs.kill()
		d.j.Close() // an error: it is dead
		d.fs.fail = failNth(1, errIO, opSync)
		if err := d.tryOpen(); !errors.Is(err, errIO) {
			t.Fatalf("open: %v", err)
		}
		d.fs.fail = nil
		d.kill()
		d.put(2, 700)
		d.cut()
		d.put(2, 700)
		d.cut()
	}
}

// A file system that was mounted again read-only, as after an error of its own.
func TestReadOnly_StopsAndRecoversWhenItIsNotAnyMore(t *testing.T) {
	t.Parallel()
	d := newOnDisk(t, 9)
	d.put(50, 700)
	d.fs.fail = func(o op, _ string) error {
		if o >= opWrite {
			return errReadOnly
		}
		return nil
	}
	if err := d.append(500, journal.AppendOptions{}); !errors.Is(err, reeve.ErrJournal) {
		t.Errorf("Append: %v", err)
	}
	d.refusesAll()
	d.j.Close() // an error: it failed
	if j, err := open(crashDir, small, d.fs); err == nil {
		j.Close()
		t.Error("a journal that cannot be written was opened")
	} else if errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("open: %v", err)
	}
	d.fs.fail = nil
	d.kill()
	d.put(3, 700)
	d.cut()
}
