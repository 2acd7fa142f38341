package queue

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// Recovered is what a journal gave back.
type Recovered struct {
	Journal bool // there is one
	Queues  int
	Tasks   int
	Results int
	Objects int
	Bytes   int64 // of the journal
	Took    time.Duration
}

// durable is what an engine has besides when it has a journal.
type durable struct {
	log       *commit.Log[telling] // nil: there is no journal, or it is being replayed
	clients   *Clients
	objects   *Objects
	kept      restoredObjects // of objects, until they are taken
	epoch     uint64
	pager     pager
	cleaner   cleaner
	restored  Recovered
	recovered reeve.ID     // the newest id of a master before this one
	resident  atomic.Int64 // bytes of payloads in memory
	numbers   uint32       // given to queues; guarded by Engine.mu
	said      journal.Pos  // the frame that has the latest record of the master
	// senders are the numbers of those queues that were deleted of which tasks went
	// to others before: frames still call these theirs. Guarded by Engine.mu.
	senders map[uint32]struct{}

	pinning sync.Mutex // guards the fields below
	pins    map[*journal.Pos]struct{}
}

// Open makes an engine with what cfg.Journal has, and starts it. The journal is
// the engine's from then on, also when Open fails. ctx bounds the replay. An
// error is that of the journal: a [*journal.CorruptError] says that it is
// damaged.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Journal == nil {
		return New(cfg), nil
	}
	if cfg.Durability == 0 {
		cfg.Durability = reeve.DurabilitySync
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	e := newEngine(cfg)
	next, err := e.recover(ctx)
	if err == nil {
		// What a killed master wrote is there, but may not survive a power cut yet:
		// nothing may be told because of it before it does.
		err = cfg.Journal.Sync(ctx)
	}
	if err != nil {
		cfg.Journal.Close()
		return nil, err
	}
	e.pager.engine = e
	e.cleaner.engine, e.cleaner.total = e, e.restored.Bytes
	e.log = commit.New(commit.Config[telling]{
		Journal: cfg.Journal, Next: next, Tell: e.tellAll, Failed: e.failed, Work: e.cleaner.work,
		Head:   func(b []byte) []byte { return record.AppendHead(b, record.Head{Time: e.wallNow().UnixNano()}) },
		Logger: cfg.Logger,
	})
	e.clients.note = e.noteAside
	e.noteMaster()
	for _, q := range e.all() {
		q.loseOwn()
	}
	go e.runClock() // ended and waited for by Close
	return e, nil
}

// noteMaster records who writes.
func (e *Engine) noteMaster() {
	s := e.log.Enter()
	e.said = s.Pos()
	e.log.Leave(s, record.AppendMaster(nil, &record.Master{Epoch: e.epoch, Start: e.start.UnixNano(), Last: e.newestID()}), nil, commit.Written, 0)
}

// noteApart records what belongs to no queue, and what nobody waits for: what
// depends on it is recorded after it.
func (e *Engine) noteApart(recs []byte) { e.noteAside(recs, commit.Written) }

func (e *Engine) noteAside(recs []byte, d commit.Durability) {
	s := e.log.Enter()
	e.log.Leave(s, recs, nil, d, 0)
}

// Remember records what became of a request of c that was carried out, after
// what it did was recorded.
func (e *Engine) Remember(c *Client, req uint64, first reeve.ID) {
	if e.log != nil {
		e.noteApart(record.AppendRequest(nil, &record.Request{Client: c.no, Req: req, Count: 1, First: first, Low: c.low()}))
	}
}

// failed is called when the journal has failed: nothing can be promised any
// more.
func (e *Engine) failed(err error) {
	if e.cfg.Failed != nil {
		e.cfg.Failed(err)
	}
}

// journalFull reports whether nothing new can be recorded for want of space.
func (e *Engine) journalFull() bool { return e.log != nil && e.log.Full() }

// Clients is the memory of the clients' requests.
func (e *Engine) Clients() *Clients { return e.clients }

// Epoch names the memory that the engine has: it is another one when it began
// without any.
func (e *Engine) Epoch() uint64 { return e.epoch }

// Recovered is what the journal gave back.
func (e *Engine) Recovered() Recovered { return e.restored }

// CommitStats counts what was written to the journal; zero without one.
func (e *Engine) CommitStats() commit.Stats {
	if e.log == nil {
		return commit.Stats{}
	}
	return e.log.Stats()
}

// endJournal writes what there is to write, and closes the journal.
func (e *Engine) endJournal() error {
	if e.log == nil {
		return nil
	}
	err := e.log.Close()
	e.pager.gone.Wait()
	if closing := e.cfg.Journal.Close(); err == nil {
		err = closing
	}
	return err
}

// PinJournal keeps frames from being trimmed until unpin, and tells which there
// are: the last one is durable. [reeve.ErrNoJournal].
func (e *Engine) PinJournal() (first, last journal.Pos, unpin func(), err error) {
	if e.log == nil {
		return 0, 0, nil, reeve.ErrNoJournal
	}
	e.pinning.Lock()
	if e.pins == nil {
		e.pins = map[*journal.Pos]struct{}{}
	}
	p := new(journal.Pos(e.cleaner.trimmed.Load()))
	e.pins[p] = struct{}{}
	e.pinning.Unlock()
	unpin = func() {
		e.pinning.Lock()
		delete(e.pins, p)
		e.pinning.Unlock()
	}
	last = e.log.Told() // what was acknowledged is among these
	return *p, last, unpin, nil
}

// ReadFrame returns a frame of the journal. [reeve.ErrNoJournal].
func (e *Engine) ReadFrame(ctx context.Context, p journal.Pos) ([]byte, error) {
	if e.log == nil {
		return nil, reeve.ErrNoJournal
	}
	return e.cfg.Journal.Read(ctx, p)
}

// newEpoch is never 0, and positive as a signed number.
func newEpoch() uint64 { return rand.Uint64()>>1 | 1 }
