package locking

import (
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// rwlock is a lock that many may hold for reading, or one for writing. Readers
// and writers get it in the order in which they came.
type rwlock struct{ held }

var rwlockMethods = []reeve.MethodInfo{
	{Name: "acquire", Signature: "acquire(owners, try, wait, write) (token, grace, notified)"},
	{Name: "undo", Signature: "undo(owner, try)"},
	{Name: "release", Signature: "release(owner, token, left)"},
	{Name: "holds", Signature: "holds(owner, token) bool"},
	{Name: "locked", Signature: "locked() (readers, written)", Reads: true},
}

// allPlaces are those of a lock for readers and writers: a reader takes one.
const allPlaces = maxCount

func (sp *space) newRWLock(env *shared.Env, spec []byte) (shared.Object, error) {
	var cfg lockSpec
	if err := configure(spec, &cfg); err != nil {
		return nil, err
	}
	if err := checkGrace(cfg.Grace); err != nil {
		return nil, err
	}
	l := &rwlock{}
	l.gate = sp.newGate(env, l, cfg.Grace, allPlaces)
	l.gate.readers, l.gate.tracked = true, true
	return l, nil
}

func (l *rwlock) Call(c *shared.Call) {
	if err := l.call(c); err != nil {
		c.Fail(err)
	}
}

func (l *rwlock) call(c *shared.Call) error {
	g := l.gate
	switch c.Method {
	case "acquire":
		var a acquireArgs[bool]
		if err := shared.DecodeArgs(c, &a); err != nil {
			return err
		}
		w, err := g.waiter(c, a.Owners, a.Try)
		if err != nil {
			return err
		}
		if w.read = !a.With; a.With {
			w.places = allPlaces
		}
		g.sp.mu.Lock()
		defer g.sp.mu.Unlock()
		return g.acquire(w, a.Wait)
	case "locked":
		if err := shared.NoArgs(c); err != nil {
			return err
		}
		g.sp.mu.Lock()
		defer g.sp.mu.Unlock()
		if g.closed != nil {
			return g.closed
		}
		written := g.free == 0
		readers := allPlaces - g.free
		if written {
			readers = 0
		}
		shared.ReturnValue(c, []any{readers, written})
		return nil
	}
	return g.callHeld(c, "release")
}
