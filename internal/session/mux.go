package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// muxConn is a session as the connection that yamux sees.
type muxConn Session

func (c *muxConn) Read(p []byte) (int, error)  { return c.reader.Read(p) }
func (c *muxConn) Write(p []byte) (int, error) { return c.writer.Write(p) }
func (c *muxConn) LocalAddr() net.Addr         { return c.raw.LocalAddr() }
func (c *muxConn) RemoteAddr() net.Addr        { return c.raw.RemoteAddr() }

// Close is called by yamux only. If the session has no cause by then, the
// reason is yamux's own: a frame it did not like.
func (c *muxConn) Close() error {
	s := (*Session)(c)
	select {
	case <-s.done:
	default:
		s.Fail(s.muxError())
	}
	return nil
}

// muxError finds out why yamux has ended, which it must have: AcceptStream
// tells, but may first fail with ErrSessionShutdown for each stream that
// waits in the backlog.
func (s *Session) muxError() error {
	s.mu.Lock()
	mux := s.mux
	s.mu.Unlock()
	for range backlog(s.cfg) + 1 {
		_, err := mux.AcceptStream()
		if err != nil && !errors.Is(err, yamux.ErrSessionShutdown) {
			return violation("%w", err)
		}
	}
	return violation("yamux gave up")
}

// backlog is the number of streams that may wait for Accept. It never
// overflows: slots admits no more.
func backlog(cfg Config) int { return 2 * cfg.MaxStreams }

// queueTimeouts is how many WriteTimeouts a frame may wait for its turn. A
// connection may be slow without being dead, and a frame's turn comes after
// all that has gathered and a frame of each other stream, while the watchdog
// sees to it that the connection moves at all.
const queueTimeouts = 4

// muxConfig says how yamux is used: without its keep-alive, which dies of
// load, and without its limit on the opening of a stream, which starts a
// goroutine each time.
func muxConfig(cfg Config) *yamux.Config {
	return &yamux.Config{
		AcceptBacklog:          backlog(cfg),
		EnableKeepAlive:        false,
		KeepAliveInterval:      time.Hour, // unused, but must not be 0
		ConnectionWriteTimeout: queueTimeouts * cfg.WriteTimeout,
		MaxStreamWindowSize:    cfg.Window,
		StreamOpenTimeout:      0,
		StreamCloseTimeout:     0, // see streamLinger
		Logger:                 &muxLogger{log: cfg.Logger},
	}
}

// muxLogger passes on what yamux logs, which a peer can make it do for every
// frame it sends: a few lines at first, then one a second.
type muxLogger struct {
	log *slog.Logger

	mu     sync.Mutex // guards the fields below
	burst  int
	next   time.Time
	missed int
}

const (
	logBurst    = 4
	logInterval = time.Second
)

func (l *muxLogger) Print(v ...any)   { l.line(func() string { return fmt.Sprint(v...) }) }
func (l *muxLogger) Println(v ...any) { l.line(func() string { return fmt.Sprintln(v...) }) }
func (l *muxLogger) Printf(format string, v ...any) {
	l.line(func() string { return fmt.Sprintf(format, v...) })
}

func (l *muxLogger) line(text func() string) {
	if !l.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	missed, ok := l.allow(time.Now())
	if ok {
		l.log.Debug("yamux", "text", strings.TrimSpace(text()), "missed", missed)
	}
}

// allow also returns how many lines it has refused since the last it allowed.
func (l *muxLogger) allow(now time.Time) (missed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.burst >= logBurst && now.Before(l.next) {
		l.missed++
		return 0, false
	}
	l.burst++
	l.next = now.Add(logInterval)
	missed, l.missed = l.missed, 0
	return missed, true
}

var _ yamux.Logger = (*muxLogger)(nil)
