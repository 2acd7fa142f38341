package shared_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	internal "github.com/reeveq/reeve/internal/shared"
)

// line is a client whose connection can be cut and made again. As a *proxy.Client
// does, it makes calls again that have no answer, and leaves those whose context
// has ended to themselves.
type line struct {
	host *internal.Host
	id   byte

	wire sync.Mutex // one request at a time, and none while the connection changes

	mu      sync.Mutex // guards the fields below; taken after wire
	link    *internal.Link
	session context.Context
	end     context.CancelCauseFunc
	last    uint64
	asked   map[uint64]*asked
}

// asked is a call without an answer.
type asked struct {
	r  internal.Request
	ch chan answered
}

type answered struct {
	reeve.ObjectAnswer
	err error
}

var errCut = errors.New("cut")

func newLine(h *internal.Host, id byte) *line {
	l := &line{host: h, id: id, asked: map[uint64]*asked{}}
	l.connect()
	return l
}

// replier takes the answers of one connection of a line.
type replier struct {
	l       *line
	session context.Context
}

func (r replier) Return(req uint64, value []byte) {
	r.l.answer(req, answered{reeve.ObjectAnswer{Value: value, Session: r.session}, nil})
}

func (r replier) Fail(req uint64, err error) { r.l.answer(req, answered{err: err}) }

func (l *line) answer(req uint64, a answered) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.asked[req]; k != nil {
		delete(l.asked, req)
		k.ch <- a
	}
}

// connect makes the connection again.
func (l *line) connect() {
	l.wire.Lock()
	defer l.wire.Unlock()
	session, end := context.WithCancelCause(context.Background())
	id := internal.ClientID{Key: "test", Process: [16]byte{l.id}}
	link, _ := l.host.Attach(id, internal.Who{Name: string('A' - 1 + rune(l.id)), Host: "box", PID: uint64(l.id)}, replier{l, session})
	l.mu.Lock()
	l.link, l.session, l.end = link, session, end
	again := slices.Sorted(maps.Keys(l.asked))
	l.mu.Unlock()
	for _, req := range again {
		l.send(req)
	}
}

// send asks what has no answer yet. wire is held.
func (l *line) send(req uint64) {
	l.mu.Lock()
	k, link := l.asked[req], l.link
	l.mu.Unlock()
	if k != nil && link != nil {
		r := k.r
		if deadline := r.Timeout; deadline != 0 {
			r.Timeout = max(time.Until(time.Unix(0, int64(deadline))), 1)
		}
		link.Call(&r)
	}
}

// cut breaks the connection. Answers that were given but not taken are lost with
// it, if there are any: see mute.
func (l *line) cut() {
	l.wire.Lock()
	defer l.wire.Unlock()
	l.mu.Lock()
	link, end := l.link, l.end
	l.link = nil
	l.mu.Unlock()
	if link != nil {
		link.Detach(false)
		end(errCut)
	}
}

func (l *line) CallObject(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	if err := ctx.Err(); err != nil {
		return reeve.ObjectAnswer{}, err
	}
	k := &asked{
		r:  internal.Request{Waits: c.Waits, Ref: c.Ref, Method: c.Method, Args: c.Args, Reads: c.Reads},
		ch: make(chan answered, 1),
	}
	if deadline, ok := ctx.Deadline(); ok {
		k.r.Timeout = time.Duration(deadline.UnixNano())
	}
	l.wire.Lock()
	l.mu.Lock()
	l.last++
	k.r.Req = l.last
	l.asked[k.r.Req] = k
	l.mu.Unlock()
	l.send(k.r.Req)
	l.wire.Unlock()
	select {
	case a := <-k.ch:
		return a.ObjectAnswer, a.err
	case <-ctx.Done():
	}
	l.wire.Lock()
	defer l.wire.Unlock()
	l.mu.Lock()
	delete(l.asked, k.r.Req)
	link := l.link
	l.mu.Unlock()
	if link != nil {
		link.Cancel(k.r.Req)
	}
	select {
	case a := <-k.ch:
		return a.ObjectAnswer, a.err
	default:
		return reeve.ObjectAnswer{}, ctx.Err()
	}
}

// swallow is a line whose next answer to a method is lost with the connection.
type swallow struct {
	*line
	method string
}

// CallObject cuts the connection when the method was carried out, and forgets its
// answer: it is asked again.
func (s *swallow) CallObject(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	if s.method == "" || c.Method != s.method {
		return s.line.CallObject(ctx, c)
	}
	s.method = ""
	a, err := s.line.CallObject(ctx, c)
	if err != nil {
		return a, err
	}
	s.cut()
	s.connect()
	return s.repeat(ctx, c)
}

// repeat makes the last call again, under its number.
func (s *swallow) repeat(ctx context.Context, c *reeve.ObjectCall) (reeve.ObjectAnswer, error) {
	s.mu.Lock()
	s.last--
	s.mu.Unlock()
	return s.line.CallObject(ctx, c)
}

var _ reeve.Objects = (*line)(nil)
