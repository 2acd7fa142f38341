package manager

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/blob"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/internal/wire"
	"golang.org/x/sync/semaphore"
)

// Master hosts named queues. All methods are safe for concurrent use.
type Master struct {
	cfg       Config
	engine    *queue.Engine
	clients   *queue.Clients
	host      *shared.Host   // of what is shared besides queues
	objects   *shared.Caller // of this process
	exposed   *expose.Set    // values of this process
	blobs     *blob.Store
	auth      *auth.Server
	local     *local
	epoch     uint64              // changes when the master starts without its memory
	receiving *semaphore.Weighted // bytes of large requests on their way in
	counts    counts
	notices   notices
	opening   opening
	asked     shutdowns

	recovered Recovered
	failed    atomic.Pointer[error] // why the journal failed

	spy        atomic.Pointer[func(wire.Type)] // tests only: called before each request is carried out
	backupFrom atomic.Pointer[frameSource]     // tests only: in place of the engine

	ctx      context.Context // ends when everything is to stop now, with the cause
	cancel   context.CancelCauseFunc
	stopping atomic.Bool // Shutdown or Close was called, or the journal failed
	conns    sync.WaitGroup
	crew     crew // of all sessions

	mu        sync.Mutex // guards the fields below
	listeners map[*listening]struct{}
	sessions  map[*session]struct{}
	byClient  map[queue.ClientID]*session
	perKey    map[string]int
	lastID    uint64
	sweeping  bool
}

// New makes a master, with the queues that its journal has, or none. Reading the
// journal takes a second for about a million tasks. What is wrong with it is a
// [*journal.CorruptError], [journal.ErrNewer], or whatever else the journal's
// Replay says. The master serves nobody until Serve; Close, or Shutdown,
// releases what it holds.
func New(cfg Config) (*Master, error) {
	m, err := newMaster(cfg)
	if err != nil {
		if cfg.Journal != nil {
			cfg.Journal.Close() // why there is no master matters more
		}
		return nil, err
	}
	if err := m.openEngine(); err != nil { // which has closed the journal
		return nil, err
	}
	return m, nil
}

// newMaster makes a master, but for its engine.
func newMaster(cfg Config) (*Master, error) {
	if err := cfg.withDefaults().validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	keys := cfg.Keys
	if keys == nil {
		var err error
		if keys, err = auth.Keys(cfg.AuthKey); err != nil {
			return nil, err
		}
	}
	server, err := auth.NewServer(auth.ServerConfig{Keys: keys, Timeout: cfg.LoginTimeout, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	m := &Master{
		cfg:       cfg,
		auth:      server,
		receiving: semaphore.NewWeighted(cfg.MaxReceiving),
		listeners: map[*listening]struct{}{},
		sessions:  map[*session]struct{}{},
		byClient:  map[queue.ClientID]*session{},
		perKey:    map[string]int{},
	}
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
	m.openObjects()
	if err := m.openBlobs(); err != nil {
		m.cancel(err)
		return nil, err
	}
	return m, nil
}

// Queue declares the queue name and returns this process's handle of it. It is
// the same queue when it was declared before with an equal configuration, and
// [reeve.ErrQueueExists] with another one; [reeve.ErrInvalid] names a field
// that is out of range. Clients that are connected already keep their tasks for
// three of the heartbeats they know, if that is longer than cfg.Lease.
func (m *Master) Queue(name string, cfg reeve.QueueConfig) (reeve.Queue, error) {
	if _, err := m.engine.Declare(name, cfg); err != nil {
		return nil, err
	}
	return newLocalQueue(m.local, name), nil
}

// Lookup returns this process's handle of a queue that was declared, or a
// [*reeve.NoSuchQueueError].
func (m *Master) Lookup(name string) (reeve.Queue, error) {
	if _, err := m.engine.Lookup(name); err != nil {
		return nil, err
	}
	return newLocalQueue(m.local, name), nil
}

// QueueOf returns the typed handle of a queue that was declared. Payloads are
// CBOR unless another codec is given.
func QueueOf[T any](m *Master, name string, c ...reeve.Codec) (*reeve.TypedQueue[T], error) {
	q, err := m.Lookup(name)
	if err != nil {
		return nil, err
	}
	cd := codec.CBOR
	if len(c) > 0 {
		cd = c[0]
	}
	return reeve.NewTypedQueue[T](q, cd), nil
}

// QueueStats returns the numbers of all queues in the order of declaration.
func (m *Master) QueueStats() []reeve.QueueStats { return m.engine.Stats() }
