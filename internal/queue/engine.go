package queue

import (
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// Config says how an engine is set up.
type Config struct {
	// MaxPayload bounds one payload, in bytes. 0: no bound here.
	MaxPayload int64
	// Wall is the wall clock that absolute times go by. nil: time.Now.
	Wall func() time.Time
	// MaxQueues bounds how many queues may be declared. 0: no bound.
	MaxQueues int
	// MaxParked bounds the bytes of one holder's requests that wait for room;
	// a single one may be larger. 0: no bound.
	MaxParked int64

	// Journal is what changes are recorded in, for Open; nil: nothing is.
	Journal journal.Journal
	// Durability is that of queues that do not say it. 0: DurabilitySync.
	Durability reeve.Durability
	// Memory bounds the bytes of payloads in memory: beyond it those of new
	// tasks are read from the journal when they are handed over. 0: no bound.
	Memory int64
	// Failed is called when the journal has failed: the engine is of no use any
	// more, and is to be closed, but not by Failed itself. nil: nobody is told.
	Failed func(error)
	// Blobs counts the tasks that name blobs. nil: there are none.
	Blobs Blobs
	// Logger is told of what the journal does besides, and of queues that are
	// deleted because nobody uses them; nil: nobody is.
	Logger *slog.Logger
}

// Engine hosts queues. All methods are safe for concurrent use.
type Engine struct {
	cfg   Config
	start time.Time // monotonic zero
	ids   atomic.Uint64
	moves atomic.Uint64 // how often tasks went from one queue to another

	mu       sync.RWMutex // guards the fields below; never taken with a queue's mutex held
	names    map[string]*Queue
	numbered map[uint32]*Queue // by what stands for them in records
	closing  func() error      // endJournal, once
	queues   []*Queue          // in the order of creation
	known    []string          // their names; never changed, but replaced: errors share it
	orders   int               // given to queues: see Queue.order
	closed   bool

	deletes atomic.Uint64 // queues that were deleted, since the start
	idled   atomic.Uint64 // of these, because nobody used them

	clock  clock
	events hub
	left   left

	durable
}

// New makes an engine without queues and without a journal, and starts its
// clock; Close ends it.
func New(cfg Config) *Engine {
	cfg.Journal = nil
	e := newEngine(cfg)
	go e.runClock() // ended and waited for by Close
	return e
}

func newEngine(cfg Config) *Engine {
	if cfg.Blobs == nil {
		cfg.Blobs = noBlobs{}
	}
	e := &Engine{cfg: cfg, start: time.Now(), names: map[string]*Queue{}, numbered: map[uint32]*Queue{}}
	// Ids start at the microsecond of the start, so that no restart gives one
	// out again: nobody puts 2^12 tasks in every microsecond.
	e.ids.Store(uint64(e.start.UnixMicro()) << 12)
	e.closing = sync.OnceValue(e.endJournal)
	e.clients, e.epoch = NewClients(), newEpoch()
	e.objects = newObjects(e)
	e.senders = map[uint32]struct{}{}
	e.clock.init()
	return e
}

// now is the time of the engine.
func (e *Engine) now() int64 { return int64(time.Since(e.start)) }

// wall is the wall clock's time at now, in Unix nanoseconds, as it was set when
// the engine started.
func (e *Engine) wall(now int64) int64 { return e.start.UnixNano() + now }

// wallNow is the wall clock, as it is set now.
func (e *Engine) wallNow() time.Time {
	if e.cfg.Wall != nil {
		return e.cfg.Wall()
	}
	return time.Now().Round(0)
}

// wallAt is what the wall clock, as it is set now, showed at the engine's time
// at.
func (e *Engine) wallAt(at int64) time.Time {
	return e.wallNow().Add(time.Duration(at - e.now()))
}

// Declare makes the queue name, or returns it when it exists with the same
// configuration; with another one it is [reeve.ErrQueueExists], unless the queue
// is known from the journal only, and nobody has asked for it yet: then this is
// how it is configured from now on. A configuration or name out of range is
// [reeve.ErrInvalid], one queue more than there may be a [*reeve.LimitError].
func (e *Engine) Declare(name string, cfg reeve.QueueConfig) (*Queue, error) {
	cfg, err := checkConfig(name, cfg)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, reeve.ErrClosed
	}
	if q, ok := e.names[name]; ok {
		if !q.cfg.Equal(&cfg) {
			grown := e.replant(q, cfg)
			if grown == nil {
				return nil, fmt.Errorf("%w: %q has %s", reeve.ErrQueueExists, name, difference(&q.cfg, &cfg))
			}
			q = grown
		}
		q.claimed.Store(true)
		q.touch()
		return q, nil
	}
	if most := e.cfg.MaxQueues; most > 0 && len(e.queues) >= most {
		return nil, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "queues", Value: int64(len(e.queues)) + 1, Max: int64(most), Set: "Config.MaxQueues"}
	}
	q := e.declare(name, cfg)
	q.claimed.Store(true)
	return q, nil
}

// Lookup returns the queue name, or a [*reeve.NoSuchQueueError].
func (e *Engine) Lookup(name string) (*Queue, error) {
	e.mu.RLock()
	q, ok := e.names[name]
	known := e.known
	e.mu.RUnlock()
	if ok && !q.claimed.Load() {
		q, ok = e.use(name)
	}
	if ok {
		return q, nil
	}
	return nil, &reeve.NoSuchQueueError{Name: name, Known: known}
}

// ConfigOf returns the configuration of the queue name, with all defaults, without
// asking for the queue: it may be configured anew as before.
func (e *Engine) ConfigOf(name string) (c reeve.QueueConfig, ok bool) {
	e.mu.RLock()
	q, ok := e.names[name]
	e.mu.RUnlock()
	if !ok {
		return c, false
	}
	return q.Config(), true
}

// Names returns the queues' names in the order of their creation.
func (e *Engine) Names() []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.Clone(e.known)
}

// Stats returns the numbers of all queues in the order of their creation.
func (e *Engine) Stats() []reeve.QueueStats {
	qs := e.all()
	stats := make([]reeve.QueueStats, len(qs))
	for i, q := range qs {
		stats[i] = q.Stats()
	}
	return stats
}

// ShortestLease is the shortest lease of any queue; 0 without queues.
func (e *Engine) ShortestLease() time.Duration {
	var shortest time.Duration
	for _, q := range e.all() {
		if shortest == 0 || q.cfg.Lease < shortest {
			shortest = q.cfg.Lease
		}
	}
	return shortest
}

// Stop ends hand-overs: leases stand and can be ended, but nothing more is
// given out, and everything that waits ends with [reeve.ErrClosed], as does
// every Put from now on. Only results are still let in, beyond the bounds too.
func (e *Engine) Stop() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	for _, q := range e.all() {
		q.stop()
	}
	for _, q := range e.all() {
		q.admitResults()
	}
}

// Leased is how many leases stand, over all queues.
func (e *Engine) Leased() int {
	n := 0
	for _, q := range e.all() {
		q.mu.Lock()
		n += q.n[leased]
		q.mu.Unlock()
	}
	return n
}

// Close stops the engine, waits for its clock to end, has everything written to
// the journal that is not there yet, and closes that, whose error it returns.
// Further calls do nothing.
func (e *Engine) Close() error {
	e.Stop()
	e.clock.stop()
	return e.closing()
}

func (e *Engine) all() []*Queue {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.queues
}

// use returns the queue name as it will be configured from now on.
func (e *Engine) use(name string) (q *Queue, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if q, ok = e.names[name]; ok {
		q.claimed.Store(true)
	}
	return q, ok
}

// newIDs returns the first of n consecutive ids.
func (e *Engine) newIDs(n int) reeve.ID {
	return reeve.ID(e.ids.Add(uint64(n)) - uint64(n) + 1)
}

// newestID is the id that was given out last.
func (e *Engine) newestID() reeve.ID { return reeve.ID(e.ids.Load()) }

const maxNameLen = 255

func checkConfig(name string, c reeve.QueueConfig) (reeve.QueueConfig, error) {
	switch {
	case name == "" || len(name) > maxNameLen:
		return c, fmt.Errorf("%w: queue name of %d bytes, want 1 to %d", reeve.ErrInvalid, len(name), maxNameLen)
	case !printable(name):
		return c, fmt.Errorf("%w: queue name %q has characters that do not print", reeve.ErrInvalid, name)
	}
	c = c.WithDefaults()
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("queue %q: %w", name, err)
	}
	if c.MaxBytes == reeve.NoLimit {
		c.MaxBytes = math.MaxInt64
	}
	c.TypeConcurrency = maps.Clone(c.TypeConcurrency)
	c.Windows = slices.Clone(c.Windows)
	return c, nil
}
