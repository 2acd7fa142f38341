package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/queue"
	transport "github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/wire"
)

// helloTimeout is how long a client that proved itself may take to say hello.
const helloTimeout = 10 * time.Second

// session is one connected client.
type session struct {
	m         *Master
	id        uint64
	mux       *transport.Session
	peer      *auth.Peer
	hello     wire.Hello
	heartbeat time.Duration
	holder    *queue.Holder
	client    *queue.Client
	objects   *shared.Link
	since     time.Time
	out       outbox
	consumers consumers
	wishes    wishes
	subs      subscriptions
	backups   backups
	looking   lane // requests that look at much
	acting    lane // requests that do something to many tasks
	asked     asked
	told      told
	readers   sync.WaitGroup
	done      chan struct{} // closed when the session is over and its leases are given up

	why      atomic.Pointer[error] // why it ends, once that is known
	farewell atomic.Bool           // the client said goodbye
	silent   atomic.Bool           // it ended because nothing came
	waiting  atomic.Int64          // Gets, Joins, Waits and Commands without an answer

	control    *transport.Stream
	first      *inbound      // of control
	controlled chan struct{} // cap 1: whoever writes on control has its place; in frame, too
	frame      []byte

	accepting sync.Mutex        // held while a stream is accepted and noted; taken before mu
	bulk      *transport.Stream // owned by outbox.flushBulk

	mu    sync.Mutex // guards the fields below; taken after queues' mutexes, and never held for long
	over  bool       // no reader may be started any more
	calls *transport.Stream
}

func (m *Master) maxFrame() int { return int(m.cfg.MaxPayload) + frameExtra }

// runSession serves one authenticated client until its session ends.
func (m *Master) runSession(conn net.Conn, peer *auth.Peer) {
	mux, err := transport.Server(conn, transport.Config{WriteTimeout: m.cfg.WriteTimeout, Logger: m.cfg.Logger})
	if err != nil {
		m.cfg.Logger.Debug("session not started", "remote", peer.Remote, "err", err)
		return
	}
	s := &session{m: m, mux: mux, peer: peer, done: make(chan struct{}), controlled: make(chan struct{}, 1)}
	stop := context.AfterFunc(m.ctx, func() { mux.Fail(reeve.ErrClosed) })
	err = s.greet()
	stop() // from here on the master ends the sessions it knows
	if err != nil {
		s.fail(err)
		mux.Close()
		s.count()
		m.cfg.Logger.Debug("session not started", "remote", peer.Remote, "kid", peer.KeyID, "err", err)
		return
	}
	m.cfg.Logger.Debug("session begins", "session", s.id, "remote", peer.Remote, "kid", peer.KeyID,
		"host", s.hello.Host, "pid", s.hello.PID, "name", s.hello.Name)
	s.listen()
}

// count counts why the session is over, and tells the operator of a client
// that broke the rules.
func (s *session) count() {
	err := s.reason()
	if !errors.Is(err, reeve.ErrProtocol) && !errors.Is(err, transport.ErrProtocol) {
		return
	}
	s.m.counts.protocol.Add(1)
	if s.m.notices.due(s.peer.Remote) {
		s.m.cfg.Logger.Warn("a client broke the protocol: its session was ended", "remote", s.peer.Remote,
			"kid", s.peer.KeyID, "impl", s.hello.Impl, "host", s.hello.Host, "pid", s.hello.PID, "cause", err)
	}
}

// blame notes why the session ends; the first cause counts.
func (s *session) blame(cause error) { s.why.CompareAndSwap(nil, &cause) }

// reason is why the session has ended.
func (s *session) reason() error {
	if why := s.why.Load(); why != nil {
		return *why
	}
	return s.mux.Err()
}

// end gives up what the session held.
func (s *session) end() {
	farewell := s.farewell.Load()
	if (s.silent.Load() || s.m.leavesLeases()) && !farewell {
		s.holder.Leave()
	} else {
		s.holder.Release(farewell)
	}
	s.out.close()
	s.subs.end()
	s.told.end(s)
	s.asked.end()
	// What has begun to be done to many tasks is finished, so that it is not
	// done again when the client comes back and asks for it.
	s.looking.end()
	s.acting.end()
	s.backups.end() // after looking, which asks for them
	s.objects.Detach(farewell)
	s.m.clients.Detach(s.client)
	if s.farewell.Load() {
		s.m.clients.Drop(s.client)
	}
	// Last: from here on a session of the same client may begin, and what is
	// remembered of the client is that session's.
	s.m.remove(s)
	close(s.done)
}

// fail ends the session with a cause; the first counts.
func (s *session) fail(cause error) {
	s.blame(cause)
	s.mux.Fail(cause)
}

// minRate is how fast a large frame must arrive on the whole, in bytes per
// second, after a first WriteTimeout: it keeps others from sending theirs.
const minRate = 64 << 10

// receive waits for room for a large frame of n bytes, over all sessions.
func (s *session) receive(n int) (release func(), err error) {
	if !s.m.receiving.TryAcquire(int64(n)) {
		ctx, cancel := context.WithCancel(s.m.ctx)
		defer cancel()
		go func() { // ends when receive returns
			select {
			case <-s.mux.Done():
				cancel()
			case <-ctx.Done():
			}
		}()
		if err := s.m.receiving.Acquire(ctx, int64(n)); err != nil {
			return nil, err
		}
	}
	limit := s.m.cfg.WriteTimeout + time.Duration(n/minRate)*time.Second
	timer := time.AfterFunc(limit, func() {
		s.fail(fmt.Errorf("%w: a frame of %d bytes did not arrive within %v", reeve.ErrProtocol, n, limit))
	})
	return func() {
		timer.Stop()
		s.m.receiving.Release(int64(n))
	}, nil
}

// bulkStream opens the stream for large frames to the client.
func (s *session) bulkStream() (*transport.Stream, error) {
	if s.bulk == nil {
		ctx, cancel := context.WithTimeout(s.m.ctx, s.m.cfg.WriteTimeout)
		defer cancel()
		st, err := s.mux.Open(ctx, transport.Bulk)
		if err != nil {
			return nil, err
		}
		s.bulk = st
	}
	return s.bulk, nil
}

// guarded runs f, which carries out the message with requests req to
// req+count-1: a panic in it is their error and nobody else's.
func (s *session) guarded(t wire.Type, req uint64, count int, f func() error) error {
	return s.protected(req, count, func() error {
		if spy := s.m.spy.Load(); spy != nil {
			(*spy)(t)
		}
		return f()
	})
}

func (s *session) protected(req uint64, count int, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p, req, count)
			err = nil
		}
	}()
	return f()
}

// panicked answers those of the requests req to req+count-1 that have no
// answer because of the panic p.
func (s *session) panicked(p any, req uint64, count int) {
	stack := string(debug.Stack())
	s.m.counts.panics.Add(1)
	s.m.cfg.Logger.Error("a request panicked", "session", s.id, "request", req, "panic", p, "stack", stack)
	if !s.m.cfg.Debug {
		stack = ""
	}
	err := fmt.Errorf("%w: panic: %v", reeve.ErrInternal, p)
	for r := req; r-req < uint64(count); r++ {
		if _, done, _, _ := s.client.Seen(r); !done {
			s.client.Finish(r, 1, 0, err)
			s.out.message(wire.ErrorFor(r, err, stack))
		}
	}
}

// The engine tells the session by these; see queue.Sink and queue.Replier.

func (s *session) Deliver(tag uint64, queue string, t *reeve.Task) { s.out.deliver(tag, queue, t) }

func (s *session) Got(tag uint64, queue string, ts []reeve.Task, err error) {
	s.waiting.Add(-1)
	s.wishes.remove(wisher{id: tag})
	switch {
	case err == nil:
		s.out.answer(delivery{req: tag, queue: queue, task: ts[0], rest: ts[1:]})
	case !s.goesOn(err):
		s.out.refuse(tag, err)
	}
}

func (s *session) End(tag uint64, queue string, err error) {
	s.endConsumer(tag)
	if !s.goesOn(err) {
		s.out.message(&wire.End{Consumer: tag, Queue: queue, Code: wire.Code(err), Text: err.Error()})
	}
}

func (s *session) Lost(t reeve.Token, cause error) { s.out.leaseLost(t, cause) }

func (s *session) Wake() { s.out.wake() }

func (s *session) Decide(tag uint64, count int, first reeve.ID, err error) *queue.Client {
	if s.goesOn(err) {
		return nil
	}
	s.client.Finish(tag, count, first, err)
	return s.client
}

func (s *session) Reply(tag uint64, count int, first reeve.ID, err error) {
	if !s.goesOn(err) {
		s.answer(tag, count, first, err)
	}
}

// settle notes the outcome of requests that the engine does not answer itself,
// and answers them when what they did is durable.
func (s *session) settle(req uint64, count int, first reeve.ID, err error) {
	if s.Decide(req, count, first, err) == nil {
		return
	}
	if err == nil {
		s.m.engine.Remember(s.client, req, first)
	}
	s.m.engine.After(func(failed error) {
		s.Reply(req, count, first, cmp.Or(err, failed))
		s.Wake()
	})
}

// joiner takes the answer to a Join.
type joiner struct{ s *session }

func (j joiner) Decide(tag uint64, count int, first reeve.ID, err error) *queue.Client {
	j.s.Decide(tag, count, first, err)
	return nil // it changed nothing
}

func (j joiner) Reply(tag uint64, count int, first reeve.ID, err error) {
	j.s.waiting.Add(-1)
	j.s.Reply(tag, count, first, err)
}

// goesOn reports that the request fails only because the master is going, in
// order or because its journal failed: the client, which sees its session end,
// sends it again to the next, which knows whether it was carried out.
func (s *session) goesOn(err error) bool {
	return err != nil && s.m.stopping.Load() && (errors.Is(err, reeve.ErrClosed) || errors.Is(err, reeve.ErrJournal))
}

func (s *session) answer(req uint64, count int, first reeve.ID, err error) {
	if err == nil {
		s.out.confirm(req, count, first)
		return
	}
	for i := range uint64(count) {
		e := wire.ErrorFor(req+i, err, "")
		if first != 0 {
			e.First = uint64(first)
		}
		s.out.message(e)
	}
}
