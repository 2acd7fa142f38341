package journaltest

import (
	"sync"
	"testing"

	"github.com/reeveq/reeve/journal"
)

// shelf keeps journals in memory by name, as a directory would.
type shelf struct {
	cfg     MemoryConfig
	refuses bool // an owner that lives keeps its journal; else it is fenced

	mu     sync.Mutex // guards the fields below
	owners map[string]*owned
}

// owned is an owner, and whether it still is one.
type owned struct {
	*Memory
	ended bool
}

func (o *owned) Close() error {
	err := o.Memory.Close()
	o.ended = true
	return err
}

// silent is a testing.TB that takes no errors: the suite makes mistakes.
type silent struct{ testing.TB }

func (silent) Errorf(string, ...any) {}

func newShelf(t *testing.T, refuses bool, trimUnit int) *shelf {
	return &shelf{
		cfg:     MemoryConfig{TB: silent{t}, TrimUnit: trimUnit},
		refuses: refuses, owners: map[string]*owned{},
	}
}

func (s *shelf) open(_ testing.TB, name string) (journal.Journal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owners[name]
	switch {
	case o == nil:
		o = &owned{Memory: NewMemory(s.cfg)}
	case s.refuses && !o.ended:
		return nil, &journal.LockedError{Name: name}
	default:
		o = &owned{Memory: o.Crash(Kill())}
	}
	s.owners[name] = o
	return o, nil
}

func (s *shelf) crash(name string, how CrashMode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owners[name] = &owned{Memory: s.owners[name].Crash(how), ended: true}
}

func (s *shelf) memory(name string) *Memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owners[name].Memory
}

// suite is the whole suite over a shelf.
func (s *shelf) suite(powerCut CrashMode) Suite {
	return Suite{
		Open:     s.open,
		MaxFrame: 256 << 10,
		Kill:     func(_ testing.TB, name string, _ journal.Journal) { s.crash(name, Kill()) },
		PowerCut: func(_ testing.TB, name string, _ journal.Journal) { s.crash(name, powerCut) },
		SetSpace: func(_ testing.TB, name string, _ journal.Journal, sp Space) { s.memory(name).SetSpace(sp) },
		Break: func(_ testing.TB, name string, _ journal.Journal, op Op) {
			s.memory(name).Fail(op, 1, errBroken)
		},
		Damage: func(_ testing.TB, name string, _ journal.Journal, p journal.Pos) { s.memory(name).Damage(p) },
	}
}
