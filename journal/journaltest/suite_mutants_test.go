package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// Every mutant has one fault, which the suite has to find.
func TestRun_FindsEveryFault(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			s := newShelf(t, m.refuses, 1)
			u := s.suite(PowerCut())
			m.change(s, &u)
			r := try(t, m.subject, u)
			if !r.Failed() {
				t.Errorf("%s passes", m.subject)
				return
			}
			t.Log(r.messages[0])
		})
		found[m.subject] = true
	}
	for _, sub := range subjects {
		if !found[sub.name] && sub.name != "Model" {
			t.Errorf("no mutant shows that %s finds anything", sub.name)
		}
	}
}

func TestModel_FindsFaultsByItself(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"loses a frame", "swaps two frames", "forgets the last number when all is trimmed",
		"keeps the caller's memory", "loses what was not synced with the process", "syncs nothing",
		"trims one frame too many", "gives out a frame's neighbour",
	} {
		k := slices.IndexFunc(mutants, func(m mutant) bool { return m.name == name })
		s := newShelf(t, false, 1)
		u := s.suite(PowerCut())
		mutants[k].change(s, &u)
		if r := try(t, "Model", u); !r.Failed() {
			t.Errorf("a journal that %s passes", name)
		}
	}
}

// try runs a subject with a test of its own.
func try(t *testing.T, name string, s Suite) *recorder {
	t.Helper()
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("there is no subject %s", name)
	}
	r := &recorder{TB: t}
	var done sync.WaitGroup
	done.Go(func() {
		defer r.cleanUp()
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		subjects[i].test(&trial{TB: r, Suite: s, patience: 20 * time.Millisecond})
	})
	done.Wait()
	return r
}

// recorder is a test that keeps its failures to itself.
type recorder struct {
	testing.TB
	mu       sync.Mutex // guards the fields below
	messages []string
	cleanups []func()
}

func (r *recorder) Helper()             {}
func (r *recorder) Logf(string, ...any) {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.messages) < 10 {
		r.messages = append(r.messages, fmt.Sprintf(format, args...))
	}
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.messages) > 0
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) cleanUp() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

// mutant is a journal with a fault, and the subject that must find it.
type mutant struct {
	name    string
	subject string
	refuses bool // the journal below refuses second owners
	change  func(s *shelf, u *Suite)
}

// faulty is a journal of which some operations are another's.
type faulty struct {
	journal.Journal
	name   string
	append func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error
	sync   func(ctx context.Context) error
	read   func(ctx context.Context, p journal.Pos) ([]byte, error)
	trim   func(ctx context.Context, p journal.Pos) error
	replay func(ctx context.Context, f callee) (journal.Pos, error)
	close  func() error
}

type callee = func(p journal.Pos, frame []byte) error

func (f *faulty) Append(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
	if f.append != nil {
		return f.append(ctx, p, frame, o)
	}
	return f.Journal.Append(ctx, p, frame, o)
}

func (f *faulty) Sync(ctx context.Context) error {
	if f.sync != nil {
		return f.sync(ctx)
	}
	return f.Journal.Sync(ctx)
}

func (f *faulty) Read(ctx context.Context, p journal.Pos) ([]byte, error) {
	if f.read != nil {
		return f.read(ctx, p)
	}
	return f.Journal.Read(ctx, p)
}

func (f *faulty) Trim(ctx context.Context, p journal.Pos) error {
	if f.trim != nil {
		return f.trim(ctx, p)
	}
	return f.Journal.Trim(ctx, p)
}

func (f *faulty) Replay(ctx context.Context, c func(p journal.Pos, frame []byte) error) (journal.Pos, error) {
	if f.replay != nil {
		return f.replay(ctx, c)
	}
	return f.Journal.Replay(ctx, c)
}

func (f *faulty) Close() error {
	if f.close != nil {
		return f.close()
	}
	return f.Journal.Close()
}

// each makes every journal that is opened a faulty one.
func each(spoil func(f *faulty)) func(s *shelf, u *Suite) {
	return func(s *shelf, u *Suite) {
		u.Open = func(tb testing.TB, name string) (journal.Journal, error) {
			j, err := s.open(tb, name)
			if err != nil {
				return nil, err
			}
			f := &faulty{Journal: j, name: name}
			spoil(f)
			return f, nil
		}
	}
}

// eachFrame makes Replay give what change makes of each frame: nil for none.
func eachFrame(change func(p journal.Pos, frame []byte) []byte) func(s *shelf, u *Suite) {
	return each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				if frame = change(p, frame); frame == nil {
					return nil
				}
				return c(p, frame)
			})
		}
	})
}

// memories are frames by journal and number.
type memories struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (k *memories) put(name string, p journal.Pos, frame []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.m == nil {
		k.m = map[string][]byte{}
	}
	k.m[fmt.Sprint(name, p)] = frame
}

func (k *memories) get(name string, p journal.Pos) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.m[fmt.Sprint(name, p)]
}

var mutants = slices.Concat(frameMutants, trimMutants, ownerMutants, crashMutants)

var frameMutants = []mutant{
	{"loses a frame", "OrderOverManyLives", false, eachFrame(func(p journal.Pos, frame []byte) []byte {
		if p == 3 {
			return nil
		}
		return frame
	})},
	{"loses the last frame", "OrderOverManyLives", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			var late []byte
			return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				if late != nil {
					if err := c(p-1, late); err != nil {
						return err
					}
				}
				late = bytes.Clone(frame)
				return nil
			})
		}
	})},
	{"swaps two frames", "OrderOverManyLives", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			var held []byte
			return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				switch p {
				case 2:
					held = bytes.Clone(frame)
					return nil
				case 3:
					return errors.Join(c(3, frame), c(2, held))
				}
				return c(p, frame)
			})
		}
	})},
	{"says a last number that is too low", "OrderOverManyLives", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			last, err := f.Journal.Replay(ctx, c)
			return max(last, 1) - 1, err
		}
	})},
	{"accepts a number again", "OrderWrongNumbers", false, each(func(f *faulty) {
		used := journal.Pos(0)
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			if p == used {
				return nil
			}
			err := f.Journal.Append(ctx, p, frame, o)
			if err == nil {
				used = p
			}
			return err
		}
	})},
	{"accepts numbers that are too high", "OrderWrongNumbers", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			if err := f.Journal.Append(ctx, p, frame, o); err == nil || !errors.Is(err, errMisuse) || p < 3 {
				return err
			}
			return nil
		}
	})},
	{"goes on after an Append that it gave up", "OrderEndedContext", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f.Journal.Append(ctx, p, frame, o)
		}
	})},
	{"cuts large frames", "FrameSizes", false, eachFrame(func(_ journal.Pos, frame []byte) []byte { return frame[:min(len(frame), 65_536)] })},
	{"cuts zeros from the end", "FrameSizes", false, eachFrame(func(_ journal.Pos, frame []byte) []byte {
		return append([]byte{}, bytes.TrimRight(frame, "\x00")...)
	})},
	{"keeps the caller's memory", "FrameMemory", false, each(func(f *faulty) {
		var kept memories
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			kept.put("", p, frame)
			return f.Journal.Append(ctx, p, frame, o)
		}
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if frame := kept.get("", p); frame != nil {
				return frame, nil
			}
			return f.Journal.Read(ctx, p)
		}
	})},
	{"changes the caller's memory", "FrameMemory", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			err := f.Journal.Append(ctx, p, frame, o)
			clear(frame[len(frame)/2:])
			return err
		}
	})},
	{"gives all readers the same memory", "FrameMemory", false, each(func(f *faulty) {
		var cache memories
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if frame := cache.get("", p); frame != nil {
				return frame, nil
			}
			frame, err := f.Journal.Read(ctx, p)
			cache.put("", p, frame)
			return frame, err
		}
	})},
	{"gives out a frame's neighbour", "ReadAtAnyTime", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if p > 5 {
				p--
			}
			return f.Journal.Read(ctx, p)
		}
	})},
	{"gives an empty frame for one that is not there", "ReadAtAnyTime", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			if errors.Is(err, errMisuse) {
				err = nil
			}
			return frame, err
		}
	})},
	{"reads synced frames only", "ReadAtAnyTime", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if f.Journal.(*owned).Stats().Synced < p {
				return nil, journal.ErrTrimmed
			}
			return f.Journal.Read(ctx, p)
		}
	})},
	{"cannot read beside an Append", "ReadBesideEverything", false, each(func(f *faulty) {
		var last sync.Mutex
		var shared []byte
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			last.Lock()
			shared = append(shared[:0], frame...)
			last.Unlock()
			return f.Journal.Append(ctx, p, frame, o)
		}
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			last.Lock()
			defer last.Unlock()
			copy(frame, shared) // a buffer that both use
			return frame, err
		}
	})},
}

var trimMutants = []mutant{
	{"gives readers nothing when it is closed", "ReadBesideClose", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			if errors.Is(err, journal.ErrClosed) {
				err = nil
			}
			return frame, err
		}
	})},
	{"trims one frame too many", "TrimSome", false, each(func(f *faulty) {
		f.trim = func(ctx context.Context, p journal.Pos) error {
			return f.Journal.Trim(ctx, min(p+1, f.Journal.(*owned).Stats().Last+1))
		}
	})},
	{"gives empty frames for those that were trimmed", "TrimSome", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			if errors.Is(err, journal.ErrTrimmed) {
				err = nil
			}
			return frame, err
		}
	})},
	{"calls other frames trimmed", "TrimSome", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if p < 3 && f.Journal.(*owned).Stats().Last > 30 {
				return nil, errors.New("no such frame")
			}
			return f.Journal.Read(ctx, p)
		}
	})},
	{"forgets the last number when all is trimmed", "TrimAll", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			var seen journal.Pos
			_, err := f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				seen = p
				return c(p, frame)
			})
			return seen, err
		}
	})},
	{"does not tell its callee's error", "ReplayEndsWithItsCallee", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				_ = c(p, frame) // the fault
				return nil
			})
		}
	})},
	{"does not look at its context", "ReplayEndsWithItsContext", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			return f.Journal.Replay(context.WithoutCancel(ctx), c)
		}
	})},
}

var ownerMutants = []mutant{
	{"does not tell an owner that it was replaced", "OwnerIsTheOnlyOne", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			if err := f.Journal.Append(ctx, p, frame, o); !errors.Is(err, journal.ErrFenced) {
				return err
			}
			return nil
		}
	})},
	{"lets a replaced owner sync", "OwnerIsTheOnlyOne", false, each(func(f *faulty) {
		f.sync = func(ctx context.Context) error {
			if err := f.Journal.Sync(ctx); !errors.Is(err, journal.ErrFenced) {
				return err
			}
			return nil
		}
	})},
	{"lets two owners write", "OwnerIsReplacedUnderLoad", false, func(s *shelf, u *Suite) {
		each(func(f *faulty) {
			f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
				err := f.Journal.Append(ctx, p, frame, o)
				if errors.Is(err, journal.ErrFenced) {
					other := s.memory(f.name)
					return other.Append(ctx, other.Stats().Last+1, frame, o)
				}
				return err
			}
		})(s, u)
	}},
	{"opens a copy of what has an owner", "OwnerIsReplacedUnderLoad", true, func(s *shelf, u *Suite) {
		u.Open = func(tb testing.TB, name string) (journal.Journal, error) {
			j, err := s.open(tb, name)
			if err != nil {
				return NewMemory(s.cfg), nil
			}
			return j, nil
		}
	}},
	{"refuses without saying why", "OwnerIsTheOnlyOne", true, func(s *shelf, u *Suite) {
		u.Open = func(tb testing.TB, name string) (journal.Journal, error) {
			j, err := s.open(tb, name)
			if err != nil {
				return nil, errors.New("resource temporarily unavailable")
			}
			return j, nil
		}
	}},
	{"harms the owner when it refuses another", "OwnerIsTheOnlyOne", true, func(s *shelf, u *Suite) {
		u.Open = func(tb testing.TB, name string) (journal.Journal, error) {
			j, err := s.open(tb, name)
			if err != nil {
				s.memory(name).Fail(OpAppend, 1, errBroken)
			}
			return j, err
		}
	}},
	{"stays locked after Close", "OwnerCloses", true, func(s *shelf, u *Suite) {
		each(func(f *faulty) {
			f.close = func() error { return f.Journal.(*owned).Memory.Close() }
		})(s, u)
	}},
	{"works after Close", "OwnerCloses", false, each(func(f *faulty) {
		closed := false
		f.close = func() error { closed = true; return f.Journal.Close() }
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			if closed {
				return nil
			}
			return f.Journal.Append(ctx, p, frame, o)
		}
	})},
	{"has one journal for all names", "OwnersOfOtherNames", false, func(s *shelf, u *Suite) {
		u.Open = func(tb testing.TB, _ string) (journal.Journal, error) { return s.open(tb, "all") }
	}},
}

var crashMutants = []mutant{
	{"loses what was not synced with the process", "CrashOfTheProcess", false, func(s *shelf, u *Suite) {
		u.Kill = u.PowerCut
	}},
	{"syncs nothing", "CrashOfThePower", false, each(func(f *faulty) {
		f.sync = func(context.Context) error { return nil }
	})},
	{"shows a torn frame", "CrashOfThePower", false, func(s *shelf, u *Suite) {
		torn := map[string]journal.Pos{}
		u.PowerCut = func(_ testing.TB, name string, _ journal.Journal) {
			m := s.memory(name)
			s.crash(name, Kill())
			torn[name] = 0
			if st := m.Stats(); st.Last > st.Synced {
				torn[name] = st.Last
			}
		}
		u.Open = func(tb testing.TB, name string) (journal.Journal, error) {
			j, err := s.open(tb, name)
			f := &faulty{Journal: j, name: name}
			f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
				return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
					if p == torn[name] {
						clear(frame[len(frame)/2:])
					}
					return c(p, frame)
				})
			}
			return f, err
		}
	}},
	{"does not sync in Close", "CrashAfterClose", false, func(s *shelf, u *Suite) {
		each(func(f *faulty) { f.close = func() error { return nil } })(s, u)
	}},
	{"trims frames that use the numbers of lost ones", "CrashAfterTrim", false, func(s *shelf, u *Suite) {
		trimmed := map[string]journal.Pos{}
		each(func(f *faulty) {
			f.trim = func(ctx context.Context, p journal.Pos) error {
				trimmed[f.name] = max(trimmed[f.name], p)
				return f.Journal.Trim(ctx, p)
			}
			f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
				return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
					if p < trimmed[f.name] {
						return nil
					}
					return c(p, frame)
				})
			}
		})(s, u)
	}},
	{"writes when it says that it is full", "FaultFull", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			err := f.Journal.Append(ctx, p, frame, o)
			if m := f.Journal.(*owned); errors.Is(err, reeve.ErrJournalFull) {
				m.SetSpace(Enough)
				_ = m.Append(ctx, p, frame, o)
				m.SetSpace(ReserveOnly)
			}
			return err
		}
	})},
	{"has no reserve", "FaultFull", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, _ journal.AppendOptions) error {
			return f.Journal.Append(ctx, p, frame, journal.AppendOptions{})
		}
	})},
	{"gives the reserve to everybody", "FaultFull", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, _ journal.AppendOptions) error {
			return f.Journal.Append(ctx, p, frame, journal.AppendOptions{Reserve: true})
		}
	})},
	{"stays full", "FaultFull", false, func(s *shelf, u *Suite) {
		set := u.SetSpace
		u.SetSpace = func(tb testing.TB, name string, j journal.Journal, sp Space) {
			if sp != Enough {
				set(tb, name, j, sp)
			}
		}
	}},
	{"goes on after a failed Append", "FaultAppend", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			err := f.Journal.Append(ctx, p, frame, o)
			f.Journal.(*owned).recover()
			return err
		}
	})},
	{"loses an earlier frame with one that fails", "FaultAppend", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			err := f.Journal.Append(ctx, p, frame, o)
			if errors.Is(err, errBroken) && p > 1 && !errors.Is(err, reeve.ErrJournal) {
				d := f.Journal.(*owned).disk
				d.mu.Lock()
				defer d.mu.Unlock()
				d.loseLocked(1)
			}
			return err
		}
	})},
	{"goes on after a failed Sync", "FaultSync", false, each(func(f *faulty) {
		f.sync = func(ctx context.Context) error {
			err := f.Journal.Sync(ctx)
			f.Journal.(*owned).recover()
			return err
		}
	})},
	{"does not tell that a Sync failed", "FaultSync", false, each(func(f *faulty) {
		f.sync = func(ctx context.Context) error {
			if err := f.Journal.Sync(ctx); err != nil && !errors.Is(err, errBroken) {
				return err
			}
			return nil
		}
	})},
	{"takes damage for the end", "FaultDamage", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			var seen journal.Pos
			_, err := f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				seen = p
				return c(p, frame)
			})
			if errors.Is(err, journal.ErrCorrupt) {
				err = nil
			}
			return seen, err
		}
	})},
	{"does not say where the damage is", "FaultDamage", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			last, err := f.Journal.Replay(ctx, c)
			if errors.Is(err, journal.ErrCorrupt) {
				err = journal.ErrCorrupt
			}
			return last, err
		}
	})},
	{"gives out damaged frames", "FaultDamageWhileOpen", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			if errors.Is(err, journal.ErrCorrupt) {
				return []byte("whatever is there"), nil
			}
			return frame, err
		}
	})},
}

// recover makes a journal that failed work again.
func (m *Memory) recover() {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.failed = nil
}
