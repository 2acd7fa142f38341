package shared

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
)

// Request is a call as it comes in.
type Request struct {
	// Req is the caller's number of the call. Those of calls that may wait long
	// count by themselves: Low is the lowest of the same series, of which there are
	// two, for which the caller waits.
	Req, Low uint64
	Waits    bool
	Ref      reeve.Ref
	Method   string
	Args     []byte // good until the call returns
	Reads    bool   // changes nothing: its answer is not remembered
	Again    bool   // was sent to an earlier life of the master, too
	Timeout  time.Duration
}

// Call is a request on its way through an object.
type Call struct {
	Client *Client
	Method string
	// Args is a CBOR array. It is good until [Object.Call] returns.
	Args []byte
	// Again: it was sent to an earlier life of the master, which may have carried
	// it out.
	Again bool
	// Deadline is when its caller gives up; zero: never. The Host ends the call
	// then.
	Deadline time.Time

	req    uint64
	reads  bool
	waits  bool
	stays  bool // goes on when the connection is lost
	from   *Link
	cancel func(cause error) // nil: not parked
	timer  *time.Timer
	over   bool // answered, or given up
}

// Return answers the call with a value, one CBOR item or nothing, which is kept.
// false: it was over before, and what only its caller could use is to be undone.
// It may be called with the object's mutex held.
func (c *Call) Return(value []byte) bool { return c.Client.finish(c, value, nil) }

// Fail answers the call with an error.
func (c *Call) Fail(err error) bool { return c.Client.finish(c, nil, err) }

// Park lets the call wait for its answer. cancel is called, at most once and with
// nothing locked, when it ends in another way: its caller gave up, its time is
// over, its connection is lost. The call is answered by then, if anybody is there.
func (c *Call) Park(cancel func(cause error)) { c.Client.park(c, cancel, false) }

// Stay is Park for a call that goes on when its connection is lost, because its
// caller may come back for the answer; it ends when the client is gone. false: too
// many wait, and it has been answered.
func (c *Call) Stay(cancel func(cause error)) bool { return c.Client.park(c, cancel, true) }

// Replier takes the answers of one connection, and sees to it that they are sent.
// Its methods must not block, nor call what is in this package; objects' mutexes
// may be held.
type Replier interface {
	Return(req uint64, value []byte)
	Fail(req uint64, err error)
}

// answer is what became of a request.
type answer struct {
	call  *Call // under way
	value []byte
	err   error
}

// What is remembered of one client's answers, until it goes on. A client has no
// more than so many calls under way, and gets answers in the order in which they
// are sent: what is beyond the last so many it has. Answers that are large may
// come in another order, which is why what is forgotten is noted.
//
// A client that is idle says nothing of what it has: so that many of them do not
// keep much, each keeps fairAnswerBytes where all have more than
// [Config.MaxAnswerBytes].
const (
	maxAnswers      = 1 << 14
	maxAnswerBytes  = 64 << 20
	fairAnswerBytes = 1 << 20
)

// calls are those of one client.
type calls struct {
	all    *atomic.Int64 // bytes of answers that are remembered, of all clients
	allMax int64

	mu      sync.Mutex // guards the fields below; taken after objects' mutexes, and nothing else is with it held
	series  [2]series  // the second one of those that may wait long
	size    int64      // of the answers that are remembered
	waiting int        // that are parked
}

// series are the calls with numbers that count up.
type series struct {
	byReq map[uint64]answer
	low   uint64   // the caller has the answers below
	done  []uint64 // that have an answer, in the order of these; the first one is forgotten first
	lost  uint64   // the highest that was forgotten although its caller may not have the answer
}

func (k *calls) of(waits bool) *series {
	if waits {
		return &k.series[1]
	}
	return &k.series[0]
}

// call carries out a request that came over l.
func (cl *Client) call(l *Link, r *Request) {
	c := &Call{
		Client: cl, Method: r.Method, Args: r.Args, Again: r.Again,
		req: r.Req, reads: r.Reads, waits: r.Waits, from: l,
	}
	if r.Timeout > 0 {
		c.Deadline = time.Now().Add(r.Timeout)
	}
	if !cl.begin(c, r.Low) {
		return
	}
	e, err := cl.host.find(cl, r)
	if err == nil && e.store != nil && cl.late && c.Again && !c.reads {
		err = fmt.Errorf("%w: %s of %v was called, and the master restarted, too long ago", reeve.ErrOutcomeUnknown, c.Method, e.ref)
	}
	if err != nil {
		c.Fail(err)
		return
	}
	e.object.Call(c)
}

// begin notes the call; false: it was made before, and has its answer or will get
// it.
func (cl *Client) begin(c *Call, low uint64) bool {
	k := &cl.calls
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.of(c.waits)
	k.forget(s, low)
	a, known := s.byReq[c.req]
	switch {
	case !known && c.req <= s.lost && !c.reads:
		c.from.reply(c.req, nil, reeve.ErrOutcomeUnknown)
	case !known && s.underway() >= 2*cl.host.cfg.MaxWaiting:
		c.from.reply(c.req, nil, tooMany("calls of one client under way", s.underway(), 2*cl.host.cfg.MaxWaiting))
	case !known:
		s.set(c.req, answer{call: c})
		return true
	case a.call != nil:
		a.call.from = c.from // it will be answered here
	default:
		c.from.reply(c.req, a.value, a.err)
	}
	return false
}

func (s *series) set(req uint64, a answer) {
	if s.byReq == nil {
		s.byReq = map[uint64]answer{}
	}
	s.byReq[req] = a
}

// underway is how many calls have no answer: those that are parked, and those whose
// changes are not durable yet.
func (s *series) underway() int { return len(s.byReq) - len(s.done) }

func tooMany(what string, n, most int) error {
	return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: what, Value: int64(n) + 1, Max: int64(most)}
}

// count notes that answers of size more bytes are remembered.
func (k *calls) count(size int) {
	k.size += int64(size)
	k.all.Add(int64(size))
}

// full reports whether answers of too many bytes are remembered.
func (k *calls) full() bool {
	return k.size > maxAnswerBytes || k.size > fairAnswerBytes && k.all.Load() > k.allMax
}

// forget drops the answers below low, and those that are too many.
func (k *calls) forget(s *series, low uint64) {
	s.low = max(s.low, low)
	drop := 0
	for _, req := range s.done {
		switch over := len(s.done)-drop > maxAnswers || k.full(); {
		case req < s.low:
		case over:
			s.lost = max(s.lost, req)
		default:
			s.done = s.done[drop:]
			return
		}
		if a, known := s.byReq[req]; known && a.call == nil {
			k.count(-len(a.value))
			delete(s.byReq, req)
		}
		drop++
	}
	s.done = s.done[:0]
}

// finish answers a call, once.
func (cl *Client) finish(c *Call, value []byte, err error) bool {
	k := &cl.calls
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.over {
		return false
	}
	k.end(c, value, err)
	c.from.reply(c.req, value, err)
	return true
}

// end notes what became of a call.
func (k *calls) end(c *Call, value []byte, err error) {
	c.over = true
	if c.cancel != nil {
		k.waiting--
		c.cancel = nil
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	s := k.of(c.waits)
	_, known := s.byReq[c.req]
	switch {
	case !known:
	case c.reads || c.req < s.low:
		delete(s.byReq, c.req)
	default:
		s.byReq[c.req] = answer{value: value, err: err}
		k.count(len(value))
		s.done = append(s.done, c.req)
		k.forget(s, 0)
	}
}

func (l *Link) reply(req uint64, value []byte, err error) {
	switch {
	case l.lost:
	case err != nil:
		l.to.Fail(req, err)
	default:
		l.to.Return(req, value)
	}
}

// park lets c wait; false: it is over, for one if too many wait.
func (cl *Client) park(c *Call, cancel func(error), stays bool) bool {
	k := &cl.calls
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.over {
		return false
	}
	if k.waiting >= cl.host.cfg.MaxWaiting {
		err := tooMany("waiting calls of one client", k.waiting, cl.host.cfg.MaxWaiting)
		k.end(c, nil, err)
		c.from.reply(c.req, nil, err)
		go cancel(err) // rare; the object's mutex may be held here
		return false
	}
	c.stays, c.cancel = stays, cancel
	k.waiting++
	if !c.Deadline.IsZero() {
		c.timer = time.AfterFunc(time.Until(c.Deadline), func() { cl.giveUp(c, context.DeadlineExceeded) })
	}
	return true
}

// cancel ends the call req, if it waits.
func (cl *Client) cancel(req uint64) {
	k := &cl.calls
	k.mu.Lock()
	var c *Call
	for i := range k.series {
		if a, known := k.series[i].byReq[req]; known {
			c = a.call
		}
	}
	k.mu.Unlock()
	if c != nil {
		cl.giveUp(c, context.Canceled)
	}
}

// giveUp ends a call that waits.
func (cl *Client) giveUp(c *Call, cause error) {
	k := &cl.calls
	k.mu.Lock()
	cancel := c.cancel
	if c.over || cancel == nil {
		k.mu.Unlock()
		return
	}
	k.end(c, nil, cause)
	if cause != errLost {
		c.from.reply(c.req, nil, cause)
	}
	k.mu.Unlock()
	cancel(cause)
}

// errLost ends the calls of a connection that is lost; nobody is told.
var errLost = errors.New("connection lost")

// disconnect ends the calls that wait for l: it is lost.
func (cl *Client) disconnect(l *Link) {
	k := &cl.calls
	k.mu.Lock()
	l.lost = true
	var ended []*Call
	for i := range k.series {
		for req, a := range k.series[i].byReq {
			if c := a.call; c != nil && c.from == l && c.cancel != nil && !c.stays {
				delete(k.series[i].byReq, req) // it was not carried out, and may come again
				ended = append(ended, c)
			}
		}
	}
	k.mu.Unlock()
	for _, c := range ended {
		cl.giveUp(c, errLost)
	}
}

// leave ends all calls: the client is gone, and nothing is remembered any more.
func (cl *Client) leave() {
	k := &cl.calls
	k.mu.Lock()
	var ended []*Call
	for i := range k.series {
		k.forget(&k.series[i], math.MaxUint64)
		for _, a := range k.series[i].byReq {
			if c := a.call; c != nil && c.cancel != nil {
				ended = append(ended, c)
			}
		}
	}
	k.mu.Unlock()
	for _, c := range ended {
		cl.giveUp(c, errLost)
	}
}
