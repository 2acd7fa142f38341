package commit_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/journal/journaltest"
)

func TestFull_WritesWithTheReserveUntilThereIsSpace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.wantFull(false)
		r.journal.SetSpace(journaltest.ReserveOnly)
		r.section("a", synced, 0)
		r.wantTold("a")
		r.wantFull(true)
		r.section("b", written, 0)
		r.wantTold("a", "b")
		r.wantCalls("0s Append 1 <a", "0s Append 1 <a reserve", "0s Sync", "0s Append 2 <b", "0s Append 2 <b reserve")
		r.journal.SetSpace(journaltest.Enough)
		r.section("c", written, 0)
		r.wantFull(false)
		r.wantCalls("0s Append 3 <c")
		time.Sleep(time.Hour) // nobody probes
		r.wantCalls()
		if s := r.Stats(); s.Refused != 2 || s.Full {
			t.Errorf("%+v", s)
		}
	})
}

func TestFull_IsProbedWhenThereIsNothingToWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.journal.SetSpace(journaltest.ReserveOnly)
		r.section("a", written, 0)
		r.wantCalls("0s Append 1 <a", "0s Append 1 <a reserve")
		time.Sleep(240 * time.Millisecond)
		r.section("b", written, 0)
		r.wantCalls("240ms Append 2 <b", "240ms Append 2 <b reserve")
		time.Sleep(400 * time.Millisecond)
		r.wantCalls("490ms Append 3 <")
		r.wantFull(true)
		if r.Barrier() != 2 {
			t.Errorf("a probe moves the barrier to %d", r.Barrier())
		}
		r.section("c", written, 0) // the same number
		r.wantCalls("640ms Append 3 <c", "640ms Append 3 <c reserve")
		r.journal.SetSpace(journaltest.Enough)
		time.Sleep(300 * time.Millisecond)
		r.wantCalls("890ms Append 4 <")
		r.wantFull(false)
		r.wantTold("a", "b", "c")
		if r.Told() != 4 || r.Wait(r.Barrier()) != nil {
			t.Errorf("told %d, barrier %d", r.Told(), r.Barrier())
		}
		r.section("d", written, 0)
		r.wantCalls("940ms Append 5 <d")
	})
}

func TestFull_ASectionThatComesDuringAProbeGoesBehindIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.journal.SetSpace(journaltest.ReserveOnly)
		r.section("a", written, 0)
		synctest.Wait()
		open := r.block(journaltest.OpAppend)
		time.Sleep(300 * time.Millisecond)
		r.wantCalls("0s Append 1 <a", "0s Append 1 <a reserve", "250ms Append 2 <")
		if p := r.section("b", synced, 0); p != 3 || !r.Follow(3, "f") || !r.Follow(2, "p") {
			t.Errorf("the section is in frame %d", p)
		}
		open()
		r.wantTold("a", "p", "b", "f")
		r.wantCalls("300ms Append 2 <", "300ms Append 2 < reserve", "300ms Append 3 <b", "300ms Append 3 <b reserve", "300ms Sync")
	})
}

func TestFull_ASectionThatIsInKeepsTheProbeAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.journal.SetSpace(journaltest.ReserveOnly)
		r.section("a", written, 0)
		time.Sleep(200 * time.Millisecond)
		s := r.Enter()
		time.Sleep(200 * time.Millisecond)
		r.wantCalls("0s Append 1 <a", "0s Append 1 <a reserve")
		r.Leave(s, []byte("b"), nil, written, 0)
		r.wantCalls("400ms Append 2 <b", "400ms Append 2 <b reserve")
	})
}

func TestFull_ReserveAndAllIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(_ *rig, c *commit.Config[string]) { c.MaxBytes = 2 })
		r.section("w", written, 20*time.Millisecond)
		synctest.Wait()
		open := r.block(journaltest.OpAppend)
		r.section("a", synced, 0)
		synctest.Wait()
		r.journal.SetSpace(journaltest.NoSpace)
		open()
		r.section("b", synced, 0)
		r.wantTold("w")
		time.Sleep(60 * time.Millisecond)
		r.section("c", synced, 0)
		r.wantCalls("0s Append 1 <w", "0s Append 2 <a", "0s Append 2 <a reserve", "20ms Sync",
			"50ms Append 2 <a", "50ms Append 2 <a reserve")
		r.journal.SetSpace(journaltest.ReserveOnly)
		r.wantTold("w")
		time.Sleep(50 * time.Millisecond)
		r.wantTold("w", "a", "b", "c")
		r.wantFull(true)
		r.wantCalls("100ms Append 2 <a", "100ms Append 2 <a reserve", "100ms Append 3 <b", "100ms Append 3 <b reserve",
			"100ms Append 4 <c", "100ms Append 4 <c reserve", "100ms Sync")
		r.journal.SetSpace(journaltest.Enough)
		time.Sleep(250 * time.Millisecond)
		r.wantCalls("350ms Append 5 <")
		r.wantFull(false)
	})
}

func TestFull_WhatWasWrittenBeforeIsNotHeldUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(_ *rig, c *commit.Config[string]) { c.MaxBytes = 2 })
		g := r.journal.Block(journaltest.OpAppend)
		defer g.Open()
		r.section("a", synced, 0)
		synctest.Wait()
		r.section("b", synced, 0)
		r.section("c", synced, 0)
		g.Pass(t.Context())
		synctest.Wait()
		g.Pass(t.Context())
		synctest.Wait()
		r.journal.SetSpace(journaltest.NoSpace)
		g.Open()
		r.wantTold("a", "b")
		r.wantCalls("0s Append 1 <a", "0s Sync", "0s Append 2 <b", "0s Append 3 <c", "0s Append 3 <c reserve", "0s Sync")
	})
}

func TestClose_GivesUpWhenThereIsNoSpace(t *testing.T) {
	t.Parallel()
	for _, idle := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(_ *rig, c *commit.Config[string]) { c.MaxBytes = 2 })
			g := r.journal.Block(journaltest.OpAppend)
			defer g.Open()
			r.section("a", synced, 0)
			synctest.Wait()
			r.section("b", synced, 0)
			r.section("c", synced, 0)
			g.Pass(t.Context()) // a
			synctest.Wait()
			g.Pass(t.Context()) // b
			synctest.Wait()
			r.journal.SetSpace(journaltest.NoSpace)
			if idle { // Close comes in the middle of an Append, or of waiting for the next
				g.Open()
				synctest.Wait()
			}
			closed := make(chan error, 1)
			go func() { closed <- r.Close() }()
			synctest.Wait()
			g.Open()
			err := <-closed
			for _, err := range []error{err, r.Err(), r.Wait(3), r.Close()} {
				if !errors.Is(err, reeve.ErrJournalFull) || !errors.Is(err, reeve.ErrClosed) || errors.Is(err, reeve.ErrJournal) {
					t.Errorf("%v", err)
				}
			}
			if took := time.Since(r.start); took != 0 {
				t.Errorf("it took %v", took)
			}
			synctest.Wait()
			if len(r.told) != 3 || r.errs[0] != nil || r.errs[1] != nil || !errors.Is(r.errs[2], reeve.ErrJournalFull) || len(r.failed) != 0 {
				t.Errorf("told %q %v, failed %v", r.told, r.errs, r.failed)
			}
		})
	}
}
