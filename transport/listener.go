package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/address"
)

// acceptPause is how long a listener waits when the system is out of files or
// memory for the moment.
const acceptPause = 20 * time.Millisecond

// Listener accepts connections of whoever has the key. Its methods may be called
// from any goroutine.
type Listener struct {
	cfg  Config
	ln   net.Listener
	auth *auth.Server

	ctx    context.Context // ends when the listener is over, with the cause
	cancel context.CancelCauseFunc
	ready  chan *Conn    // with room for all that have a place
	told   atomic.Int64  // when it was logged that there is no room; Unix seconds
	places chan struct{} // cap: Config.Backlog; one for each connection in ready or on its way there

	mu    sync.Mutex     // held while work is added, and while ctx is ended
	works sync.WaitGroup // the loop, and a goroutine for each connection that is being made
}

// Listen listens on addr, "host:port", ":port" for every interface, with port 0
// for a free one, or "unix:/path" for a Unix socket, whose file is this user's
// only. A socket that a killed process has left behind is replaced. ctx is for
// Listen only: the listener lives until Close.
func Listen(ctx context.Context, addr string, cfg Config) (*Listener, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	ln, err := address.Listen(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	return NewListener(ln, cfg)
}

// NewListener is Listen for a listener that exists, which it takes over: it is
// closed with the new one, and on an error.
func NewListener(ln net.Listener, cfg Config) (*Listener, error) {
	l, err := newListener(ln, cfg)
	if err != nil {
		ln.Close()
		return nil, err
	}
	l.works.Go(l.run) // ends with ln; waited for by Close
	return l, nil
}

func newListener(ln net.Listener, cfg Config) (*Listener, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	keys, err := auth.Keys(cfg.Key)
	if err != nil {
		return nil, err
	}
	server, err := auth.NewServer(auth.ServerConfig{Keys: keys, Timeout: cfg.Timeout, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	l := &Listener{
		cfg: cfg, ln: ln, auth: server,
		ready: make(chan *Conn, cfg.Backlog), places: make(chan struct{}, cfg.Backlog),
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l, nil
}

// Accept waits for the next connection that has proved that it has the key. It
// ends with [reeve.ErrClosed] when the listener is closed, with the reason when
// nobody can connect any more, or with ctx's cause. What strangers do is no error
// of Accept.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	select {
	case <-l.ctx.Done(): // even if there is a connection: Close closes it
		return nil, context.Cause(l.ctx)
	default:
	}
	select {
	case c := <-l.ready:
		<-l.places
		return c, nil
	case <-l.ctx.Done():
		return nil, context.Cause(l.ctx)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Addr is the address that is listened on, with the real port; its String can be
// dialled.
func (l *Listener) Addr() net.Addr { return l.ln.Addr() }

// Stats are the numbers of those who wanted to connect.
func (l *Listener) Stats() auth.Stats { return l.auth.Stats() }

// Close ends the listener, the connections that were not accepted, and those
// that are being made; accepted ones go on. It returns when all the listener's
// goroutines have ended. Further calls do no harm.
func (l *Listener) Close() error {
	l.end(reeve.ErrClosed)
	l.works.Wait()
	for {
		select {
		case c := <-l.ready:
			<-l.places
			c.abort()
		default:
			return nil
		}
	}
}

func (l *Listener) end(cause error) {
	l.mu.Lock()
	l.cancel(cause)
	l.mu.Unlock()
	l.ln.Close()
}

// run accepts until the listener is over.
func (l *Listener) run() {
	for {
		c, err := l.ln.Accept()
		switch {
		case err == nil:
		case l.ctx.Err() != nil:
			return
		case errors.Is(err, net.ErrClosed):
			l.end(reeve.ErrClosed) // by whoever made ln
			return
		case isTemporary(err):
			select {
			case <-l.ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		default:
			l.end(fmt.Errorf("transport: accept: %w", err))
			return
		}
		ticket := l.auth.Admit(c)
		if !l.begin(func() { l.admit(ticket) }) {
			ticket.Close()
		}
	}
}

// begin runs f in a goroutine that Close waits for; false when it is too late.
func (l *Listener) begin(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return false
	}
	l.works.Go(f)
	return true
}

// admit makes one connection.
func (l *Listener) admit(ticket *auth.Ticket) {
	until := time.Now().Add(l.cfg.Timeout)
	secured, peer, err := ticket.Handshake(l.ctx)
	if err != nil {
		return // logged by auth
	}
	stop := context.AfterFunc(l.ctx, func() { secured.Close() })
	c, err := l.welcome(secured, peer, until)
	if !stop() || err != nil {
		secured.Close()
		if c != nil {
			<-l.places
		}
		l.cfg.Logger.Debug("a connection was not made", "remote", peer.Remote, "err", err)
		return
	}
	l.ready <- c // has a place: does not block
}

var errFull = errors.New("too many connections wait for Accept")

// welcome exchanges hellos. The connection that it returns has a place.
func (l *Listener) welcome(secured net.Conn, peer *auth.Peer, until time.Time) (*Conn, error) {
	theirs, err := readHello(secured, until)
	if err != nil {
		return nil, err
	}
	if theirs == 0 {
		return nil, fmt.Errorf("%w: it takes no messages", reeve.ErrProtocol)
	}
	select {
	case l.places <- struct{}{}:
	default:
		l.tellFull(peer)
		return nil, errors.Join(errFull, sendHello(secured, 0, until))
	}
	err = sendHello(secured, l.cfg.MaxMessage, until)
	if err == nil {
		err = secured.SetDeadline(time.Time{})
	}
	if err != nil {
		<-l.places
		return nil, err
	}
	return newConn(secured, &l.cfg, theirs, peer), nil
}

// tellFull tells the operator, at most once a minute.
func (l *Listener) tellFull(peer *auth.Peer) {
	now := time.Now().Unix()
	if last := l.told.Load(); now-last >= 60 && l.told.CompareAndSwap(last, now) {
		l.cfg.Logger.Warn("connections are refused", "remote", peer.Remote, "reason", errFull)
	}
}

func isTemporary(err error) bool {
	var ne net.Error
	// Temporary is deprecated for lack of a meaning in general; from Accept it
	// means one thing: out of files or memory, or a client that is gone.
	//lint:ignore SA1019 see above
	return errors.As(err, &ne) && ne.Temporary()
}
