package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/address"
)

// acceptPause is how long Serve waits when the system is out of files or
// memory for the moment.
const acceptPause = 20 * time.Millisecond

// listening is one Serve in progress.
type listening struct{ ln net.Listener }

// ListenAndServe listens on addr, which is "host:port", or "unix:/path" for a
// Unix socket, and serves it; see Serve. A socket's file is its owner's only,
// and one that a killed master has left behind is replaced.
func (m *Master) ListenAndServe(ctx context.Context, addr string) error {
	ln, err := address.Listen(ctx, addr)
	if err != nil {
		return fmt.Errorf("manager: %w", err)
	}
	return m.Serve(ctx, ln)
}

// Serve accepts clients from ln until ctx ends, ln is closed, the master is shut
// down, or its journal fails, and closes ln. When ctx ends, the master is
// closed: Serve returns what Close does. It returns [reeve.ErrClosed] when the
// master was shut down or closed before or meanwhile, and an error that matches
// [reeve.ErrJournal], after every session has ended, when the journal failed.
// Several listeners may be served at a time. Config.OnStart runs before the
// first one is.
func (m *Master) Serve(ctx context.Context, ln net.Listener) error {
	l := &listening{ln: ln}
	if err := m.open(ctx, l, nil); err != nil {
		return err
	}
	return m.accept(ctx, l)
}

// accept is Serve for a listener that was let in.
func (m *Master) accept(ctx context.Context, l *listening) error {
	ln := l.ln
	defer m.stopListening(l)
	stop := context.AfterFunc(ctx, func() { m.Close() })
	defer stop()
	for {
		c, err := ln.Accept()
		switch {
		case err == nil:
		case m.failure() != nil:
			m.conns.Wait()
			return m.failure()
		case ctx.Err() != nil:
			return m.Close()
		case m.stopping.Load():
			return reeve.ErrClosed
		case errors.Is(err, net.ErrClosed):
			return nil
		case isTemporary(err):
			select {
			case <-ctx.Done():
			case <-m.ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		default:
			return fmt.Errorf("manager: accept: %w", err)
		}
		m.counts.accepted.Add(1)
		ticket := m.auth.Admit(c)
		if !m.start(func() {
			conn, peer, err := ticket.Handshake(m.ctx)
			if err != nil {
				return // logged by auth
			}
			m.runSession(conn, peer)
		}) {
			ticket.Close()
		}
	}
}

// start runs f in a goroutine that Close waits for; false when it is too late.
func (m *Master) start(f func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		return false
	}
	m.conns.Go(f)
	return true
}

// startListening notes the listener and runs serve in the background, unless it
// is nil; false when it is too late.
func (m *Master) startListening(l *listening, serve func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopping.Load() {
		return false
	}
	m.listeners[l] = struct{}{}
	if !m.sweeping {
		m.sweeping = true
		m.conns.Go(m.sweep) // ends with m.ctx; waited for by Close
	}
	if serve != nil {
		m.opening.background.Go(serve) // ends with the listener; waited for by Close
	}
	return true
}

func (m *Master) stopListening(l *listening) {
	l.ln.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.listeners, l)
}

// Shutdown ends the master in order: it takes no new clients and hands out
// nothing more, waits until the leases that stand are ended or ctx ends, says
// goodbye to its clients and closes. Clients keep trying to come back. It
// returns ctx's error when leases still stood, or else what Close returns. What
// queues without a journal hold is gone then; with one, leases that still stood
// stand for the next master, too, until they run out.
func (m *Master) Shutdown(ctx context.Context) error {
	m.stopping.Store(true)
	m.closeListeners()
	m.engine.Stop()
	err := m.waitForLeases(ctx)
	var goodbyes sync.WaitGroup // side by side: a client that is cut off costs a second
	for _, s := range m.allSessions() {
		goodbyes.Go(func() { s.goodbye(reeve.ErrClosed) })
	}
	goodbyes.Wait()
	return cmp.Or(m.Close(), err)
}

// leasePoll is how often Shutdown looks whether leases still stand.
const leasePoll = 5 * time.Millisecond

func (m *Master) waitForLeases(ctx context.Context) error {
	tick := time.NewTicker(leasePoll)
	defer tick.Stop()
	for m.engine.Leased() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.ctx.Done(): // nobody is there to end them
			return nil
		case <-tick.C:
		}
	}
	return nil
}

// Close ends the master now: every session ends without a goodbye, and the
// journal is made durable and closed. It returns when all the master's
// goroutines have ended. Further calls do no harm and return the same: nil, or
// an error that matches [reeve.ErrJournal] when the journal failed, before or
// thereby.
func (m *Master) Close() error {
	m.end(reeve.ErrClosed)
	m.objects.Close(true)
	m.host.Close()
	m.exposed.Close()
	m.conns.Wait()
	m.crew.close()
	m.opening.background.Wait()
	err := journalError(m.engine.Close())
	m.blobs.Close(reeve.ErrClosed)
	return cmp.Or(m.failure(), err)
}

// end stops everything, for a cause, of which the first counts. It waits for
// nothing.
func (m *Master) end(cause error) {
	m.stopping.Store(true)
	m.closeListeners()
	m.mu.Lock()
	m.cancel(cause) // from here on start refuses
	m.mu.Unlock()
	for _, s := range m.allSessions() {
		s.fail(cause)
	}
}

func (m *Master) closeListeners() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for l := range m.listeners {
		l.ln.Close()
	}
}

func (m *Master) allSessions() []*session {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*session, 0, len(m.sessions))
	for s := range m.sessions {
		all = append(all, s)
	}
	return all
}

func isTemporary(err error) bool {
	var ne net.Error
	// Temporary is deprecated for lack of a meaning in general; from Accept it
	// means one thing: out of files or memory, or a client that is gone.
	//lint:ignore SA1019 see above
	return errors.As(err, &ne) && ne.Temporary()
}
