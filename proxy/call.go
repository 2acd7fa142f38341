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
type traits uint16

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
	// counted: the answer is a number of tasks.
	counted
	// onObject: it is a call of a shared object, which has a number of its own series.
	onObject
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
	ids    int      // how many ids the request takes from a Confirm (tasks of a Put)
	first  reeve.ID // also with an error
	leases []*reeve.Lease
	answer *wire.Answer

	// Who is told, once, when it is done; each may be absent.
	then  func(*Client, *call) // with Client.mu held
	after func(*call)          // with nothing locked; must not block
	ready chan struct{}        // cap 1
}

func (k *call) is(t traits) bool { return k.traits&t != 0 }

// do makes a call and waits for its answer, which k then has, or for ctx.
func (c *Client) do(ctx context.Context, k *call) error {
	_, err := c.ask(ctx, k)
	return err
}

// ask is do that tells whether k has its answer: without one k is not the
// caller's yet.
func (c *Client) ask(ctx context.Context, k *call) (answered bool, err error) {
	if ctx.Err() != nil {
		return false, ctxError(ctx)
	}
	ready, _ := c.readies.Get().(chan struct{})
	if ready == nil {
		ready = make(chan struct{}, 1)
	}
	k.ready = ready
	c.mu.Lock()
	c.submitLocked(k)
	if !c.writeAlone() {
		c.unlock()
	}
	select {
	case <-ready:
	case <-ctx.Done():
		c.mu.Lock()
		err := c.abandonLocked(ctx, k)
		c.unlock()
		if err != nil {
			return false, err
		}
		<-ready
	}
	c.readies.Put(ready) // nothing is sent a second time
	return true, k.err
}

// abandonLocked gives k up because ctx ended; nil when its answer was faster.
func (c *Client) abandonLocked(ctx context.Context, k *call) error {
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
			c.unregister(k) // no answer will come
			k.phase = done
			c.strayLocked(k)
		} else if k.is(parks) {
			c.link.cancelLocked(k)
		}
	}
	return ctxError(ctx)
}

// answerLocked ends a call that was asked, with the answer err or what the
// caller has put into k.
func (c *Client) answerLocked(k *call, err error) {
	c.unregister(k)
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
	case errors.Is(err, reeve.ErrClosed) && !k.is(onObject): // which would be the method's error
		// The master is going away and has not done it. Whoever takes over
		// will: to the caller this is the same as a lost connection.
		c.link.leaving = true
		if !k.is(sessional) {
			k.phase, k.sent = queued, false
			c.again.push(k)
			return
		}
	case k.is(fenced) && errors.Is(err, reeve.ErrCancelled):
		err = cancelledLease(err)
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
