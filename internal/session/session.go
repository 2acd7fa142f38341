// Package session carries a few streams over one secured connection: yamux,
// with what it takes to rely on it. Frames leave in whole and gather while a
// write is in progress; a write that takes too long, a frame against the
// rules or a flood of pings or streams ends the session, with a cause; Close
// is prompt whatever the connection does.
//
// It does not secure the connection, say hello or goodbye, send heartbeats,
// or know anything of what is said on a stream but the first byte, its Kind.
// A peer that is silent is not noticed here: Session.Silent tells for how
// long it has been, and the caller decides.
//
// Rules. A session owns its connection. Few streams live long: there is at
// most one Control and one Calls stream, and Bulk streams are for large
// payloads. A stream is read by one goroutine and written by one at a time.
// Whatever goes wrong with a write ends the session, since yamux does not
// know what has been sent then; nothing is ever tried again on the same one.
package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	// streamLinger is how long a stream closed here waits for the peer to
	// close it as well, before the session ends. yamux could give up the stream
	// alone, but its timer for that outlives the session.
	streamLinger = 30 * time.Second

	// closeGrace bounds how long Close waits for the goroutines of a
	// session: a connection that does not return from Read or Write when it
	// is closed must not hold up its user.
	closeGrace = time.Second
)

// Session is one end of a connection that carries streams. Its methods may be
// called from any goroutine.
type Session struct {
	cfg   Config
	raw   net.Conn
	begin time.Time

	reader *reader
	writer *writer
	dog    *watchdog
	events events
	theirs *slots // streams opened by the peer
	ours   *slots

	done chan struct{} // closed when the session has ended

	accepting chan struct{} // cap 1: held by the caller that accepts
	half      *Stream       // accepted, but its kind has not come yet; owned by who accepts

	opening sync.Mutex // held by who opens a stream
	next    uint32     // its number; guarded by opening

	mu     sync.Mutex // guards the fields below
	mux    *yamux.Session
	cause  error
	kinds  [kindCount]bool          // of the kinds that exist once: taken
	linger map[*time.Timer]struct{} // of streams that the peer has to close
}

// Client begins a session on the end that opened the connection. The two ends
// must take different roles. The session owns conn from here on, and closes it
// if the Config is refused, too.
func Client(conn net.Conn, cfg Config) (*Session, error) { return start(conn, cfg, true) }

// Server begins a session on the end that accepted the connection.
func Server(conn net.Conn, cfg Config) (*Session, error) { return start(conn, cfg, false) }

func start(conn net.Conn, cfg Config, client bool) (*Session, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		conn.Close()
		return nil, err
	}
	s := &Session{
		cfg:       cfg,
		raw:       conn,
		begin:     time.Now(),
		done:      make(chan struct{}),
		accepting: make(chan struct{}, 1),
	}
	// Deadlines left over from a handshake would end the session later.
	if err := conn.SetDeadline(time.Time{}); err != nil {
		conn.Close()
		return nil, lost(err)
	}
	s.events.window = cfg.Window
	s.theirs = newSlots(cfg.MaxStreams)
	s.ours = newSlots(cfg.MaxStreams)
	s.dog = newWatchdog(s.clock, cfg.WriteTimeout, func() { s.Fail(ErrWriteTimeout) })
	s.reader = &reader{
		raw:    conn,
		guard:  newGuard(cfg, s.clock, client, s.theirs, s.ours),
		clock:  s.clock,
		fail:   s.Fail,
		events: &s.events,
	}
	s.writer = newWriter(conn, &s.reader.reads, s.dog, s.Fail)

	// yamux's goroutines begin at once and may end the session before mux is
	// set: whoever wants mux takes the lock.
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if client {
		s.next = 1
		s.mux, err = yamux.Client((*muxConn)(s), muxConfig(cfg))
	} else {
		s.next = 2
		s.mux, err = yamux.Server((*muxConn)(s), muxConfig(cfg))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("session: %w", err)
	}
	return s, nil
}

// clock is the time since the session began.
func (s *Session) clock() time.Duration { return time.Since(s.begin) }

// LastRead tells when the last byte came from the peer, or when the session
// began if none has. It costs next to nothing.
func (s *Session) LastRead() time.Time {
	return s.begin.Add(time.Duration(s.reader.last.Load()))
}

// Silent is how long before now the last byte came from the peer. It is not
// negative.
func (s *Session) Silent(now time.Time) time.Duration {
	return max(0, now.Sub(s.LastRead()))
}

// Flush waits until all that has been written to streams has been handed to
// the connection. It fails with what ended the session, or with ctx's error.
func (s *Session) Flush(ctx context.Context) error {
	err := s.writer.flush(ctx)
	if err != nil && s.Err() != nil {
		return s.Err()
	}
	return err
}

// Done returns a channel that is closed when the session has ended. Bytes
// that had come before can still be read from its streams.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err tells why the session has ended: an error that is ErrClosed, ErrLost,
// ErrWriteTimeout or ErrProtocol, or what was given to Fail. It is nil while
// the session lives.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// LocalAddr returns the connection's local address.
func (s *Session) LocalAddr() net.Addr { return s.raw.LocalAddr() }

// RemoteAddr returns the connection's remote address.
func (s *Session) RemoteAddr() net.Addr { return s.raw.RemoteAddr() }

// Close ends the session at once: what has been written and not been sent is
// lost (see Flush), and every call on the session and its streams fails with
// ErrClosed. It returns when the session's goroutines have ended, and does
// not wait for that longer than a second. Further calls do no harm. It
// always returns nil.
func (s *Session) Close() error {
	s.Fail(ErrClosed)
	s.mu.Lock()
	mux := s.mux
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends when the connection has let go of Read and Write
		defer close(ended)
		mux.Close()
	}()
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
	}
	return nil
}

// Fail ends the session as Close does, with a cause of the caller's, and
// without waiting for anything. Only the first cause counts.
func (s *Session) Fail(cause error) {
	if cause == nil {
		cause = ErrClosed
	}
	s.mu.Lock()
	first := s.cause == nil
	if first {
		s.cause = cause
		close(s.done) // with the cause: whoever fails second may rely on both
	}
	s.mu.Unlock()
	if !first {
		return
	}
	s.cfg.Logger.Debug("session ended", "peer", s.raw.RemoteAddr(), "cause", cause)
	s.dog.close()
	s.writer.close()
	closeNow(s.raw)
	s.mu.Lock()
	for t := range s.linger {
		t.Stop()
	}
	s.linger = nil
	s.mu.Unlock()
	s.events.end()
}

// closeNow closes a connection without the farewell of TLS, which waits up to
// 5 s for a peer that takes nothing. The layer above has a goodbye of its own.
func closeNow(conn net.Conn) {
	if tls, ok := conn.(interface{ NetConn() net.Conn }); ok {
		tls.NetConn().Close()
	}
	conn.Close()
}

// lost makes a connection's error the cause of a session's end.
func lost(err error) error {
	if errors.Is(err, ErrLost) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}
