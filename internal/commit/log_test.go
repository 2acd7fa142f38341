package commit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

const (
	synced  = commit.Synced
	written = commit.Written
)

func TestLeave_StartsACommitAtOnceWhenNothingElseIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.section("a", synced, 0)
		r.wantTold("a")
		r.wantCalls("0s Append 1 <a", "0s Sync")
		r.section("b", written, 0)
		r.wantTold("a", "b")
		r.wantCalls("0s Append 2 <b")
	})
}

func TestSections_StandInTheOrderOfTheirLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		a, b, c := r.Enter(), r.Enter(), r.Enter()
		if a.Pos() != 1 || b.Pos() != 1 || c.Pos() != 1 {
			t.Fatalf("frames %d, %d, %d", a.Pos(), b.Pos(), c.Pos())
		}
		recs, ts := []byte("c"), []string{"c1", "c2"}
		r.Leave(c, recs, ts, synced, 0)
		recs[0], ts[0], ts[1] = 'x', "x", "x" // they were copied
		r.Leave(a, []byte("a"), nil, written, 0)
		r.Leave(b, []byte("b"), []string{"b"}, written, 0)
		r.wantTold("c1", "c2", "b")
		r.wantCalls("0s Append 1 <cab", "0s Sync")
	})
}

func TestFrame_WaitsForAllThatHaveEnteredAndNoLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		synctest.Wait() // the goroutine is asleep
		a, b := r.Enter(), r.Enter()
		r.Leave(b, []byte("b"), []string{"b"}, synced, 0)
		c := r.Enter() // b's frame takes nobody any more
		if c.Pos() != 2 || r.Barrier() != 2 {
			t.Fatalf("the third section is in frame %d, the barrier is %d", c.Pos(), r.Barrier())
		}
		r.Leave(c, []byte("c"), []string{"c"}, synced, 0)
		r.wantTold()
		r.wantCalls()
		r.Leave(a, []byte("a"), []string{"a"}, synced, 0)
		r.wantTold("b", "a", "c")
		r.wantCalls("0s Append 1 <ba", "0s Append 2 <c", "0s Sync")
	})
}

func TestSections_GatherWhileAFrameIsSynced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		open := r.block(journaltest.OpSync)
		r.section("a", synced, 0)
		synctest.Wait()
		for _, s := range []string{"b", "c", "d"} {
			r.section(s, synced, 0)
		}
		r.wantTold()
		open()
		r.wantTold("a", "b", "c", "d")
		r.wantCalls("0s Append 1 <a", "0s Sync", "0s Append 2 <bcd", "0s Sync")
		if s := r.Stats(); s.Sections != 4 || s.Frames != 2 || s.Commits != 2 || s.Syncs != 2 || s.Bytes != 6 || s.Frame != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestFrames_ThatAreClosedShareOneSync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(_ *rig, c *commit.Config[string]) { c.MaxBytes = 5 })
		open := r.block(journaltest.OpAppend)
		r.section("a", written, 0)
		synctest.Wait()
		r.section(strings.Repeat("l", 10), written, 0) // larger than any frame should be
		early := r.Enter()
		r.section("bbb", synced, 0)
		r.section("c", written, 0)
		r.Leave(early, []byte("e"), nil, written, 0) // is in, full or not
		r.section("d", written, 0)
		open()
		r.wantTold("a", "llllllllll", "bbb", "c", "d")
		r.wantCalls("0s Append 1 <a", "0s Append 2 <llllllllll", "0s Append 3 <bbbce", "0s Append 4 <d", "0s Sync")
	})
}

func TestFollow_IsToldWithItsFrameEvenWhileThatIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r *rig
		r = newRig(t, func(_ *rig, c *commit.Config[string]) {
			c.Tell = func(ts []string, err error) {
				r.tell(ts, err)
				for _, s := range ts {
					if strings.HasPrefix(s, "again") && !r.Follow(1, s[len("again "):]) {
						t.Errorf("frame 1 was told before %q", s)
					}
				}
				if r.Told() != 0 && ts[0] != "next" {
					t.Errorf("Told is %d while frame 1 is told", r.Told())
				}
			}
		})
		open := r.block(journaltest.OpSync)
		r.section("again again b", synced, 0)
		synctest.Wait()
		r.section("next", synced, 0)
		if !r.Follow(1, "c") || !r.Follow(1, "d") {
			t.Error("frame 1 was told")
		}
		open()
		r.wantTold("again again b", "c", "d", "again b", "b", "next")
		if r.Follow(1, "x") || r.Follow(2, "x") || r.Follow(99, "x") {
			t.Error("frames that were told are not")
		}
		r.wantTold("again again b", "c", "d", "again b", "b", "next")
	})
}

func TestFollow_OfAFrameThatNobodyEnteredMeansTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		s := r.Enter()
		if !r.Follow(7, "b") {
			t.Error("a frame that nobody has left was told")
		}
		r.Leave(s, []byte("a"), []string{"a"}, synced, 0)
		r.wantTold("b", "a")
	})
}

func TestWait_EndsWithItsFrame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		open := r.block(journaltest.OpSync)
		p := r.section("a", synced, 0)
		ended := false
		go func() {
			if err := r.Wait(p); err != nil {
				t.Error(err)
			}
			ended = true
		}()
		go func() {
			if err := r.Wait(p + 1); !errors.Is(err, reeve.ErrClosed) || errors.Is(err, reeve.ErrJournal) {
				t.Error("a frame that nobody entered:", err)
			}
		}()
		synctest.Wait()
		if ended {
			t.Error("Wait did not wait")
		}
		open()
		synctest.Wait()
		if !ended || r.Told() != p || r.Wait(p) != nil {
			t.Error("Wait has not ended")
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestNext_IsTheFirstFrame(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(_ *rig, c *commit.Config[string]) { c.Next = 41 })
	if r.Told() != 40 || r.Barrier() != 40 || r.Wait(40) != nil || r.Follow(40, "x") {
		t.Errorf("told %d, barrier %d", r.Told(), r.Barrier())
	}
	r.Close()
	if s := r.Enter(); s.Pos() != 41 {
		t.Errorf("frame %d", s.Pos())
	}
}

func TestWork_ComesAfterEachCommitAndAsLongAsItHasMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r *rig
		var seen []journal.Pos
		more := 3
		r = newRig(t, func(_ *rig, c *commit.Config[string]) {
			c.Work = func(ctx context.Context) bool {
				seen = append(seen, r.Told())
				if more--; more == 2 {
					r.section("w", synced, 0)
					if err := errors.Join(r.journal.Sync(ctx), r.journal.Trim(ctx, r.Told())); err != nil {
						t.Error(err)
					}
				}
				return more > 0
			}
		})
		time.Sleep(time.Second)
		if seen != nil {
			t.Error("Work came before the first commit")
		}
		r.section("a", synced, 0)
		r.wantTold("a", "w")
		r.section("b", synced, 0)
		r.wantTold("a", "w", "b")
		if len(seen) != 4 || seen[0] != 1 || seen[1] != 2 || seen[2] != 2 || seen[3] != 3 {
			t.Errorf("Work saw the frames %d", seen)
		}
	})
}

func TestWork_KeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := false
		r := newRig(t, func(_ *rig, c *commit.Config[string]) {
			c.Work = func(ctx context.Context) bool {
				select {
				case <-time.After(time.Millisecond):
				case <-ctx.Done():
					ended = true
				}
				return true // for ever
			}
		})
		r.section("a", synced, 0)
		time.Sleep(10 * time.Millisecond)
		r.section("b", written, time.Millisecond)
		time.Sleep(3 * time.Millisecond)
		r.wantTold("a", "b")
		if s := r.Stats(); s.Syncs != 2 {
			t.Errorf("%+v", s)
		}
		if err := r.Close(); err != nil || !ended {
			t.Error("Close does not end Work:", err)
		}
	})
}

func TestClose_CommitsWhatHasEnteredAndRefusesWhatEntersLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		open := r.block(journaltest.OpSync)
		r.section("a", synced, 0)
		synctest.Wait()
		r.section("b", synced, 0)
		in := r.Enter()
		closed := make(chan error, 2)
		for range 2 {
			go func() { closed <- r.Close() }()
		}
		synctest.Wait()
		late := r.Enter()
		if late.Pos() != 3 || r.Barrier() != 3 {
			t.Errorf("the late section is in frame %d, the barrier is %d", late.Pos(), r.Barrier())
		}
		r.Leave(late, []byte("x"), []string{"x"}, synced, 0)
		if !r.Follow(2, "f") || !r.Follow(3, "y") {
			t.Error("frames that were not told are")
		}
		open()
		synctest.Wait()
		if len(closed) != 0 {
			t.Error("Close has not waited for the section that had entered")
		}
		r.Leave(in, []byte("c"), []string{"c"}, synced, 0)
		for range 2 {
			if err := <-closed; err != nil {
				t.Error(err)
			}
		}
		r.wantCalls("0s Append 1 <a", "0s Sync", "0s Append 2 <bc", "0s Sync")
		r.section("z", written, time.Second)
		if r.Follow(2, "no") || !r.Follow(3, "zz") {
			t.Error("Follow after Close")
		}
		synctest.Wait()
		if got := strings.Join(r.told, " "); got != "a b f c x y z zz" {
			t.Errorf("told %q", got)
		}
		for i, err := range r.errs {
			if errors.Is(err, reeve.ErrClosed) != (i >= 4) {
				t.Errorf("%q is told %v", r.told[i], err)
			}
		}
		if err := r.Wait(3); !errors.Is(err, reeve.ErrClosed) || r.Err() != nil || len(r.failed) != 0 {
			t.Errorf("Wait: %v; Err: %v; Failed: %v", err, r.Err(), r.failed)
		}
	})
}

func TestNew_NamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	defer func() {
		if s, _ := recover().(string); !strings.Contains(s, "Config.Journal, Head and Tell") {
			t.Errorf("%q", s)
		}
	}()
	commit.New(commit.Config[string]{})
}
