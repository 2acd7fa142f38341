package journaltest

import (
	"context"
	"sync"

	"github.com/reeveq/reeve/journal"
)

// Space is how much room a Memory has.
type Space int

// The ways a journal can be full.
const (
	Enough      Space = iota // the normal state
	ReserveOnly              // Append needs AppendOptions.Reserve
	NoSpace                  // Append fails
)

// SetSpace makes the journal full, or not any more. It stays so for the owners
// to come.
func (m *Memory) SetSpace(s Space) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.disk.space = s
}

// Damage makes Read and Replay of frame p fail with a [*journal.CorruptError],
// for the owners to come, too, until it is trimmed.
func (m *Memory) Damage(p journal.Pos) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.disk.damaged[p] = true
}

// fault is one error to come.
type fault struct {
	op   Op
	left int // calls until it
	err  error
	done bool // the operation is carried out
}

// Fail makes the n-th op from now on (1: the next) fail with err, and not
// happen. After an Append or Sync that failed all calls fail, unless it was an
// Append and err matches reeve.ErrJournalFull.
func (m *Memory) Fail(op Op, n int, err error) { m.order(&fault{op: op, left: n, err: err}) }

// FailDone is Fail, but the operation happens: its answer is lost.
func (m *Memory) FailDone(op Op, n int, err error) {
	m.order(&fault{op: op, left: n, err: err, done: true})
}

func (m *Memory) order(f *fault) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.faults = append(m.faults, f)
}

// faultLocked counts an operation, and gives the fault that it has.
func (m *Memory) faultLocked(op Op) *fault {
	var hit *fault
	for _, f := range m.faults {
		if f.op != op {
			continue
		}
		if f.left--; f.left == 0 && hit == nil {
			hit = f
		}
	}
	return hit
}

// Gate holds up the calls of one operation, before they do anything.
type Gate struct {
	m    *Memory
	op   Op
	held chan Call
	next chan struct{}
	open chan struct{}
	once sync.Once
}

// Block holds up every op from now on, until [Gate.Open]. A call that is held
// up ends early with its ctx's error, or with ErrFenced by [Memory.Crash].
func (m *Memory) Block(op Op) *Gate {
	g := &Gate{m: m, op: op, held: make(chan Call), next: make(chan struct{}), open: make(chan struct{})}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.gates[op] = g
	return g
}

// Held waits until a call is held up, and tells which; each is told once. After
// Open, or when ctx ends, it is the zero Call.
func (g *Gate) Held(ctx context.Context) Call {
	select {
	case c := <-g.held:
		return c
	case <-g.open:
	case <-ctx.Done():
	}
	return Call{}
}

// Pass lets one call go, waiting for it if there is none. It was told by Held
// or never will be.
func (g *Gate) Pass(ctx context.Context) {
	select {
	case g.next <- struct{}{}:
	case <-g.open:
	case <-ctx.Done():
	}
}

// Open lets all calls go, and holds up none any more. Further Opens do nothing.
func (g *Gate) Open() {
	g.m.disk.mu.Lock()
	if g.m.gates[g.op] == g {
		g.m.gates[g.op] = nil
	}
	g.m.disk.mu.Unlock()
	g.once.Do(func() { close(g.open) })
}

func (g *Gate) pass(ctx context.Context, c Call, fenced <-chan struct{}) error {
	held := g.held
	for {
		select {
		case held <- c:
			held = nil
		case <-g.next:
			return nil
		case <-g.open:
			return nil
		case <-fenced:
			return journal.ErrFenced
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
