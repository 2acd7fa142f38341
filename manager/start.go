package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/address"
)

// ErrStarted is the error of a second Start.
var ErrStarted = errors.New("manager: the master was started already")

// opening is what a master keeps of how it began to be served.
type opening struct {
	background sync.WaitGroup // for what Start began

	order  sync.Mutex // held while Config.OnStart runs; taken before Master.mu
	opened bool       // OnStart has run; guarded by order

	// Guarded by Master.mu.
	addr    net.Addr // of the first listener; nil: there was none
	started bool     // Start was called, and has not failed
}

// Start listens on addr, as ListenAndServe does, and serves clients in the
// background until the master is shut down, closed, or fails; see Join. When it
// returns, clients can connect to Addr. ctx is for Start only, which waits for
// nothing but Config.OnStart.
//
// A second Start is [ErrStarted]; after Shutdown or Close it is
// [reeve.ErrClosed]. After an error it may be tried again. For further addresses
// there is Serve.
func (m *Master) Start(ctx context.Context, addr string) (err error) {
	if err := m.claimStart(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			m.mu.Lock()
			m.opening.started = false
			m.mu.Unlock()
		}
	}()
	ln, err := address.Listen(ctx, addr)
	if err != nil {
		return fmt.Errorf("manager: %w", err)
	}
	l := &listening{ln: ln}
	return m.open(ctx, l, func() {
		if err := m.accept(context.Background(), l); err != nil && m.ctx.Err() == nil && !m.stopping.Load() {
			// Nobody is told but Join: a master that cannot be reached is over.
			m.cfg.Logger.Error("the master cannot be reached any more: it ends", "addr", ln.Addr().String(), "err", err)
			m.end(err)
		}
	})
}

func (m *Master) claimStart() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.stopping.Load():
		return m.closed()
	case m.opening.started:
		return ErrStarted
	}
	m.opening.started = true
	return nil
}

// closed is the error of what comes too late.
func (m *Master) closed() error { return cmp.Or(m.failure(), reeve.ErrClosed) }

// open lets l in, after OnStart if it is the first listener, and runs serve in
// the background, unless it is nil. On an error the listener is closed.
func (m *Master) open(ctx context.Context, l *listening, serve func()) error {
	o := &m.opening
	o.order.Lock()
	defer o.order.Unlock()
	if m.stopping.Load() {
		l.ln.Close()
		return m.closed()
	}
	if !o.opened {
		m.setAddr(l.ln.Addr())
		if err := m.onStart(ctx); err != nil {
			m.setAddr(nil)
			l.ln.Close()
			return err
		}
		o.opened = true
	}
	if !m.startListening(l, serve) {
		l.ln.Close()
		return m.closed()
	}
	return nil
}

func (m *Master) onStart(ctx context.Context) error {
	if m.cfg.OnStart == nil {
		return nil
	}
	if err := m.cfg.OnStart(ctx, m); err != nil {
		return fmt.Errorf("manager: Config.OnStart: %w", err)
	}
	return nil
}

func (m *Master) setAddr(a net.Addr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opening.addr = a
}

// Addr is the address of the listener that was served first, with the real port
// where port 0 was asked for; its String is what clients dial. It is nil before,
// and stays when the master is over.
func (m *Master) Addr() net.Addr {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.opening.addr
}

// Join waits until the master is over and all its goroutines have ended, or
// until ctx ends, whose cause it returns then. It returns nil after Shutdown or
// Close, by this program or a client; an error that matches [reeve.ErrJournal]
// when the journal failed; or why nobody could connect any more to a master that
// was started by Start.
func (m *Master) Join(ctx context.Context) error {
	select {
	case <-m.ctx.Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := m.Close(); err != nil {
		return err
	}
	m.asked.ending.Wait()
	if why := context.Cause(m.ctx); !errors.Is(why, reeve.ErrClosed) {
		return why
	}
	return nil
}
