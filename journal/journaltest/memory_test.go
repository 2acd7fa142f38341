package journaltest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

// fill appends frames "frame P" up to and with number last.
func fill(t *testing.T, m *journaltest.Memory, last journal.Pos) {
	t.Helper()
	for p := m.Stats().Last + 1; p <= last; p++ {
		if err := m.Append(t.Context(), p, fmt.Appendf(nil, "frame %d", p), journal.AppendOptions{}); err != nil {
			t.Fatalf("Append of %d: %v", p, err)
		}
	}
}

// replayed is what a Replay gives: the numbers, after a look at the frames.
func replayed(t *testing.T, m *journaltest.Memory) (ps []journal.Pos, last journal.Pos) {
	t.Helper()
	last, err := m.Replay(t.Context(), func(p journal.Pos, frame []byte) error {
		if want := fmt.Sprintf("frame %d", p); string(frame) != want {
			t.Errorf("Replay gives %q, want %q", frame, want)
		}
		ps = append(ps, p)
		return nil
	})
	if err != nil {
		t.Fatalf("Replay: %v", err)
	}
	return ps, last
}

func TestCrash_LosesWhatTheModeSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		mode journaltest.CrashMode
		want []int // how many of 5 frames, 2 of them synced, may be left
	}{
		{"Kill", journaltest.Kill(), []int{5}},
		{"PowerCut", journaltest.PowerCut(), []int{2}},
		{"Lose 2", journaltest.Lose(2), []int{3}},
		{"Lose more than there are", journaltest.Lose(9), []int{2}},
		{"LoseSome", journaltest.LoseSome(rand.New(rand.NewPCG(1, 1))), []int{2, 3, 4, 5}},
	} {
		m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
		fill(t, m, 2)
		if err := m.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		fill(t, m, 5)
		next := m.Crash(tt.mode)
		if err := m.Append(t.Context(), 6, []byte("x"), journal.AppendOptions{}); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("%s: the old owner's Append gives %v, want ErrFenced", tt.name, err)
		}
		ps, last := replayed(t, next)
		if !slices.Contains(tt.want, len(ps)) || last != journal.Pos(len(ps)) {
			t.Errorf("%s: frames %v are left, the last is %d, want as many as %v", tt.name, ps, last, tt.want)
		}
	}
}

func TestCrash_FramesFoundAfterAKillAreStillNotSynced(t *testing.T) {
	t.Parallel()
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	fill(t, m, 3)
	m = m.Crash(journaltest.Kill())
	if ps, _ := replayed(t, m); len(ps) != 3 {
		t.Fatalf("frames %v after a kill, want 3", ps)
	}
	m = m.Crash(journaltest.PowerCut())
	if ps, last := replayed(t, m); len(ps) != 0 || last != 0 {
		t.Errorf("frames %v after a power cut, want none", ps)
	}
}

func TestTrim_ForgetsWholeUnitsAndKeepsTheLastNumber(t *testing.T) {
	t.Parallel()
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t, TrimUnit: 4})
	fill(t, m, 10)
	if err := m.Trim(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Read(t.Context(), 7); !errors.Is(err, journal.ErrTrimmed) {
		t.Errorf("Read of a trimmed frame gives %v, want ErrTrimmed", err)
	}
	m = m.Crash(journaltest.Kill())
	if ps, last := replayed(t, m); !slices.Equal(ps, []journal.Pos{5, 6, 7, 8, 9, 10}) || last != 10 {
		t.Errorf("Replay gives %v, last %d, want 5 to 10", ps, last)
	}
	fill(t, m, 12)
	if err := m.Trim(t.Context(), 13); err != nil {
		t.Fatal(err)
	}
	m = m.Crash(journaltest.Kill())
	if ps, last := replayed(t, m); len(ps) != 0 || last != 12 {
		t.Errorf("Replay of a journal trimmed to its end gives %v, last %d, want none, 12", ps, last)
	}
	if s := m.Stats(); s.Trimmed != 12 || s.Frames != 0 || s.Bytes != 0 || s.First != 13 {
		t.Errorf("stats %+v", s)
	}
}

func TestSpace_FullWritesNothingAndAllowsTheSameFrameAgain(t *testing.T) {
	t.Parallel()
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	appendOne := func(o journal.AppendOptions) error {
		p := m.Stats().Last + 1
		return m.Append(t.Context(), p, fmt.Appendf(nil, "frame %d", p), o)
	}
	for _, tt := range []struct {
		space          journaltest.Space
		plain, reserve bool
	}{
		{journaltest.Enough, true, true}, {journaltest.ReserveOnly, false, true},
		{journaltest.NoSpace, false, false}, {journaltest.Enough, true, true},
	} {
		m.SetSpace(tt.space)
		for reserve, want := range map[bool]bool{false: tt.plain, true: tt.reserve} {
			err := appendOne(journal.AppendOptions{Reserve: reserve})
			if want != (err == nil) || err != nil && !errors.Is(err, reeve.ErrJournalFull) {
				t.Errorf("space %d, reserve %v: Append gives %v", tt.space, reserve, err)
			}
		}
	}
	if s := m.Stats(); s.Full != 3 || s.Appends != 5 {
		t.Errorf("stats %+v, want 3 refused, 5 appended", s)
	}
}

func TestFail_TheChosenCallFailsAndNothingWorksAfterwards(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, tt := range []struct {
		name  string
		order func(m *journaltest.Memory)
		found int // frames afterwards
	}{
		{"Append", func(m *journaltest.Memory) { m.Fail(journaltest.OpAppend, 3, boom) }, 2},
		{"Append that happened", func(m *journaltest.Memory) { m.FailDone(journaltest.OpAppend, 3, boom) }, 3},
		{"Sync", func(m *journaltest.Memory) { m.Fail(journaltest.OpSync, 3, boom) }, 3},
	} {
		m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
		tt.order(m)
		var err error
		p := journal.Pos(1)
		for ; err == nil && p < 10; p++ {
			if err = m.Append(t.Context(), p, fmt.Appendf(nil, "frame %d", p), journal.AppendOptions{}); err == nil {
				err = m.Sync(t.Context())
			}
		}
		if !errors.Is(err, boom) || p != 4 {
			t.Errorf("%s: %v at frame %d, want boom at 3", tt.name, err, p-1)
		}
		_, read := m.Read(t.Context(), 1)
		for what, err := range map[string]error{
			"Append": m.Append(t.Context(), p, []byte("x"), journal.AppendOptions{}),
			"Sync":   m.Sync(t.Context()), "Trim": m.Trim(t.Context(), 1), "Read": read, "Close": m.Close(),
		} {
			if !errors.Is(err, reeve.ErrJournal) || !errors.Is(err, boom) {
				t.Errorf("%s: %s afterwards gives %v, want ErrJournal and why", tt.name, what, err)
			}
		}
		if ps, _ := replayed(t, m.Crash(journaltest.Kill())); len(ps) != tt.found {
			t.Errorf("%s: frames %v afterwards, want %d", tt.name, ps, tt.found)
		}
	}
}

func TestBefore_SeesEachCallAndMayRefuseIt(t *testing.T) {
	t.Parallel()
	var calls []string
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t, Before: func(c journaltest.Call) error {
		calls = append(calls, fmt.Sprintf("%v %d %q", c.Op, c.Pos, c.Frame))
		if c.Reserve {
			return reeve.ErrJournalFull
		}
		return nil
	}})
	if err := m.Append(t.Context(), 1, []byte("a"), journal.AppendOptions{Reserve: true}); !errors.Is(err, reeve.ErrJournalFull) {
		t.Errorf("Append gives %v, want ErrJournalFull", err)
	}
	fill(t, m, 1)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if want := `Append 1 "a"; Append 1 "frame 1"; Close 0 ""`; strings.Join(calls, "; ") != want {
		t.Errorf("calls %q, want %q", calls, want)
	}
}

func TestBlock_HoldsCallsUntilTheyMayPassOrAreFenced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
		g := m.Block(journaltest.OpAppend)
		errs := make(chan error, 4)
		put := func(p journal.Pos) {
			errs <- m.Append(t.Context(), p, []byte("x"), journal.AppendOptions{})
		}
		go put(1)
		if c := g.Held(t.Context()); c.Pos != 1 {
			t.Errorf("held is %+v, want frame 1", c)
		}
		synctest.Wait()
		if len(errs) != 0 {
			t.Error("an Append passed a gate that is shut")
		}
		g.Pass(t.Context())
		if err := <-errs; err != nil {
			t.Error(err)
		}
		go put(2)
		synctest.Wait()
		g.Open()
		if err := <-errs; err != nil {
			t.Error(err)
		}
		put(3)
		if err := <-errs; err != nil {
			t.Error(err)
		}
		m.Block(journaltest.OpAppend)
		go put(4)
		synctest.Wait()
		next := m.Crash(journaltest.Kill())
		if err := <-errs; !errors.Is(err, journal.ErrFenced) {
			t.Errorf("an Append held up during a crash gives %v, want ErrFenced", err)
		}
		if last := next.Stats().Last; last != 3 {
			t.Errorf("the last frame is %d, want 3", last)
		}
	})
}

func TestDamage_IsToldByReadAndReplayUntilTrimmed(t *testing.T) {
	t.Parallel()
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	fill(t, m, 3)
	m.Damage(2)
	_, read := m.Read(t.Context(), 2)
	next := m.Crash(journaltest.Kill())
	_, replay := next.Replay(t.Context(), func(journal.Pos, []byte) error { return nil })
	for what, err := range map[string]error{"Read": read, "Replay": replay} {
		var corrupt *journal.CorruptError
		if !errors.As(err, &corrupt) || corrupt.Pos != 2 || corrupt.Offset != 7 || !errors.Is(err, journal.ErrCorrupt) {
			t.Errorf("%s gives %v, want a CorruptError of frame 2 at byte 7", what, err)
		}
	}
}

func TestReplay_TakesItsFrameBackWhenTheCallReturns(t *testing.T) {
	t.Parallel()
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	fill(t, m, 1)
	m = m.Crash(journaltest.Kill())
	var kept []byte
	if _, err := m.Replay(t.Context(), func(_ journal.Pos, frame []byte) error { kept = frame; return nil }); err != nil {
		t.Fatal(err)
	}
	if string(kept) == "frame 1" {
		t.Error("a frame kept beyond the call is intact")
	}
}

// quiet is a testing.TB that notes errors.
type quiet struct {
	testing.TB
	errors []string
}

func (q *quiet) Errorf(format string, args ...any) {
	q.errors = append(q.errors, fmt.Sprintf(format, args...))
}

func TestMistakes_AreReportedOrPanic(t *testing.T) {
	t.Parallel()
	put := func(p journal.Pos, frame string) func(*testing.T, *journaltest.Memory) error {
		return func(t *testing.T, m *journaltest.Memory) error {
			return m.Append(t.Context(), p, []byte(frame), journal.AppendOptions{})
		}
	}
	none := func(journal.Pos, []byte) error { return nil }
	// Each on a journal with 3 frames that was replayed, but for `fresh`.
	for _, tt := range []struct {
		name  string
		fresh bool
		do    func(t *testing.T, m *journaltest.Memory) error
		want  string
	}{
		{"number used", false, put(3, "x"), "Append of frame 3, the last is 3"},
		{"number left out", false, put(5, "x"), "Append of frame 5, the last is 3"},
		{"empty", false, put(4, ""), "empty"},
		{"Append before Replay", true, put(4, "x"), "before Replay"},
		{"Read before Replay", true, func(t *testing.T, m *journaltest.Memory) error {
			_, err := m.Read(t.Context(), 1)
			return err
		}, "before Replay"},
		{"Read beyond", false, func(t *testing.T, m *journaltest.Memory) error {
			_, err := m.Read(t.Context(), 4)
			return err
		}, "Read of frame 4"},
		{"Trim beyond", false, func(t *testing.T, m *journaltest.Memory) error { return m.Trim(t.Context(), 5) }, "Trim before frame 5"},
		{"second Replay", false, func(t *testing.T, m *journaltest.Memory) error {
			_, err := m.Replay(t.Context(), none)
			return err
		}, "second Replay"},
		{"Sync in Replay", true, func(t *testing.T, m *journaltest.Memory) error {
			_, err := m.Replay(t.Context(), func(journal.Pos, []byte) error { return m.Sync(t.Context()) })
			return err
		}, "Sync while Replay runs"},
		{"Append after Close", false, func(t *testing.T, m *journaltest.Memory) error {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			return put(4, "x")(t, m)
		}, "Append after Close"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, loud := range []bool{false, true} {
				q := &quiet{TB: t}
				m := journaltest.NewMemory(journaltest.MemoryConfig{TB: q})
				if loud {
					m = journaltest.NewMemory(journaltest.MemoryConfig{})
				}
				fill(t, m, 3)
				m = m.Crash(journaltest.Kill())
				if !tt.fresh {
					replayed(t, m)
				}
				panicked := func() (what any) {
					defer func() { what = recover() }()
					if err := tt.do(t, m); err == nil {
						t.Error("no error")
					}
					return nil
				}()
				told := strings.Join(q.errors, "\n")
				if loud {
					told = fmt.Sprint(panicked)
				}
				if !strings.Contains(told, tt.want) || loud != (panicked != nil) {
					t.Errorf("told %q, want %q; panic: %v", told, tt.want, panicked)
				}
			}
		})
	}
}

func TestClose_IsMetByReadAndBySecondClose(t *testing.T) {
	t.Parallel()
	m := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	fill(t, m, 2)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	_, read := m.Read(t.Context(), 1)
	for what, err := range map[string]error{"Read": read, "Close": m.Close()} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s after Close gives %v, want ErrClosed", what, err)
		}
	}
	if ps, _ := replayed(t, m.Crash(journaltest.PowerCut())); len(ps) != 2 {
		t.Errorf("frames %v survive a power cut after Close, want 2", ps)
	}
}
