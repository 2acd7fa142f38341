package locking

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// condition lets owners of a lock wait, without the lock, until another one
// notifies them.
type condition struct {
	sp      *space
	gate    *gate // its lock
	own     bool  // no other object has it
	waiting *list.List
	waits   map[owner]*wait
	away    *absences
	closed  error
}

// wait is one owner that waits at a condition, first for a notify and then for the
// lock. It is there until it has the lock again, or its client is lost.
type wait struct {
	in    *condition
	owner owner
	above []owner
	try   uint64
	first uint64 // of the hold that it gave up
	count int    // of that hold, too

	call     *shared.Call  // nil: its connection was lost, or its caller gave up and has not said what next
	place    *list.Element // in condition.waiting; nil: it waits for no notify any more
	notified bool
	claim    *waiter // in the queue of the lock
	away     bool
}

var conditionMethods = []reeve.MethodInfo{
	{Name: "acquire", Signature: "acquire(owners, try, wait, nil) (token, grace, notified)"},
	{Name: "undo", Signature: "undo(owner, try)"},
	{Name: "release", Signature: "release(owner, token, left)"},
	{Name: "holds", Signature: "holds(owner, token) bool"},
	{Name: "locked", Signature: "locked() bool", Reads: true},
	{Name: "wait", Signature: "wait(owners, try) (token, grace, notified)"},
	{Name: "resume", Signature: "resume(owners, try) (token, grace, notified)"},
	{Name: "notify", Signature: "notify(owner, n) int"},
}

type conditionSpec struct {
	Lock  reeve.Ref     `cbor:"1,keyasint,omitzero"` // zero: a re-entrant one of its own
	Grace time.Duration `cbor:"2,keyasint,omitempty"`
}

func (sp *space) newCondition(env *shared.Env, spec []byte) (shared.Object, error) {
	var cfg conditionSpec
	if err := configure(spec, &cfg); err != nil {
		return nil, err
	}
	if err := checkGrace(cfg.Grace); err != nil {
		return nil, err
	}
	c := &condition{sp: sp, waiting: list.New(), waits: map[owner]*wait{}}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if cfg.Lock.IsZero() {
		c.own = true
		c.gate = sp.newGate(env, c, cfg.Grace, 1)
		c.gate.reentrant, c.gate.tracked = true, true
	} else if c.gate = sp.locks[bare(cfg.Lock)]; c.gate == nil {
		return nil, fmt.Errorf("%w: ConditionConfig.Lock: %v is no lock", reeve.ErrInvalid, cfg.Lock)
	} else if cfg.Grace != 0 {
		return nil, fmt.Errorf("%w: ConditionConfig.Grace is that of its lock", reeve.ErrInvalid)
	}
	c.away = newAbsences(sp, c.gate.away.grace, c.forgo)
	c.gate.conds[c] = struct{}{}
	return c, nil
}

func (c *condition) Call(call *shared.Call) {
	if err := c.carryOut(call); err != nil {
		call.Fail(err)
	}
}

func (c *condition) carryOut(call *shared.Call) error {
	switch call.Method {
	case "wait", "resume":
		return c.waitOrResume(call)
	case "notify":
		return c.notifySome(call)
	}
	return c.gate.call(call)
}

func (c *condition) waitOrResume(call *shared.Call) error {
	var a ownersArgs
	if err := shared.DecodeArgs(call, &a); err != nil {
		return err
	}
	o, above, err := owners(call, a.Owners)
	if err != nil {
		return err
	}
	c.sp.mu.Lock()
	defer c.sp.mu.Unlock()
	if c.closed != nil {
		return c.closed
	}
	if x := c.waits[o]; x != nil && x.try == a.Try {
		c.join(x, call)
		return nil
	} else if x != nil && x.call != nil {
		return fmt.Errorf("%w: %v waits at the condition already", reeve.ErrInvalid, o)
	} else if x != nil {
		x.end() // nobody comes for it
	}
	h, err := c.gate.find(o, 0)
	if err != nil {
		return err
	}
	if h.try == a.Try || call.Method == "resume" { // it has the lock already, or never gave it up
		h.away = false
		call.Return(c.gate.answer(h))
		return nil
	}
	x := &wait{in: c, owner: o, above: above, try: a.Try, first: h.first, count: h.count, call: call}
	o.client.Mind(c)
	c.waits[o] = x
	x.place = c.waiting.PushBack(x)
	c.gate.drop(h)
	c.gate.advance()
	call.Park(func(cause error) { x.left(call, cause) })
	return nil
}

// join lets another call wait in the place of one that ended, and whose wait
// stands. Its caller may know of that end before x does.
func (c *condition) join(x *wait, call *shared.Call) {
	if x.call != nil {
		x.call.Fail(context.Canceled)
		x.unclaim()
	}
	x.call, x.away = call, false
	if call.Method == "resume" {
		x.unlist()
	}
	call.Park(func(cause error) { x.left(call, cause) })
	if x.place == nil {
		x.retake()
	}
}

// retake takes the lock again.
func (x *wait) retake() {
	g := x.in.gate
	x.claim = &waiter{gate: g, call: x.call, owner: x.owner, above: x.above, try: x.try, places: 1, of: x}
	if g.fits(x.claim) {
		g.grant(x.claim)
		g.told()
	} else if err := g.enqueue(x.claim); err != nil {
		x.claim = nil
		x.call.Fail(err)
		x.end()
	}
}

// retaken tells that the lock was given to x, or, not ok, that nobody was there to
// take it: then the end of the call is told just now.
func (x *wait) retaken(ok bool) {
	x.claim = nil
	if ok {
		x.notified = false // it has come to somebody
		x.end()
	}
}

// left tells that a call of x ended before it had the lock.
func (x *wait) left(call *shared.Call, cause error) {
	x.in.sp.mu.Lock()
	defer x.in.sp.mu.Unlock()
	if x.call != call {
		return
	}
	x.call = nil
	x.unclaim()
	// A connection that is lost changes nothing else: its client may come back, and
	// Lost is told. Whoever gave up waits for no notify any more, and comes for the
	// lock.
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, reeve.ErrLimit) {
		x.unlist()
	}
}

func (x *wait) unlist() {
	if x.place != nil {
		x.in.waiting.Remove(x.place)
		x.place = nil
	}
}

func (x *wait) unclaim() {
	if w := x.claim; w != nil {
		x.claim = nil
		x.in.gate.leave(w)
	}
}

// end takes x out. A notify that it had and that came to nothing goes to the next.
func (x *wait) end() {
	c := x.in
	if c.waits[x.owner] != x {
		return
	}
	delete(c.waits, x.owner)
	x.call = nil
	x.unlist()
	x.unclaim()
	x.owner.client.Forget(c)
	if x.notified {
		c.notify(1)
	}
}

func (c *condition) notifySome(call *shared.Call) error {
	var a struct {
		_     struct{} `cbor:",toarray"`
		Owner uint64
		N     int // below 0: all
	}
	if err := shared.DecodeArgs(call, &a); err != nil {
		return err
	}
	c.sp.mu.Lock()
	defer c.sp.mu.Unlock()
	if c.closed != nil {
		return c.closed
	}
	if _, err := c.gate.find(owner{call.Client, a.Owner}, 0); err != nil {
		return err
	}
	if a.N < 0 {
		a.N = c.waiting.Len()
	}
	shared.ReturnValue(call, c.notify(a.N))
	return nil
}

// notify lets n of those who wait, if there are so many, take the lock again, and
// tells how many that are.
func (c *condition) notify(n int) int {
	told := 0
	for ; told < n && c.waiting.Len() > 0; told++ {
		x := c.waiting.Front().Value.(*wait)
		x.unlist()
		x.notified = true
		if x.call != nil {
			x.retake()
		}
	}
	return told
}

// Lost ends, or notes, the waits of a client whose connection was lost.
func (c *condition) Lost(cl *shared.Client) {
	c.sp.mu.Lock()
	defer c.sp.mu.Unlock()
	if c.own {
		c.gate.lost(cl)
	}
	c.mark(cl)
	c.away.begin(cl)
}

// Gone ends all waits of a client.
func (c *condition) Gone(cl *shared.Client) {
	c.sp.mu.Lock()
	defer c.sp.mu.Unlock()
	if c.own {
		c.gate.gone(cl)
	}
	c.mark(cl)
	c.away.end(cl)
	c.forgo(cl)
}

func (c *condition) mark(cl *shared.Client) {
	for o, x := range c.waits {
		x.away = x.away || o.client == cl
	}
}

// forgo ends the waits to which a client has not come back.
func (c *condition) forgo(cl *shared.Client) {
	for o, x := range c.waits {
		if o.client == cl && x.away {
			x.end()
		}
	}
}

// endAll ends all waits, with the lock or the condition.
func (c *condition) endAll(cause error) {
	c.away.close()
	for _, x := range c.waits {
		x.notified = false
		if x.call != nil {
			x.call.Fail(cause)
		}
		x.end()
	}
}

func (c *condition) Close(cause error) {
	c.sp.mu.Lock()
	defer c.sp.mu.Unlock()
	c.closed = cause
	delete(c.gate.conds, c)
	c.endAll(cause)
	if c.own {
		c.gate.close(cause)
	}
}

// Describe is the state of the condition.
func (c *condition) Describe() string {
	c.sp.mu.Lock()
	defer c.sp.mu.Unlock()
	s := fmt.Sprintf("%d wait", c.waiting.Len())
	if c.own {
		s += "; its lock: " + c.gate.describe()
	}
	return s
}

// Holds lists who holds the condition's own lock.
func (c *condition) Holds() []reeve.HoldInfo {
	c.sp.mu.Lock()
	defer c.sp.mu.Unlock()
	if !c.own {
		return nil
	}
	return c.gate.list()
}
