package auth

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"sync/atomic"
	"time"
)

// ServerConfig is how a master authenticates its clients. Only Keys is
// required; every other zero field takes its default.
type ServerConfig struct {
	Keys    Keyring       // the keys that may log in: see [Keys]
	Timeout time.Duration // from accept to proof, half of it to the first byte; default [DefaultTimeout]

	MaxWaiting          int // unauthenticated connections; default 4096
	MaxWaitingPerSource int // of them per IPv4 address or IPv6 /64; default 1024
	MaxComputing        int // handshakes that use a processor at once; default half of GOMAXPROCS
	Guesses             GuessBudget

	// Logger gets failed logins and strange peers, once per source and minute
	// for each kind, and successes at debug level. Default: nothing is logged.
	Logger *slog.Logger

	rand io.Reader        // tests: fixed scalars
	now  func() time.Time // tests: a wrong clock
}

func (c ServerConfig) withDefaults() ServerConfig {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = 4096
	}
	if c.MaxWaitingPerSource == 0 {
		c.MaxWaitingPerSource = 1024
	}
	if c.MaxComputing == 0 {
		c.MaxComputing = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.rand == nil {
		c.rand = rand.Reader
	}
	c.Guesses = c.Guesses.withDefaults()
	return c
}

func (c ServerConfig) validate() error {
	switch {
	case c.Keys == nil:
		return errors.New("auth: ServerConfig.Keys is not set")
	case c.Timeout < 0:
		return errors.New("auth: ServerConfig.Timeout must not be negative")
	case c.MaxWaiting < 0:
		return errors.New("auth: ServerConfig.MaxWaiting must not be negative")
	case c.MaxWaitingPerSource < 0:
		return errors.New("auth: ServerConfig.MaxWaitingPerSource must not be negative")
	case c.MaxComputing < 0:
		return errors.New("auth: ServerConfig.MaxComputing must not be negative")
	}
	return c.Guesses.validate()
}

// Server authenticates the clients of a master. It has no goroutine of its own
// and needs no closing. It is safe for concurrent use.
type Server struct {
	config  ServerConfig
	tls     *tls.Config
	waiting *waiting
	guesses *guesses
	gate    *gate
	notices *notices
	counts  counts
}

// counts are kept as things happen.
type counts struct{ loggedIn, failed, throttled, evicted atomic.Uint64 }

// Stats counts since the Server was made; Waiting is now.
type Stats struct {
	LoggedIn  uint64 // handshakes that ended well
	Failed    uint64 // wrong proofs
	Throttled uint64 // logins that were told to wait
	Evicted   uint64 // unauthenticated connections cut off for newer ones
	Waiting   int    // unauthenticated connections
}

// NewServer makes a Server, and with it a new certificate. Errors name the
// field of cfg that is wrong.
func NewServer(cfg ServerConfig) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	cert, err := newCertificate()
	if err != nil {
		return nil, err
	}
	config := serverTLS(cert)
	config.Time = cfg.now
	return &Server{
		config:  cfg,
		tls:     config,
		waiting: newWaiting(cfg.MaxWaiting, cfg.MaxWaitingPerSource),
		guesses: newGuesses(cfg.Guesses),
		gate:    newGate(cfg.MaxComputing),
		notices: newNotices(cfg.Logger),
	}, nil
}

// Stats returns the present counts.
func (s *Server) Stats() Stats {
	return Stats{
		LoggedIn:  s.counts.loggedIn.Load(),
		Failed:    s.counts.failed.Load(),
		Throttled: s.counts.throttled.Load(),
		Evicted:   s.counts.evicted.Load(),
		Waiting:   s.waiting.len(),
	}
}

// Handshake is s.Admit(conn).Handshake(ctx). An accept loop that starts a
// goroutine per connection should call Admit itself, before it does.
func (s *Server) Handshake(ctx context.Context, conn net.Conn) (net.Conn, *Peer, error) {
	return s.Admit(conn).Handshake(ctx)
}

// Ticket is the place of one unauthenticated connection. It must be used by
// Handshake, or given back with Close.
type Ticket struct {
	server *Server
	conn   net.Conn
	source string
	remote string
	until  time.Time
	entry  *entry
}

// Admit counts a fresh connection as unauthenticated and starts its time. It
// does not block and never refuses: when too many wait, it closes another one,
// whose Handshake then ends with an [*EvictedError].
func (s *Server) Admit(conn net.Conn) *Ticket {
	t := &Ticket{
		server: s,
		conn:   conn,
		source: sourceOf(conn.RemoteAddr()),
		remote: remoteText(conn),
		until:  time.Now().Add(s.config.Timeout),
	}
	t.entry = s.waiting.add(t.source, func() {
		s.counts.evicted.Add(1)
		conn.Close()
	})
	return t
}

// Close gives the place back and closes the connection.
func (t *Ticket) Close() error {
	t.server.waiting.remove(t.entry)
	return t.conn.Close()
}

// Handshake authenticates the client and returns the connection to use in place
// of the raw one, and who it is. It blocks until the client has proved that it
// holds a key of the keyring, at most ServerConfig.Timeout after Admit, and
// ends early when ctx does. On an error the connection has been closed, and
// what an operator should know has been logged.
//
// Errors: [*LoginError] (reeve.ErrAuth), [*ThrottledError], [*PlainTextError],
// [*EvictedError] (reeve.ErrLimit), [*TimeoutError], [*HandshakeError], or
// ctx's cause.
func (t *Ticket) Handshake(ctx context.Context) (net.Conn, *Peer, error) {
	s := t.server
	ctx, cancel := context.WithDeadlineCause(ctx, t.until, errTimeout)
	defer cancel()
	ctx, silent := context.WithCancelCause(ctx)
	defer silent(nil)
	var heard atomic.Bool
	silence := time.AfterFunc(time.Until(t.until)-s.config.Timeout/2, func() {
		if !heard.Load() {
			silent(errTimeout)
		}
	})
	defer silence.Stop()
	h := &serverHandshake{ticket: t, server: s, raw: &guarded{
		Conn: t.conn,
		ctx:  ctx,
		left: maxServerIn,
		gate: s.gate,
		onPhase: func(p phase) {
			heard.Store(true)
			s.waiting.moved(t.entry, p)
		},
	}}
	err := joined(ctx, t.conn, h.run)
	h.raw.pause()
	stayed := s.waiting.remove(t.entry)
	if err == nil && stayed {
		h.raw.open()
		s.counts.loggedIn.Add(1)
		s.config.Logger.Debug("client authenticated", "remote", t.remote, "kid", h.kid)
		return &secured{h.tls, t.conn}, &Peer{KeyID: h.kid, Remote: t.conn.RemoteAddr()}, nil
	}
	t.conn.Close()
	if !stayed {
		err = &EvictedError{t.remote}
	}
	err = h.explain(err)
	h.report(err)
	return nil, nil, err
}

// explain turns the end of a handshake into the error for the caller.
func (h *serverHandshake) explain(err error) error {
	remote := h.ticket.remote
	switch {
	case errors.Is(err, errTimeout):
		after := h.server.config.Timeout
		if len(h.raw.first) == 0 {
			after /= 2
		}
		return &TimeoutError{Addr: remote, After: after}
	case errors.Is(err, errNotTLS):
		return &PlainTextError{Remote: remote, Got: h.raw.first}
	}
	switch err.(type) {
	case *LoginError, *ThrottledError, *EvictedError:
		return err
	}
	if h.raw.ctx.Err() != nil {
		return fmt.Errorf("auth: handshake with %s: %w", remote, err)
	}
	return &HandshakeError{Addr: remote, Err: err, Protocol: isTLSError(err) || errors.Is(err, errFrame) || errors.Is(err, errTooMuch)}
}

// report tells the operator about err, and counts it.
func (h *serverHandshake) report(err error) {
	n, t := h.server.notices, h.ticket
	switch e := err.(type) {
	case *LoginError:
		h.server.counts.failed.Add(1)
		n.warn(t.source, "authentication failed", "remote", t.remote, "kid", e.KeyID)
	case *ThrottledError:
		h.server.counts.throttled.Add(1)
		n.warn(t.source, "too many failed logins: a client is told to wait", "remote", t.remote, "kid", h.kid, "wait", e.RetryAfter)
	case *PlainTextError:
		n.warn(t.source, "a client does not speak TLS", "remote", t.remote, "got", string(e.Got))
	case *TimeoutError:
		if len(h.raw.first) == 0 {
			n.warn(t.source, "no TLS hello; a CPython multiprocessing client?", "remote", t.remote)
		} else {
			n.warn(t.source, "handshake timeout", "remote", t.remote)
		}
	case *EvictedError:
		n.warn("", "too many unauthenticated connections: the oldest are cut off", "remote", t.remote)
	case *HandshakeError:
		if e.Protocol {
			n.warn(t.source, "handshake failed", "remote", t.remote, "error", e.Err)
			return
		}
		h.server.config.Logger.Debug("a client left before it authenticated", "remote", t.remote, "error", e.Err)
	}
}
