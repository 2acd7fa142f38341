package journaltest

import (
	"context"
	"errors"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

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
