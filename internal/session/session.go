// Package session carries a few streams over one secured connection: the
// protocol of yamux, version 0, and what it takes to rely on it. Frames leave
// in whole and gather while a write is in progress; a write that takes too
// long, a frame against the rules or a flood of pings or streams ends the
// session, with a cause; Close is prompt whatever the connection does.
//
// It does not secure the connection, say hello or goodbye, send heartbeats,
// or know anything of what is said on a stream but the first byte, its Kind.
// A peer that is silent is not noticed here: Session.Silent tells for how
// long it has been, and the caller decides.
//
// Rules. A session owns its connection. Few streams live long: there is at
// most one Control and one Calls stream, and Bulk streams are for large
// payloads. A stream is read by one goroutine and written by one at a time.
// Whatever goes wrong with a write ends the session, since nobody knows what
// has been sent then; nothing is ever tried again on the same one.
//
// Cost. A session has one goroutine, which reads the connection, and no buffer
// while nothing comes or goes; who writes to a stream writes to the connection.
// hashicorp/yamux, of which the tests make a peer, has two goroutines, a buffer
// of 4 KiB, and keeps for each stream one of its largest frame: 36 KiB for an idle
// worker of a master, instead of 20, and twice the time for a short message.
package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	// streamLinger is how long a stream closed here waits for the peer to
	// close it as well, before the session ends.
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

	reader  reader
	writer  writer
	theirs  *slots // streams opened by the peer
	ours    *slots
	running sync.WaitGroup // goroutines that read and write the connection

	done chan struct{} // closed when the session has ended

	accepting chan struct{} // cap 1: held by the caller that accepts
	half      *Stream       // accepted, but its kind has not come yet; owned by who accepts
	arrived   chan struct{} // cap 1: told, without blocking, when the backlog has grown

	mu       sync.Mutex // guards the fields below; nothing else is locked with it held
	cause    error
	kinds    [kindCount]bool // of the kinds that exist once: taken
	streams  map[uint32]*Stream
	backlog  []*Stream                // opened by the peer, to be accepted; no more than theirs admits
	shut     bool                     // the peer wants no more streams opened
	next     uint32                   // number of the next stream to be opened here
	linger   map[*time.Timer]struct{} // of streams that the peer has to close
	onStream func()
	onEnd    func()
	over     bool // onEnd was called, or would have been
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
	// Deadlines left over from a handshake would end the session later.
	if err := conn.SetDeadline(time.Time{}); err != nil {
		conn.Close()
		return nil, lost(err)
	}
	s := &Session{
		cfg:       cfg,
		raw:       conn,
		begin:     time.Now(),
		theirs:    newSlots(cfg.MaxStreams),
		ours:      newSlots(cfg.MaxStreams),
		done:      make(chan struct{}),
		accepting: make(chan struct{}, 1),
		arrived:   make(chan struct{}, 1),
		streams:   map[uint32]*Stream{},
		next:      2,
	}
	if client {
		s.next = 1
	}
	s.reader.raw, s.reader.clock, s.reader.odd.log = conn, s.clock, cfg.Logger
	s.reader.guard = newGuard(cfg, s.clock, client, s.theirs, s.ours)
	s.writer.init(s)
	s.running.Add(1)
	go s.receive() // ends with the connection; waited for by Close
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
	s.writer.close() // if somebody else is about to: nothing new runs from here on
	ended := make(chan struct{})
	go func() { // ends when the connection has let go of Read and Write
		defer close(ended)
		s.running.Wait()
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
	s.writer.dog.close()
	s.writer.close()
	closeNow(s.raw)
	s.mu.Lock()
	streams := slices.Collect(maps.Values(s.streams))
	for t := range s.linger {
		t.Stop()
	}
	s.linger = nil
	s.mu.Unlock()
	for _, st := range streams {
		st.fail()
	}
	s.tellEnd()
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
