// Package nats measures NATS JetStream as a queue: a stream with work-queue
// retention and a pull consumer for each queue, explicit acknowledgements, and
// the official Go client. Core NATS, which keeps nothing, is not measured.
//
// Items are published with confirms, and a task is acknowledged only after its
// result was confirmed. JetStream confirms no ordinary acknowledgement: the naive
// use waits for a confirmed one ("double ack"), the others only until the server
// has read them.
package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/reeveq/reeve/bench/internal/system"
)

// batch is how many items a workload puts or takes at a time.
const batch = 256

// How items are published.
const (
	oneByOne = iota
	async
	batches
)

// Systems are the ways of using JetStream that are measured.
func Systems() []system.System {
	return []system.System{
		&use{name: "nats-jetstream", publish: async,
			about: "nats.go, JetStream work-queue streams: PublishAsync in windows of 512 with confirms, pulled with credit ahead, an ack per task"},
		&use{name: "nats-jetstream-batch", publish: batches,
			about: "the same, but published in batches with one confirm and one sync, by hand as the library has no call for it"},
		&use{name: "nats-jetstream-naive", publish: oneByOne,
			about: "nats.go, the same streams one item at a time: Publish, Next, DoubleAck"},
	}
}

// use is a way of using JetStream.
type use struct {
	name, about string
	publish     int

	mu       sync.Mutex // guards declared, and is held while one is declared
	declared map[string]bool
}

func (u *use) Name() string        { return u.name }
func (u *use) About() string       { return u.about }
func (u *use) Group() system.Group { return system.Peer }

func (u *use) Batch() int {
	if u.publish == oneByOne {
		return 1
	}
	return batch
}

func (*use) Build(ctx context.Context) error {
	_, err := build(ctx)
	return err
}

func (u *use) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	return start(ctx, set)
}

func (u *use) Dial(ctx context.Context, endpoint string) (system.Client, error) {
	addr, storage, ok := strings.Cut(endpoint, " ")
	if !ok {
		return nil, fmt.Errorf("nats: no storage in the endpoint %q", endpoint)
	}
	timeout := time.Minute
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	l := &link{use: u, endpoint: endpoint, closed: make(chan struct{})}
	if storage == fileStorage {
		l.storage = jetstream.FileStorage
	} else {
		l.storage = jetstream.MemoryStorage
	}
	var err error
	if l.conn, err = nats.Connect("nats://"+addr, nats.NoReconnect(), nats.Timeout(timeout),
		nats.ClosedHandler(func(*nats.Conn) { close(l.closed) })); err != nil {
		return nil, err
	}
	if l.js, err = jetstream.New(l.conn); err != nil {
		l.conn.Close()
		return nil, err
	}
	if u.publish == oneByOne {
		return &naiveClient{link: l}, nil
	}
	return &client{link: l}, nil
}

// link is a connection, in either use.
type link struct {
	use      *use
	endpoint string
	storage  jetstream.StorageType
	conn     *nats.Conn
	js       jetstream.JetStream // for requests, not for publishing asynchronously
	closed   chan struct{}       // closed with conn
}

// declare sees to it that the stream and the consumer of a queue exist. A
// process asks for each of them once.
func (l *link) declare(ctx context.Context, queue string) error {
	u, key := l.use, l.endpoint+" "+queue
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.declared[key] {
		return nil
	}
	stream, err := l.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: queue, Subjects: []string{queue}, Retention: jetstream.WorkQueuePolicy, Storage: l.storage,
		AllowBatchPublish: true, AllowAtomicPublish: true,
	})
	if err != nil {
		return fmt.Errorf("nats: stream %s: %w", queue, err)
	}
	// As long as acknowledgements take at worst, so that nothing comes twice.
	const redeliverAfter = time.Minute
	_, err = stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: queue, AckPolicy: jetstream.AckExplicitPolicy, AckWait: redeliverAfter,
		MaxAckPending: -1, MaxWaiting: maxPulls, MemoryStorage: l.storage == jetstream.MemoryStorage,
	})
	if err != nil {
		return fmt.Errorf("nats: consumer of %s: %w", queue, err)
	}
	if u.declared == nil {
		u.declared = make(map[string]bool)
	}
	u.declared[key] = true
	return nil
}

// errClosed is that a connection has ended.
var errClosed = errors.New("nats: the connection is closed")

func (l *link) Close() error {
	l.conn.Close()
	return nil
}

var _ system.Built = (*use)(nil)
