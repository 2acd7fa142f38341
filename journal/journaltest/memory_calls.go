package journaltest

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// Op is an operation of a journal.
type Op int

// The operations of a journal.
const (
	OpReplay Op = 1 + iota
	OpAppend
	OpSync
	OpRead
	OpTrim
	OpClose
	opEnd
)

func (o Op) String() string {
	if o < OpReplay || o >= opEnd {
		return fmt.Sprintf("Op(%d)", int(o))
	}
	return [...]string{"Replay", "Append", "Sync", "Read", "Trim", "Close"}[o-OpReplay]
}

// Call is one call of a journal.
type Call struct {
	Op      Op
	Pos     journal.Pos // of Append, Read and Trim
	Frame   []byte      // of Append; the caller's, to be looked at only
	Reserve bool        // of Append
}

// errMisuse is what a call that was a mistake fails with.
var errMisuse = errors.New("journaltest: the journal was used wrongly")

// begin lets a call in, after whatever holds it up. The caller calls end when
// it is over.
func (m *Memory) begin(ctx context.Context, c Call) (end func(), err error) {
	end, gate, err := m.enter(c)
	if err != nil {
		if errors.Is(err, errMisuse) {
			m.report(err)
		}
		return nil, err
	}
	if err := m.holdUp(ctx, c, gate); err != nil {
		err = m.outcome(c.Op, err)
		end()
		return nil, err
	}
	return end, nil
}

func (m *Memory) report(err error) {
	if m.cfg.TB == nil {
		panic(err)
	}
	m.cfg.TB.Helper()
	m.cfg.TB.Errorf("%v", err)
}

func (m *Memory) enter(c Call) (end func(), gate *Gate, err error) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	if err := m.stateLocked(); err != nil {
		if err == journal.ErrClosed && c.Op != OpRead && c.Op != OpClose {
			err = fmt.Errorf("%w: %v after Close (%w)", errMisuse, c.Op, err)
		}
		return nil, nil, err
	}
	if err := m.mistakeLocked(c); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errMisuse, err)
	}
	if c.Op == OpRead {
		return func() {}, m.gates[c.Op], nil
	}
	m.busy = c.Op
	return func() {
		m.disk.mu.Lock()
		defer m.disk.mu.Unlock()
		m.busy = 0
	}, m.gates[c.Op], nil
}

// mistakeLocked tells what is wrong with a call.
func (m *Memory) mistakeLocked(c Call) error {
	last := m.disk.last()
	switch {
	case c.Op != OpRead && m.busy != 0:
		return fmt.Errorf("%v while %v runs", c.Op, m.busy)
	case c.Op == OpReplay && m.replayed:
		return errors.New("a second Replay")
	case c.Op == OpReplay && m.stats.Appends > 0:
		return errors.New("Replay after an Append")
	case (c.Op == OpAppend || c.Op == OpRead || c.Op == OpTrim) && !m.replayed && m.stats.Appends == 0 && last > 0:
		return fmt.Errorf("%v of %d before Replay, with %d frames written before", c.Op, c.Pos, last)
	case c.Op == OpAppend && c.Pos != last+1:
		return fmt.Errorf("Append of frame %d, the last is %d", c.Pos, last)
	case c.Op == OpAppend && len(c.Frame) == 0:
		return fmt.Errorf("Append of frame %d, which is empty", c.Pos)
	case c.Op == OpRead && (c.Pos == 0 || c.Pos > last):
		return fmt.Errorf("Read of frame %d, the last is %d", c.Pos, last)
	case c.Op == OpTrim && (c.Pos == 0 || c.Pos > last+1):
		return fmt.Errorf("Trim before frame %d, the last is %d", c.Pos, last)
	}
	return nil
}

// stateLocked is why nothing can be done any more.
func (m *Memory) stateLocked() error {
	switch {
	case m.closed:
		return journal.ErrClosed
	case m.disk.owner != m:
		return journal.ErrFenced
	}
	return m.failed
}

// holdUp is everything that comes before an operation.
func (m *Memory) holdUp(ctx context.Context, c Call, gate *Gate) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if m.cfg.Before != nil {
		if err := m.cfg.Before(c); err != nil {
			return err
		}
	}
	if gate == nil {
		return nil
	}
	return gate.pass(ctx, c, m.fenced)
}

// do carries an operation out, with the faults that were ordered.
func (m *Memory) do(op Op, f func(d *disk) error) error {
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := m.stateLocked(); err != nil {
		return err // meanwhile
	}
	fault := m.faultLocked(op)
	if fault != nil && !fault.done {
		return m.outcomeLocked(op, fault.err)
	}
	err := f(d)
	if err == nil && fault != nil {
		err = fault.err
	}
	return m.outcomeLocked(op, err)
}

func (m *Memory) outcome(op Op, err error) error {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	return m.outcomeLocked(op, err)
}

// outcomeLocked: after a failed Append or Sync nobody knows what is kept, so
// nothing works any more; a full journal is known to have written nothing.
func (m *Memory) outcomeLocked(op Op, err error) error {
	switch {
	case err == nil:
		return nil
	case op == OpAppend && errors.Is(err, reeve.ErrJournalFull):
	case op == OpAppend, op == OpSync, op == OpReplay:
		m.failLocked(err)
	}
	return err
}

func (m *Memory) failLocked(err error) {
	if m.failed == nil {
		m.failed = fmt.Errorf("%w: an earlier call failed: %w", reeve.ErrJournal, err)
	}
}
