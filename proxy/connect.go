package proxy

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
)

// connectTimeout bounds one attempt at one address, apart from the
// authentication, which has a timeout of its own.
const connectTimeout = 10 * time.Second

// settled is how long a connection must hold before the next attempt after it
// is made as if nothing had ever failed.
const settled = 10 * time.Second

// run keeps the client connected until ctx ends. started gets the outcome of
// Dial: nil with the first connection, or an error after which run has ended.
func (c *Client) run(ctx context.Context, started chan<- error) {
	pauses := backoff{min: c.cfg.MinBackoff, max: c.cfg.MaxBackoff}
	for ctx.Err() == nil {
		l, err := c.connect(ctx)
		if err == nil {
			c.attach(l)
			c.tell(State{Connected: true, Addr: l.addr, Epoch: l.epoch, Resumed: l.resumed})
			if started != nil {
				started <- nil
				started = nil
			}
			since := time.Now()
			err = l.run(ctx)
			if time.Since(since) >= settled {
				pauses.reset()
			}
		}
		if ctx.Err() != nil {
			break
		}
		final := isFinal(err)
		c.mu.Lock()
		c.lastErr = err
		c.mu.Unlock()
		if started != nil && (final || c.cfg.DialOnce) {
			started <- err
			return
		}
		pause := pauses.after(err)
		c.tell(State{Err: err, Rejected: final || guessGiven(err), Retry: pause})
		if !sleep(ctx, pause) {
			break
		}
	}
	if started != nil {
		started <- ctxError(ctx)
	}
}

func (c *Client) tell(s State) {
	if s.Connected {
		c.traffic.connects.Add(1)
		c.cfg.Logger.Debug("connected to the master", "addr", s.Addr, "epoch", s.Epoch, "resumed", s.Resumed)
	} else {
		c.cfg.Logger.Debug("not connected to the master", "error", s.Err, "retry", s.Retry)
	}
	c.cfg.OnState(s)
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// connect tries the addresses in turn, beginning with the one that worked last.
func (c *Client) connect(ctx context.Context) (*link, error) {
	var errs attemptErrors
	for i := range c.addrs {
		at := (c.at + i) % len(c.addrs)
		l, err := c.open(ctx, c.addrs[at])
		if err == nil {
			c.at = at
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		errs = append(errs, err)
	}
	if len(errs) == 1 {
		return nil, errs[0]
	}
	return nil, errs
}

// open connects to one address, up to the master's welcome.
func (c *Client) open(ctx context.Context, addr string) (*link, error) {
	dialCtx, cancel := context.WithTimeout(ctx, connectTimeout)
	conn, err := c.cfg.Dialer(dialCtx, addr)
	cancel()
	if err != nil {
		return nil, fmt.Errorf("proxy: connect to %s: %w", addr, err)
	}
	handshake := auth.ClientConfig{Key: c.cfg.AuthKey}
	secured, _, err := handshake.Handshake(ctx, conn, addr)
	if err != nil {
		return nil, err
	}
	s, err := session.Client(secured, session.Config{Logger: c.cfg.Logger})
	if err != nil {
		return nil, err
	}
	l, err := c.greet(ctx, s, addr)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("proxy: connect to %s: %w", addr, err)
	}
	return l, nil
}

// greet says hello on a new session and makes the link from the welcome.
func (c *Client) greet(ctx context.Context, s *session.Session, addr string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { s.Fail(ctx.Err()) })()

	control, err := s.Open(ctx, session.Control)
	if err != nil {
		return nil, err
	}
	hello, err := wire.Append(nil, c.hello())
	if err != nil {
		return nil, err
	}
	if _, err := control.Write(hello); err != nil {
		return nil, err
	}
	r := wire.NewReader(control, 0)
	w, err := readWelcome(r, addr)
	if err != nil {
		return nil, err
	}
	calls, err := s.Open(ctx, session.Calls)
	if err != nil {
		return nil, err
	}
	l := &link{
		c: c, s: s, addr: addr, control: control, hello: r, calls: calls,
		epoch: w.Epoch, resumed: w.Resumed, heartbeat: w.Heartbeat, window: w.Window,
		maxFrame: int(w.MaxFrame), maxPayload: int64(w.MaxPayload),
		maxWaiting: int64(min(w.MaxWaiting, math.MaxInt64)), life: w.Life, recalled: w.Recalled,
		beat: make(chan struct{}, 1), bye: make(chan wire.Goodbye, 1), said: make(chan struct{}),
		reports: make(chan wire.Report, maxCommands),
		wake:    make(chan struct{}, 1), drained: make(chan struct{}),
	}
	l.over, l.end = context.WithCancelCause(context.Background())
	l.out.SetMaxFrame(l.maxFrame)
	return l, nil
}

func (c *Client) hello() wire.Hello {
	host, _ := os.Hostname() // for display only
	c.mu.Lock()
	defer c.mu.Unlock()
	return wire.Hello{
		Version: wire.Version, Impl: impl(), Client: c.id, Host: host, PID: uint64(os.Getpid()), Name: c.cfg.Name,
		Epoch: c.epoch, Low: c.pending.low, Commands: c.cfg.Control != nil,
	}
}

// impl is what this program is, for people.
func impl() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return "reeve-go " + info.Main.Version
	}
	return "reeve-go"
}

// Bounds of what a master may ask for in its welcome.
const (
	minHeartbeat = 10 * time.Millisecond
	maxHeartbeat = time.Hour
	minWindow    = 16
	maxWindow    = 1 << 20
	maxFrameSize = math.MaxInt32
)

func readWelcome(r *wire.Reader, addr string) (*wire.Welcome, error) {
	frame, err := r.Next()
	if err != nil {
		return nil, err
	}
	t, body, err := wire.ParseType(frame)
	if err != nil {
		return nil, err
	}
	switch t {
	case wire.TypeGoodbye:
		var m wire.Goodbye
		if err := wire.Decode(t, body, &m); err != nil {
			return nil, err
		}
		return nil, &goodbyeError{addr: addr, err: m.Err()}
	case wire.TypeWelcome:
	default:
		return nil, fmt.Errorf("%w: %v instead of a welcome", reeve.ErrProtocol, t)
	}
	var w wire.Welcome
	if err := wire.Decode(t, body, &w); err != nil {
		return nil, err
	}
	switch {
	case w.Version != wire.Version:
		return nil, fmt.Errorf("%w: the master speaks version %d, this client %d", reeve.ErrVersion, w.Version, wire.Version)
	case w.Heartbeat < minHeartbeat || w.Heartbeat > maxHeartbeat,
		w.Window < minWindow || w.Window > maxWindow,
		w.MaxFrame < wire.MaxSmallFrame || w.MaxFrame > maxFrameSize,
		w.MaxPayload < 1 || w.MaxPayload > w.MaxFrame:
		return nil, fmt.Errorf("%w: the welcome has a heartbeat of %v, a window of %d, frames of %d and payloads of %d bytes",
			reeve.ErrProtocol, w.Heartbeat, w.Window, w.MaxFrame, w.MaxPayload)
	}
	return &w, nil
}
