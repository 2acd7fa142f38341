package file

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

var reserved = journal.AppendOptions{Reserve: true}

// fill appends until the disk is full, and returns how many bytes it took.
func (d *onDisk) fill(n int, o journal.AppendOptions) (bytes int) {
	d.t.Helper()
	for {
		err := d.append(n, o)
		if errors.Is(err, reeve.ErrJournalFull) {
			if errors.Is(err, reeve.ErrJournal) {
				d.t.Fatalf("a full disk is taken for the end: %v", err)
			}
			return bytes
		}
		if err != nil {
			d.t.Fatal(err)
		}
		if bytes += n; bytes > 16<<20 {
			d.t.Fatal("the disk is never full")
		}
		if d.m.last%5 == 0 {
			if err := d.sync(); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

// newFull is a journal on a disk that is full, of so many bytes at first.
func newFull(t *testing.T, seed uint64, budget int64) *onDisk {
	d := newOnDisk(t, seed)
	d.fs.mu.Lock()
	d.fs.budget = d.fs.used + budget
	d.fs.mu.Unlock()
	d.fill(700, journal.AppendOptions{})
	return d
}

func TestFull_RefusesAndStaysUsable(t *testing.T) {
	t.Parallel()
	for _, full := range []error{errNoSpace, errQuota} {
		for budget := range int64(40) {
			d := newOnDisk(t, uint64(budget))
			d.fs.full = full
			d.fs.budget = d.fs.used + budget*5000
			d.fill(700, journal.AppendOptions{})
			if err := d.append(1, journal.AppendOptions{}); !errors.Is(err, reeve.ErrJournalFull) {
				t.Errorf("the next, smaller one: %v", err)
			}
			if err := d.sync(); err != nil {
				t.Fatalf("Sync on a full disk: %v", err)
			}
			if d.m.last > 0 {
				if _, err := d.j.Read(context.Background(), d.m.last); err != nil {
					t.Errorf("Read on a full disk: %v", err)
				}
			}
			if budget%2 == 0 {
				d.kill()
			} else {
				d.cut()
			}
		}
	}
}

func TestFull_TheReserveGoesOn(t *testing.T) {
	t.Parallel()
	for budget := range int64(20) {
		d := newFull(t, uint64(budget), budget*9000)
		if got := d.fill(300, reserved); got < 32<<10 {
			t.Errorf("the reserve holds %d bytes, want half a segment at least", got)
		}
		if err := d.sync(); err != nil {
			t.Fatal(err)
		}
		if err := d.append(1, journal.AppendOptions{}); !errors.Is(err, reeve.ErrJournalFull) {
			t.Errorf("Append on a disk that is full to the last byte: %v", err)
		}
		d.kill()
	}
}

func TestFull_WorksAgainWhenThereIsSpace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		d := newFull(t, seed, 300<<10)
		if seed%2 == 0 {
			d.fill(300, reserved)
		}
		if seed%4 < 2 {
			// As the owner of a journal does: what still lives is written again.
			if err := d.trim(d.m.last - 3); err != nil {
				t.Fatal(err)
			}
		} else {
			d.fs.mu.Lock()
			d.fs.budget += 300 << 10 // somebody else has removed files
			d.fs.mu.Unlock()
		}
		d.put(50, 700)
		d.fill(700, journal.AppendOptions{})
		if got := d.fill(300, reserved); got < 32<<10 {
			t.Errorf("the second time the reserve holds %d bytes", got)
		}
		d.cut()
	}
}

func TestFull_IsOpenedAgain(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		d := newFull(t, seed, int64(seed)*20_000)
		if seed%2 == 0 {
			d.fill(300, reserved)
		}
		if seed%4 < 2 {
			if err := d.close(); err != nil {
				t.Errorf("Close on a full disk: %v", err)
			}
			d.open()
		} else {
			d.kill()
		}
		if err := d.append(700, journal.AppendOptions{}); !errors.Is(err, reeve.ErrJournalFull) {
			t.Errorf("after a reopen on a full disk: %v", err)
		}
		if err := d.trim(d.m.last + 1); err != nil {
			t.Fatal(err)
		}
		if seed > 10 {
			d.put(10, 700)
		}
		d.cut()
	}
}

// A frame that fails half-way for want of space, and cannot be taken back.
func TestFull_WhatCannotBeTakenBackIsTheEnd(t *testing.T) {
	t.Parallel()
	d := newOnDisk(t, 1)
	d.put(20, 700)
	full := false
	d.fs.fail = func(o op, _ string) error {
		switch {
		case o == opWrite && !full:
			full = true
			return &shortWrite{300, errNoSpace}
		case full && (o == opWrite || o == opTruncate):
			return errIO
		}
		return nil
	}
	if err := d.append(700, journal.AppendOptions{}); !errors.Is(err, reeve.ErrJournal) || errors.Is(err, reeve.ErrJournalFull) {
		t.Errorf("Append: %v, want reeve.ErrJournal", err)
	}
	d.refusesAll()
	d.kill()
	d.put(3, 700)
	d.cut()
}

// While a disk stays full, the reserve is not written again and again as far as
// there is space for it.
func TestFull_TheReserveIsTriedNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newCrashFS(rand.New(rand.NewPCG(1, 1)))
		tries := 0
		disk.watch = func(_ int, o op, name string) {
			if o == opCreate && strings.HasSuffix(name, reserveName+tempExt) {
				tries++
			}
		}
		disk.budget = 5 << 20 // the segment, and half of the reserve
		j, err := open(crashDir, Options{SegmentSize: 8 << 20}, disk)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close() // a second time
		put := func(p journal.Pos) error {
			synctest.Wait()
			return j.Append(t.Context(), p, []byte("frame"), journal.AppendOptions{})
		}
		for range 100 { // of 3 s
			if err := put(1); !errors.Is(err, reeve.ErrJournalFull) {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Millisecond)
		}
		if tries != 1 {
			t.Errorf("the reserve was tried %d times", tries)
		}
		disk.mu.Lock()
		disk.budget = 0
		disk.mu.Unlock()
		time.Sleep(maxRest)
		if err := put(1); !errors.Is(err, reeve.ErrJournalFull) { // which has it tried
			t.Error(err)
		}
		if err := put(1); err != nil || tries != 2 {
			t.Errorf("after %d tries there is space: %v", tries, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}
