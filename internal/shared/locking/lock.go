package locking

import (
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// held is what the objects that are held through a gate have in common: all that
// package shared asks of them but Call.
type held struct{ gate *gate }

func (x held) Lost(cl *shared.Client) {
	x.gate.sp.mu.Lock()
	defer x.gate.sp.mu.Unlock()
	x.gate.lost(cl)
}

func (x held) Gone(cl *shared.Client) {
	x.gate.sp.mu.Lock()
	defer x.gate.sp.mu.Unlock()
	x.gate.gone(cl)
}

func (x held) Close(cause error) {
	x.gate.sp.mu.Lock()
	defer x.gate.sp.mu.Unlock()
	x.gate.close(cause)
}

func (x held) Describe() string {
	x.gate.sp.mu.Lock()
	defer x.gate.sp.mu.Unlock()
	return x.gate.describe()
}

// Holds lists who holds the object.
func (x held) Holds() []reeve.HoldInfo {
	x.gate.sp.mu.Lock()
	defer x.gate.sp.mu.Unlock()
	return x.gate.list()
}

// lock is a lock that one owner can hold, once or, re-entrant, several times.
type lock struct {
	held
	ref reeve.Ref
}

var lockMethods = []reeve.MethodInfo{
	{Name: "acquire", Signature: "acquire(owners, try, wait, nil) (token, grace, notified)"},
	{Name: "undo", Signature: "undo(owner, try)"},
	{Name: "release", Signature: "release(owner, token, left)"},
	{Name: "holds", Signature: "holds(owner, token) bool"},
	{Name: "locked", Signature: "locked() bool", Reads: true},
}

// lockSpec is the configuration of locks and elections.
type lockSpec struct {
	Grace time.Duration `cbor:"1,keyasint,omitempty"`
}

func (sp *space) newLock(reentrant bool) func(*shared.Env, []byte) (shared.Object, error) {
	return func(env *shared.Env, spec []byte) (shared.Object, error) {
		var cfg lockSpec
		if err := configure(spec, &cfg); err != nil {
			return nil, err
		}
		if err := checkGrace(cfg.Grace); err != nil {
			return nil, err
		}
		l := &lock{ref: bare(env.Ref)}
		l.gate = sp.newGate(env, l, cfg.Grace, 1)
		l.gate.reentrant, l.gate.tracked = reentrant, true
		sp.mu.Lock()
		defer sp.mu.Unlock()
		sp.locks[l.ref] = l.gate
		return l, nil
	}
}

// bare is ref with nothing but what tells the object from all others.
func bare(ref reeve.Ref) reeve.Ref {
	if ref.Name != "" {
		return reeve.Ref{Name: ref.Name}
	}
	return reeve.Ref{ID: ref.ID, Life: ref.Life}
}

// Close ends the lock.
func (l *lock) Close(cause error) {
	l.held.Close(cause)
	l.gate.sp.mu.Lock()
	defer l.gate.sp.mu.Unlock()
	delete(l.gate.sp.locks, l.ref)
}

func (l *lock) Call(c *shared.Call) {
	if err := l.gate.call(c); err != nil {
		c.Fail(err)
	}
}

// call carries out what can be done with a lock.
func (g *gate) call(c *shared.Call) error {
	if c.Method != "acquire" {
		return g.callHeld(c, "release")
	}
	var a acquireArgs[any]
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	w, err := g.waiter(c, a.Owners, a.Try)
	if err != nil {
		return err
	}
	g.sp.mu.Lock()
	defer g.sp.mu.Unlock()
	return g.acquire(w, a.Wait)
}

// callHeld carries out what can be done with everything that is held. release is
// the name of the method that ends a hold.
func (g *gate) callHeld(c *shared.Call, release string) error {
	switch c.Method {
	case "undo", "holds":
		return g.callHold(c)
	case release:
		return g.callRelease(c)
	}
	if err := shared.NoArgs(c); err != nil {
		return err
	}
	g.sp.mu.Lock()
	defer g.sp.mu.Unlock()
	if g.closed != nil {
		return g.closed
	}
	shared.ReturnValue(c, g.free == 0)
	return nil
}

// callHold carries out what is about one hold.
func (g *gate) callHold(c *shared.Call) error {
	var a holdArgs
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	o := owner{c.Client, a.Owner}
	g.sp.mu.Lock()
	defer g.sp.mu.Unlock()
	if c.Method == "holds" {
		shared.ReturnValue(c, g.holding(o, a.Number))
	} else {
		g.undo(o, a.Number)
		c.Return(nil)
	}
	return nil
}

func (g *gate) callRelease(c *shared.Call) error {
	var a releaseArgs
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	g.sp.mu.Lock()
	defer g.sp.mu.Unlock()
	if err := g.release(owner{c.Client, a.Owner}, a.Token, a.Left); err != nil {
		return err
	}
	c.Return(nil)
	return nil
}
