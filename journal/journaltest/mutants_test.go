package journaltest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

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
