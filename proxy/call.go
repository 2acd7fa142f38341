package proxy

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// request is what a call asks. It can be encoded any number of times: once for
// each connection it takes to get an answer.
type request interface {
	// size bounds the encoded frame from above, in bytes.
	size() int
	// encode appends the request to b.
	encode(b *wire.Builder, id, low uint64) error
}

// traits say how a call is treated when it has to wait or the connection is lost.
type traits uint8

const (
	// mutating: carried out twice is not the same as once, so the master has
	// to remember it.
	mutating traits = 1 << iota
	// parks: the answer may take as long as it likes, and Cancel ends it.
	parks
	// sessional: means something to one session only, and is forgotten with it.
	sessional
	// fenced: mutating, but by a token that works once. It is asked again even
	// of a master that has forgotten this client.
	fenced
	// giving: the answer is leases.
	giving
	// answered: the answer is a message of its own.
	answered
)

// phase is where a call stands.
type phase uint8

const (
	queued    phase = iota // waits for its turn
	asked                  // has a request id, waits for the answer
	abandoned              // asked, and nobody waits for the answer any more
	done                   // has its answer
)

// call is one request from the moment it is made until it has its answer.
// Client.mu guards it, except for req and traits, which never change, and for
// what the answer left, which belongs to the caller when it is done.
type call struct {
	req    request
	traits traits
	phase  phase

	id       uint64
	sent     bool  // was, or may have been, written to a connection
	large    bool  // goes on the bulk stream
	renewing bool  // was cancelled to be asked again under a higher id
	doubtful bool  // sent to a master that has forgotten about it since
	weight   int64 // bytes the master has to keep while the request waits for room there

	list       *callList // where it waits, or nil
	prev, next *call

	// What the answer left.
	err    error
	ids    int // how many ids the request takes from a Confirm (tasks of a Put)
	first  reeve.ID
	leases []*reeve.Lease
	answer *wire.Answer

	// Who is told, once, when it is done; each may be absent.
	then  func(*Client, *call) // with Client.mu held
	after func(*call)          // with nothing locked; must not block
	ready chan struct{}        // cap 1
}

func (k *call) is(t traits) bool { return k.traits&t != 0 }

// The lanes in which calls wait to be asked. In each it is first come, first
// served; a call that may not be asked now holds up its own lane only.
const (
	laneSession  = iota // what the session itself needs
	laneEnd             // ends of leases, apart from Completes
	laneComplete        // Completes
	lanePut             // Puts
	laneOther           // Gets, questions
	lanes
)

func (k *call) lane() int {
	switch {
	case k.is(sessional):
		return laneSession
	case k.is(fenced) && k.is(parks):
		return laneComplete
	case k.is(fenced):
		return laneEnd
	case k.is(mutating):
		return lanePut
	}
	return laneOther
}

// do makes a call and waits for its answer, which k then has, or for ctx.
func (c *Client) do(ctx context.Context, k *call) error {
	if ctx.Err() != nil {
		return ctxError(ctx)
	}
	k.ready = make(chan struct{}, 1)
	c.mu.Lock()
	c.submitLocked(k)
	c.unlock()
	select {
	case <-k.ready:
	case <-ctx.Done():
		if err := c.abandon(ctx, k); err != nil {
			return err
		}
		<-k.ready
	}
	return k.err
}

// abandon gives k up because ctx ended; nil when its answer was faster.
func (c *Client) abandon(ctx context.Context, k *call) error {
	c.mu.Lock()
	defer c.unlock()
	switch k.phase {
	case done:
		return nil
	case queued:
		k.list.remove(k)
		k.phase = done
		if c.link == nil {
			return &offlineError{ctx: ctxError(ctx), last: c.lastErr}
		}
	case asked:
		k.phase = abandoned
		if c.link == nil || !c.link.askedLocked(k) {
			c.pending.remove(k) // no answer will come
			k.phase = done
		} else if k.is(parks) {
			c.link.cancelLocked(k)
		}
	}
	return ctxError(ctx)
}

// submitLocked asks k now, or as soon as there is a connection, a place in the
// master's window and room for its bytes. The caller holds mu.
func (c *Client) submitLocked(k *call) {
	if c.closed != nil {
		c.finishLocked(k, c.closed)
		return
	}
	lane := &c.lanes[k.lane()]
	if lane.n == 0 && c.admitsLocked(k) {
		c.askLocked(k)
		return
	}
	k.phase = queued
	lane.push(k)
	c.queued = true
}

// maxUnsent bounds the bytes that wait to be written to the calls stream.
const maxUnsent = 2 << 20

// admitsLocked reports whether k may be asked now.
func (c *Client) admitsLocked(k *call) bool {
	l, lane := c.link, k.lane()
	if l == nil || l.out.Len() > maxUnsent {
		return false
	}
	if lane == laneSession {
		return c.pending.span() < l.window
	}
	// A quarter of the window is kept for what the session itself needs.
	if l.resent < l.resendTo || c.pending.span() >= l.window-l.window/4 {
		return false
	}
	// Only ends of leases are of use to a master that is going away. And what
	// it may have to keep until there is room in a queue is bounded: Puts and
	// Completes have half of it each, so that neither waits for the other.
	switch lane {
	case lanePut, laneComplete:
		asked := c.pending.bytes[lane]
		if l.maxWaiting > 0 && asked > 0 && asked+k.weight > l.maxWaiting/2 {
			return false
		}
	}
	return !l.leaving || lane == laneEnd || lane == laneComplete
}

// askLocked gives k its id and hands it to the connection.
func (c *Client) askLocked(k *call) {
	k.phase = asked
	c.pending.add(k)
	c.link.writeLocked(k)
}

// pumpLocked asks what waits, as far as it may be asked now. What the session
// itself needs comes first (claims before the ends of those leases), then what
// is to be asked again, in its order.
func (c *Client) pumpLocked() {
	l := c.link
	if l == nil {
		return
	}
	c.pumpLaneLocked(laneSession)
	for l.resent < l.resendTo && l.out.Len() <= maxUnsent && l.resent < c.pending.low+l.window {
		if k := c.pending.get(l.resent); k != nil {
			l.resent++ // first: from here on it is asked
			l.writeLocked(k)
		} else {
			l.resent = max(l.resent+1, min(c.pending.low, l.resendTo))
		}
	}
	c.queued = l.resent < l.resendTo
	for lane := range c.lanes {
		c.pumpLaneLocked(lane)
		c.queued = c.queued || c.lanes[lane].n > 0
	}
	if c.queued && l.resent >= l.resendTo {
		c.renewLocked(l)
	}
}

func (c *Client) pumpLaneLocked(lane int) {
	list := &c.lanes[lane]
	for list.head != nil && c.admitsLocked(list.head) {
		c.askLocked(list.pop())
	}
}

// renewLocked is called when calls wait. If it is the window they wait for,
// held up by calls that park, those that have had half of it pass by are
// cancelled, to be asked again under a new id.
func (c *Client) renewLocked(l *link) {
	if c.pending.span() < l.window-l.window/4 {
		return
	}
	l.renewed = max(l.renewed, c.pending.low)
	for ; l.renewed+l.window/2 < c.pending.next; l.renewed++ {
		if k := c.pending.get(l.renewed); k != nil && k.phase == asked && k.is(parks) {
			k.renewing = true
			l.cancelLocked(k)
		}
	}
}

// answerLocked ends a call that was asked, with the answer err or what the
// caller has put into k.
func (c *Client) answerLocked(k *call, err error) {
	c.pending.remove(k)
	if k.phase == abandoned {
		k.phase = done
		return
	}
	switch {
	case k.renewing && errors.Is(err, context.Canceled):
		k.renewing = false
		k.phase, k.sent = queued, false
		c.lanes[k.lane()].push(k)
		c.queued = true
		return
	case errors.Is(err, reeve.ErrClosed):
		// The master is going away and has not done it. Whoever takes over
		// will: to the caller this is the same as a lost connection.
		c.link.leaving = true
		if !k.is(sessional) {
			k.phase, k.sent = queued, false
			c.again.push(k)
			return
		}
	case k.doubtful && errors.Is(err, reeve.ErrLeaseLost):
		err = fmt.Errorf("%w: %w", reeve.ErrOutcomeUnknown, err)
	}
	c.finishLocked(k, err)
}

// finishLocked makes k done and tells who waits for it.
func (c *Client) finishLocked(k *call, err error) {
	k.phase, k.err = done, err
	if k.then != nil {
		k.then(c, k)
	}
	if k.after != nil {
		c.finished = append(c.finished, k)
	}
	if k.ready != nil {
		k.ready <- struct{}{}
	}
}

// unlock releases mu after having asked what can be asked by now, wakes the
// writers, and runs what has to run without the lock.
func (c *Client) unlock() {
	if c.queued {
		c.pumpLocked()
	}
	if c.link != nil {
		c.link.wakeLocked()
	}
	finished, lost := c.finished, c.lost
	c.finished, c.lost = nil, nil
	c.mu.Unlock()
	for _, k := range finished {
		k.after(k)
	}
	for _, l := range lost {
		l.lease.Lose(l.cause)
	}
}

// ctxError is ctx's error, with its cause when that says more.
func ctxError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// offlineError is the end of a call that found no connection before its ctx
// ended. It matches [reeve.ErrDisconnected], the ctx's error and the reason.
type offlineError struct{ ctx, last error }

func (e *offlineError) Error() string {
	if e.last == nil {
		return fmt.Sprintf("%v: %v", reeve.ErrDisconnected, e.ctx)
	}
	return fmt.Sprintf("%v: %v (%v)", reeve.ErrDisconnected, e.ctx, e.last)
}

func (e *offlineError) Unwrap() []error {
	errs := []error{reeve.ErrDisconnected, e.ctx}
	if e.last != nil {
		errs = append(errs, e.last)
	}
	return errs
}
