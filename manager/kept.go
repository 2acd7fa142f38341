package manager

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// What a master does about the journal that keeps its queues, apart from what
// the engine does with it.

// Recovered says what a master found in its journal when it was made.
type Recovered struct {
	Journal bool          // there is one
	Queues  int           // that were declared before
	Tasks   int           // in them, dead ones included
	Results int           // outcomes that are kept
	Objects int           // shared objects that are durable
	Bytes   int64         // of the journal that were read
	Took    time.Duration // to read them
}

// openEngine makes the engine of a new master, which has the journal from then
// on.
func (m *Master) openEngine() (err error) {
	m.engine, err = queue.Open(context.Background(), queue.Config{
		MaxPayload: m.cfg.MaxPayload, MaxParked: m.cfg.MaxWaiting, MaxQueues: m.cfg.MaxQueues,
		Journal: m.cfg.Journal, Durability: m.cfg.Durability, Memory: m.cfg.Memory, Failed: m.journalFailed, Logger: m.cfg.Logger,
		Blobs: m.blobs,
	})
	if err != nil {
		m.blobs.Close(err)
		return err
	}
	m.blobs.Begin() // all tasks have counted theirs
	m.clients, m.epoch = m.engine.Clients(), m.engine.Epoch()
	m.recovered = Recovered(m.engine.Recovered())
	m.local = newLocal(m.engine)
	if err := m.restoreObjects(); err != nil {
		m.host.Close() // some may be there, with timers
		m.engine.Close()
		m.blobs.Close(err)
		return err
	}
	return nil
}

// Recovered returns what the master found in its journal.
func (m *Master) Recovered() Recovered { return m.recovered }

// journalStats are the numbers of the journal.
func (m *Master) journalStats() JournalStats {
	s := m.engine.CommitStats()
	return JournalStats{Frames: s.Frames, Bytes: s.Bytes, Commits: s.Commits, Syncs: s.Syncs, Refused: s.Refused, Full: s.Full}
}

// Done is closed when the master is over: it was closed, or its journal failed.
// What remains to be done then is to Close it.
func (m *Master) Done() <-chan struct{} { return m.ctx.Done() }

// Err is nil until the master is over, and tells why from then on:
// [reeve.ErrClosed], why nobody could connect any more to a master that was
// started by Start, or an error that matches [reeve.ErrJournal] if its journal
// failed. The last is final: nobody knows what the last requests, which have
// no answer, did to the queues; a new master that opens the journal finds out.
func (m *Master) Err() error {
	if m.ctx.Err() == nil {
		return nil
	}
	return context.Cause(m.ctx)
}

// failure is why the journal failed; nil if it did not.
func (m *Master) failure() error {
	if err := m.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// journalFailed ends the master: it can acknowledge nothing any more. The engine
// calls it before it refuses what waits for the journal, so that no client is
// told something else than that its session ends.
func (m *Master) journalFailed(err error) {
	err = journalError(err)
	m.failed.CompareAndSwap(nil, &err)
	m.end(err)
}

// journalError makes err match [reeve.ErrJournal].
func journalError(err error) error {
	if err == nil || errors.Is(err, reeve.ErrJournal) {
		return err
	}
	return fmt.Errorf("%w: %w", reeve.ErrJournal, err)
}

// leavesLeases reports that the leases of a session that ends are the next
// master's affair: this one ends, and the work goes on meanwhile.
func (m *Master) leavesLeases() bool { return m.cfg.Journal != nil && m.stopping.Load() }
