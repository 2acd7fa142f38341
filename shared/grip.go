package shared

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

// grip is what the master knows as one hold: of a re-entrant lock, several Holds.
// No goroutine belongs to it while the connection stands.
type grip struct {
	x       *Object
	method  string // that ends it
	owner   Owner
	grace   time.Duration
	ctx     context.Context // ends with it
	cancel  context.CancelCauseFunc
	mu      sync.Mutex // guards the fields below
	token   uint64
	count   int             // how often it was acquired and not released
	ended   bool            // the master has, or may have, ended it as it was asked to
	session context.Context // over which it was granted or claimed
	watched int             // how often watch or unwatch was called
	stop    func() bool     // ends the watch
	left    func()          // called when it has ended; may be nil
}

func newGrip(x *Object, method string, owner Owner, a granted, session context.Context) *grip {
	g := &grip{x: x, method: method, owner: owner, grace: a.Grace, token: a.Token, count: 1}
	g.ctx, g.cancel = context.WithCancelCause(context.Background())
	g.watch(session)
	return g
}

func (g *grip) number() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.token
}

// regrant notes that the master granted g anew. It does nothing with nil.
func (g *grip) regrant(token uint64, session context.Context) {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.token = token
	g.mu.Unlock()
	g.watch(session)
}

// watch has disconnected called when session ends.
func (g *grip) watch(session context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unwatchLocked()
	if g.ctx.Err() != nil || session == nil {
		return
	}
	g.session = session
	watch := g.watched
	g.stop = context.AfterFunc(session, func() { g.disconnected(session, watch) })
}

// unwatchLocked lets the session end without consequence.
func (g *grip) unwatchLocked() {
	g.watched++
	if g.stop != nil {
		g.stop()
		g.stop = nil
	}
}

// disconnected is called when the session of a watch has ended.
func (g *grip) disconnected(session context.Context, watch int) {
	if g.grace == 0 {
		g.loseWatched(watch, context.Cause(session))
		return
	}
	var held bool
	a, err := g.x.answer(g.ctx, "holds", reads, &held, g.owner, g.number())
	switch {
	case err != nil:
		g.loseWatched(watch, err)
	case !held:
		g.loseWatched(watch, context.Cause(session))
	case g.current(watch):
		g.watch(a.Session)
	}
}

func (g *grip) current(watch int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.watched == watch
}

func (g *grip) loseWatched(watch int, cause error) {
	if g.current(watch) {
		g.lose(cause)
	}
}

// lose notes that the hold was lost. It does nothing with nil.
func (g *grip) lose(cause error) {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.unwatchLocked()
	left := g.left
	g.mu.Unlock()
	if left != nil {
		defer left()
	}
	if !errors.Is(cause, reeve.ErrLeaseLost) {
		cause = fmt.Errorf("%w: %w", reeve.ErrLeaseLost, cause)
	}
	g.cancel(cause)
}

// bound is ctx for a call that means nothing once g is lost.
func (g *grip) bound(ctx context.Context) (context.Context, func()) {
	g.mu.Lock()
	session := g.session
	g.mu.Unlock()
	if g.grace == 0 && session != nil && session.Err() != nil {
		g.lose(context.Cause(session))
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(g.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// whyLost is why the hold was lost; nil: it was not, as far as is known here.
func (g *grip) whyLost() error {
	if g == nil {
		return nil
	}
	if err := context.Cause(g.ctx); errors.Is(err, reeve.ErrLeaseLost) {
		return err
	}
	return nil
}

// again notes that the lock was acquired once more.
func (g *grip) again() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count++
}

// release takes back one acquire. again: it was tried, and is not known to have
// succeeded or failed.
func (g *grip) release(ctx context.Context, again bool) error {
	g.mu.Lock()
	if !again {
		if g.count == 0 {
			g.mu.Unlock()
			return reeve.ErrNotLocked
		}
		g.count--
	}
	left := g.count
	g.mu.Unlock()
	err := g.leave(ctx, left)
	if ctx.Err() == nil || !isOver(err) {
		return err
	}
	// What is released because ctx has ended is to be free for others all the same.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	if late := g.leave(late, left); !isOver(late) {
		return late
	}
	return err
}

// leave tells the master that left acquires are left.
func (g *grip) leave(ctx context.Context, left int) error {
	g.mu.Lock()
	token, ended := g.token, g.ended
	g.mu.Unlock()
	bound, stop := g.bound(ctx)
	defer stop()
	if err := g.whyLost(); err != nil {
		return err
	}
	err := g.x.call(bound, g.method, 0, nil, g.owner, token, left)
	switch lost := g.whyLost(); {
	case err == nil || ended && isNotHeld(err):
		if left == 0 {
			g.end()
		}
		return nil
	case lost != nil:
		return lost
	case isNotHeld(err):
		g.lose(err)
		return g.whyLost()
	case isOver(err) && left == 0:
		g.mu.Lock()
		g.ended = true
		g.mu.Unlock()
	}
	return err
}

// end notes that the hold has ended as it was to.
func (g *grip) end() {
	g.mu.Lock()
	g.ended = true
	g.unwatchLocked()
	left := g.left
	g.mu.Unlock()
	g.cancel(reeve.ErrNotLocked)
	if left != nil {
		left()
	}
}

// endAll is end of what was released in another way, so that nothing is left to be
// released.
func (g *grip) endAll() {
	g.mu.Lock()
	g.count = 0
	g.mu.Unlock()
	g.end()
}

// stands asks whether the master has g still, after a call that should have given it
// up was refused, and goes on watching then. Of a nil grip nothing is known.
func (g *grip) stands(ctx context.Context) bool {
	if g == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	var held bool
	a, err := g.x.answer(ctx, "holds", reads, &held, g.owner, g.number())
	if err != nil || !held {
		return false
	}
	g.watch(a.Session)
	return true
}

// isNotHeld reports whether the master says that the caller holds nothing.
func isNotHeld(err error) bool {
	return errors.Is(err, reeve.ErrNotLocked) || errors.Is(err, reeve.ErrNotOwner)
}

// isOver reports whether a call ended with its context.
func isOver(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// suspension is the time in which the lock of a grip is given up in a Wait.
type suspension struct{ ctx context.Context } // ends when it cannot be had again

// suspend begins a suspension; until regrant, or its end, nobody watches for the
// connection but the suspension. Of a nil grip nothing is known.
func (g *grip) suspend() (suspension, func()) {
	if g == nil {
		return suspension{context.Background()}, func() {}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unwatchLocked()
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := func() bool { return true }
	if session := g.session; g.grace == 0 && session != nil {
		stop = context.AfterFunc(session, func() { cancel(context.Cause(session)) })
	}
	return suspension{ctx}, func() { stop(); cancel(nil) }
}

// bind is ctx that ends with the suspension, too.
func (s suspension) bind(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// err is why the lock cannot be had again.
func (s suspension) err() error { return context.Cause(s.ctx) }
