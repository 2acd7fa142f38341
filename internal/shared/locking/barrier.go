package locking

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// barrier lets those who wait go when there are enough of them. It breaks, for
// these and all who come later, when one of them does not wait any more.
type barrier struct {
	sp      *space
	cfg     barrierSpec
	waiting []*shared.Call // in the order in which they came
	timer   *time.Timer    // since the first that set no time of its own
	broken  error          // nil: it is not
	closed  error
}

var barrierMethods = []reeve.MethodInfo{
	{Name: "wait", Signature: "wait() index"},
	{Name: "reset", Signature: "reset()"},
	{Name: "abort", Signature: "abort()"},
	{Name: "state", Signature: "state() (parties, waiting, broken, reason)", Reads: true},
}

type barrierSpec struct {
	Parties int           `cbor:"1,keyasint,omitempty"`
	Timeout time.Duration `cbor:"2,keyasint,omitempty"`
}

// maxParties bounds the calls that wait at one barrier.
const maxParties = 1 << 20

func (sp *space) newBarrier(_ *shared.Env, spec []byte) (shared.Object, error) {
	b := &barrier{sp: sp}
	if err := configure(spec, &b.cfg); err != nil {
		return nil, err
	}
	if b.cfg.Parties < 1 || b.cfg.Parties > maxParties {
		return nil, fmt.Errorf("%w: BarrierConfig.Parties is %d, want 1 to %d", reeve.ErrInvalid, b.cfg.Parties, maxParties)
	}
	if b.cfg.Timeout < 0 {
		return nil, fmt.Errorf("%w: BarrierConfig.Timeout is %v, want 0 (none) or more", reeve.ErrInvalid, b.cfg.Timeout)
	}
	return b, nil
}

func (b *barrier) Call(c *shared.Call) {
	if err := shared.NoArgs(c); err != nil {
		c.Fail(err)
		return
	}
	b.sp.mu.Lock()
	defer b.sp.mu.Unlock()
	switch {
	case b.closed != nil:
		c.Fail(b.closed)
	case c.Method == "wait":
		b.wait(c)
	case c.Method == "state":
		var reason string
		if b.broken != nil {
			reason = b.broken.Error()
		}
		shared.ReturnValue(c, []any{b.cfg.Parties, len(b.waiting), b.broken != nil, reason})
	case c.Method == "abort":
		b.breakUp("aborted by " + person(c.Client))
		c.Return(nil)
	default:
		if len(b.waiting) > 0 {
			b.breakUp("reset by " + person(c.Client))
		}
		b.broken = nil
		c.Return(nil)
	}
}

func (b *barrier) wait(c *shared.Call) {
	if b.broken != nil {
		c.Fail(b.broken)
		return
	}
	if len(b.waiting)+1 < b.cfg.Parties {
		b.waiting = append(b.waiting, c)
		b.watch(c)
		c.Park(func(cause error) { b.leave(c, cause) })
		return
	}
	for i, w := range b.waiting {
		shared.ReturnValue(w, i)
	}
	shared.ReturnValue(c, len(b.waiting))
	b.clear()
}

// watch begins the time that the barrier gives those who set none.
func (b *barrier) watch(c *shared.Call) {
	if b.cfg.Timeout == 0 || b.timer != nil || !c.Deadline.IsZero() {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(b.cfg.Timeout, func() {
		b.sp.mu.Lock()
		defer b.sp.mu.Unlock()
		if b.timer == t {
			b.breakUp(fmt.Sprintf("%v are over since %s began to wait", b.cfg.Timeout, person(c.Client)))
		}
	})
	b.timer = t
}

// leave breaks the barrier, at which c does not wait any more.
func (b *barrier) leave(c *shared.Call, cause error) {
	b.sp.mu.Lock()
	defer b.sp.mu.Unlock()
	i := slices.Index(b.waiting, c)
	if i < 0 {
		return
	}
	b.waiting = slices.Delete(b.waiting, i, i+1)
	late := !c.Deadline.IsZero() && !time.Now().Before(c.Deadline) // and its caller was faster to see it
	switch {
	case cause == context.DeadlineExceeded, cause == context.Canceled && late:
		b.breakUp("time is over for " + person(c.Client))
	case cause == context.Canceled:
		b.breakUp(person(c.Client) + " gave up")
	default:
		b.breakUp(fmt.Sprintf("%s waits no more: %v", person(c.Client), cause))
	}
}

// breakUp ends all waits.
func (b *barrier) breakUp(reason string) {
	b.broken = fmt.Errorf("%w: %s", reeve.ErrBrokenBarrier, reason)
	for _, w := range b.waiting {
		w.Fail(b.broken)
	}
	b.clear()
}

// clear begins anew, with nobody waiting.
func (b *barrier) clear() {
	b.waiting = nil
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
}

func (b *barrier) Lost(*shared.Client) {}
func (b *barrier) Gone(*shared.Client) {}

func (b *barrier) Close(cause error) {
	b.sp.mu.Lock()
	defer b.sp.mu.Unlock()
	b.closed = cause
	for _, w := range b.waiting {
		w.Fail(cause)
	}
	b.clear()
}

func (b *barrier) Describe() string {
	b.sp.mu.Lock()
	defer b.sp.mu.Unlock()
	if b.broken != nil {
		return "broken"
	}
	return fmt.Sprintf("%d of %d wait", len(b.waiting), b.cfg.Parties)
}
