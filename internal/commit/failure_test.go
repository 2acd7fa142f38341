package commit_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

var errDisk = errors.New("the disk is on fire")

func TestFailure_IsToldToAllThatWaitAndAllThatCome(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		cause error
		do    func(r *rig)
		good  []string // told without an error
		bad   []string
	}{
		"append": {errDisk, func(r *rig) {
			r.section("a", synced, 0)
			synctest.Wait()
			r.journal.Fail(journaltest.OpAppend, 1, errDisk)
			r.section("b", synced, 0)
		}, []string{"a"}, []string{"b"}},
		"append of a taken journal": {journal.ErrFenced, func(r *rig) {
			r.journal.Fail(journaltest.OpAppend, 1, journal.ErrFenced)
			r.section("a", written, 0)
		}, nil, []string{"a"}},
		"an error that says itself what it is": {reeve.ErrJournal, func(r *rig) {
			r.journal.Fail(journaltest.OpAppend, 1, reeve.ErrJournal)
			r.section("a", written, 0)
		}, nil, []string{"a"}},
		"sync": {errDisk, func(r *rig) {
			r.section("a", written, 0)
			synctest.Wait()
			r.journal.Fail(journaltest.OpSync, 1, errDisk)
			r.section("b", written, 0)
			synctest.Wait()
			r.section("c", synced, 0)
		}, []string{"a", "b"}, []string{"c"}},
		"sync of a time": {errDisk, func(r *rig) {
			r.journal.Fail(journaltest.OpSync, 1, errDisk)
			r.section("a", written, 50*ms)
			time.Sleep(100 * ms)
			r.section("b", written, 0)
		}, []string{"a"}, []string{"b"}},
		"sync of frames, one of which nobody would have had synced": {errDisk, func(r *rig) {
			open := r.block(journaltest.OpAppend)
			r.section("a", written, 0)
			synctest.Wait()
			r.section("bbbbbbbbbb", written, 0)
			r.section("c", synced, 0)
			r.Follow(2, "f")
			r.journal.Fail(journaltest.OpSync, 1, errDisk)
			open()
		}, []string{"a"}, []string{"bbbbbbbbbb", "f", "c"}},
		"the second append of three": {errDisk, func(r *rig) {
			open := r.block(journaltest.OpAppend)
			r.section("a", written, 0)
			synctest.Wait()
			r.section("bbbbbbbbbb", written, 0)
			r.section("cccccccccc", written, 0)
			r.section("d", written, 0)
			r.Follow(2, "f")
			r.journal.Fail(journaltest.OpAppend, 3, errDisk)
			open()
		}, []string{"a"}, []string{"bbbbbbbbbb", "f", "cccccccccc", "d"}},
		"append with the reserve": {errDisk, func(r *rig) {
			r.journal.SetSpace(journaltest.ReserveOnly)
			r.journal.Fail(journaltest.OpAppend, 2, errDisk)
			r.section("a", written, 0)
		}, nil, []string{"a"}},
		"append after there was no space": {errDisk, func(r *rig) {
			r.journal.SetSpace(journaltest.NoSpace)
			r.journal.Fail(journaltest.OpAppend, 3, errDisk)
			r.section("a", written, 0)
			time.Sleep(100 * ms)
		}, nil, []string{"a"}},
		"probe": {errDisk, func(r *rig) {
			r.journal.SetSpace(journaltest.ReserveOnly)
			r.section("a", synced, 0)
			synctest.Wait()
			r.journal.Fail(journaltest.OpAppend, 1, errDisk)
			time.Sleep(300 * ms)
			r.section("b", synced, 0)
		}, []string{"a"}, []string{"b"}},
		"while a section is in": {errDisk, func(r *rig) {
			open := r.block(journaltest.OpAppend)
			r.section("a", synced, 0)
			synctest.Wait()
			in := r.Enter()
			r.section("b", synced, 0)
			r.journal.Fail(journaltest.OpAppend, 1, errDisk)
			open()
			synctest.Wait()
			r.Leave(in, []byte("c"), []string{"c"}, synced, 0)
		}, nil, []string{"a", "b", "c"}},
		"when Close commits": {errDisk, func(r *rig) {
			open := r.block(journaltest.OpAppend)
			r.section("a", written, 0)
			synctest.Wait()
			r.section("b", written, 0)
			r.journal.Fail(journaltest.OpAppend, 2, errDisk)
			go r.Close()
			synctest.Wait()
			r.section("c", written, 0)
			open()
		}, []string{"a"}, []string{"b", "c"}},
		"when Close syncs": {errDisk, func(r *rig) {
			r.section("a", written, time.Hour)
			r.journal.Fail(journaltest.OpSync, 1, errDisk)
			r.Close()
		}, []string{"a"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(_ *rig, c *commit.Config[string]) { c.MaxBytes = 10 })
				c.do(r)
				synctest.Wait()
				last := r.section("late", written, time.Second)
				if !r.Follow(last, "late follower") || r.Follow(r.Told(), "no") {
					t.Error("what was told and what was not are mixed up")
				}
				synctest.Wait()
				if n := len(c.good) + len(c.bad) + 2; len(r.told) != n {
					t.Errorf("told %q", r.told)
				}
				errs := []error{r.Err(), r.Wait(last), r.Close(), r.Close()}
				r.section("later", synced, 0) // after Close
				synctest.Wait()
				if want := slices.Concat(c.good, c.bad, []string{"late", "late follower", "later"}); !slices.Equal(r.told, want) {
					t.Fatalf("told %q, want %q", r.told, want)
				}
				for i, err := range r.errs[:len(c.good)] {
					if err != nil {
						t.Errorf("%q is told %v", r.told[i], err)
					}
				}
				errs = slices.Concat(errs, r.errs[len(c.good):], r.failed)
				for _, err := range errs {
					if !errors.Is(err, reeve.ErrJournal) || !errors.Is(err, c.cause) || errors.Is(err, reeve.ErrClosed) {
						t.Errorf("an error is %v", err)
					}
				}
				if len(r.failed) != 1 {
					t.Errorf("Failed was called with %v", r.failed)
				}
				if s := r.Stats(); s.Sections != uint64(len(c.good)) || s.Frame != r.Told() {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// What was done after the end is in no frame, also when all frames are written.
func TestBarrier_OfSectionsThatCameTooLateIsNeverTold(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(r *rig){
		"closed": func(r *rig) { r.Close() },
		"failed when nothing was to be written": func(r *rig) {
			r.journal.Fail(journaltest.OpSync, 1, errDisk)
			time.Sleep(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.section("a", written, 50*time.Millisecond)
				synctest.Wait()
				end(r)
				if r.Follow(r.Barrier(), "before") {
					t.Error("nothing came too late yet")
				}
				r.Leave(r.Enter(), []byte("b"), nil, written, 0)
				if !r.Follow(r.Barrier(), "after") {
					t.Fatal("what is in no frame counts as told")
				}
				synctest.Wait()
				if !slices.Equal(r.told, []string{"a", "after"}) || r.errs[1] == nil {
					t.Errorf("told %q with %v", r.told, r.errs)
				}
			})
		})
	}
}

func TestFailure_EndsWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		open := r.block(journaltest.OpSync)
		r.journal.Fail(journaltest.OpSync, 1, errDisk)
		p := r.section("a", synced, 0)
		ended := make(chan error, 2)
		for i := range journal.Pos(2) {
			go func() { ended <- r.Wait(p + i) }()
		}
		synctest.Wait()
		open()
		for range 2 {
			if err := <-ended; !errors.Is(err, errDisk) {
				t.Error(err)
			}
		}
	})
}
