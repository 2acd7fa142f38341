package shared_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

var (
	locksSeed   = flag.Uint64("locks.seed", 1, "first seed of the model test of locks; 0: by the clock")
	locksRounds = flag.Int("locks.rounds", 150, "rounds of the model test of locks, one seed each")
	locksSteps  = flag.Int("locks.steps", 400, "steps of a round")
)

func TestModel_LocksKeepEveryPromise(t *testing.T) {
	t.Parallel()
	seed := *locksSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
		fmt.Fprintln(os.Stderr, "locks.seed", seed)
	}
	seen := map[string]int{} // outcomes of acquires, waits at conditions and at the barrier
	for i := range *locksRounds {
		synctest.Test(t, func(t *testing.T) {
			r := newLocksRound(t, seed+uint64(i))
			r.seen = seen
			r.run(*locksSteps)
		})
	}
	if *locksRounds*(*locksSteps) < 10_000 {
		return
	}
	for _, want := range []string{
		"acquire <nil>", "acquire " + reeve.ErrLocked.Error(), "acquire " + reeve.ErrDeadlock.Error(), "acquire context canceled",
		"wait <nil>", "wait context canceled", "wait " + reeve.ErrLeaseLost.Error(), "wait " + reeve.ErrDeadlock.Error(),
		"barrier <nil>", "barrier " + reeve.ErrBrokenBarrier.Error(), "barrier context canceled", "event <nil>",
	} {
		if seen[want] == 0 {
			t.Errorf("no outcome was %q: %v", want, seen)
		}
	}
}

// locksRound is one run of random operations.
type locksRound struct {
	model
	*place
	seed    uint64
	rnd     *rand.Rand
	history []string
	seen    map[string]int
}

func newLocksRound(t *testing.T, seed uint64) *locksRound {
	r := &locksRound{
		model: model{start: time.Now()}, place: &place{t, t.Context(), newLockHost()},
		seed: seed, rnd: rand.New(rand.NewPCG(seed, 1)),
	}
	o := r.client(100)
	lock, graced, rlock, rw, sem := r.object("lock", "lock", false, 1), r.object("graced", "lock", true, 1),
		r.object("rlock", "rlock", true, 1), r.object("rw", "rwlock", false, 1<<28), r.object("sem", "semaphore", false, 3)
	cfg := func(o *mObject) shared.LockConfig {
		if o.graced {
			return shared.LockConfig{Grace: mGrace}
		}
		return shared.LockConfig{}
	}
	_, err1 := shared.NewLock(r.ctx, o, lock.name, cfg(lock))
	_, err2 := shared.NewLock(r.ctx, o, graced.name, cfg(graced))
	_, err3 := shared.NewRLock(r.ctx, o, rlock.name, cfg(rlock))
	_, err4 := shared.NewRWLock(r.ctx, o, rw.name, cfg(rw))
	_, err5 := shared.NewSemaphore(r.ctx, o, sem.name, shared.SemaphoreConfig{Value: sem.free, Bounded: true})
	_, err6 := shared.NewEvent(r.ctx, o, "event", shared.EventConfig{})
	_, err7 := shared.NewBarrier(r.ctx, o, "barrier", shared.BarrierConfig{Parties: mParties})
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
	for _, lock := range []*mObject{lock, graced, rlock, rlock} {
		c := &mCond{name: fmt.Sprint("condition ", len(r.conds), " of ", lock.name), lock: lock}
		if _, err := shared.NewCondition(r.ctx, o, c.name, shared.ConditionConfig{Lock: reeve.Ref{Name: lock.name}}); err != nil {
			t.Fatal(err)
		}
		r.conds = append(r.conds, c)
	}
	for i := range 4 {
		c := &mClient{line: newLine(r.host, byte(i+1))}
		r.clients = append(r.clients, c)
		for j := range 3 {
			a := &mActor{name: fmt.Sprintf("%c%d", 'A'+i, j), client: c, owner: shared.NewOwner(), conds: map[*mCond]*shared.Condition{}}
			for _, cond := range r.conds {
				a.conds[cond] = shared.ConditionOf(c, cond.name).As(a.owner)
			}
			a.conds[r.conds[3]] = a.conds[r.conds[3]].On(a.conds[r.conds[2]]) // two of one lock
			r.actors = append(r.actors, a)
		}
	}
	return r
}

func (r *locksRound) object(name, kind string, graced bool, places int) *mObject {
	o := &mObject{name: name, kind: kind, graced: graced, free: places}
	r.objects = append(r.objects, o)
	return o
}

func (r *locksRound) fail(format string, args ...any) {
	r.t.Helper()
	h := r.history
	r.t.Fatalf("-locks.seed=%d: %s\nafter %d steps, the last:\n%s", r.seed, fmt.Sprintf(format, args...), len(h), strings.Join(h[max(0, len(h)-25):], "\n"))
}

func (r *locksRound) note(format string, args ...any) {
	r.history = append(r.history, fmt.Sprintf("%10v  ", r.now())+fmt.Sprintf(format, args...))
}

func (r *locksRound) run(steps int) {
	defer r.end()
	for range steps {
		r.step()
		r.check()
	}
	for _, c := range r.clients {
		if c.away {
			r.note("%c is back", 'A'+rune(c.id)-1)
			r.connect(c)
			c.line.connect()
			r.check()
		}
	}
}

// end ends all calls, so that the bubble can.
func (r *locksRound) end() {
	for _, c := range r.clients {
		c.line.cut()
	}
	synctest.Wait()
	for _, a := range r.actors {
		if a.call != nil {
			a.call.cancel()
		}
	}
	r.host.Close()
	synctest.Wait()
	for _, c := range r.clients {
		c.line.connect() // what is asked is told that all is over
	}
	time.Sleep(time.Minute)
	for _, c := range r.clients {
		c.line.cut()
	}
}

func (r *locksRound) step() {
	if r.rnd.IntN(100) < 4 {
		d := time.Duration(1+r.rnd.IntN(6000)) * time.Millisecond
		r.note("%v pass", d)
		r.pass(d)
		return
	}
	if c := r.clients[r.rnd.IntN(len(r.clients))]; r.rnd.IntN(100) < 2 || c.away && r.rnd.IntN(100) < 15 {
		r.breakOrMend(c)
		return
	}
	a := r.actors[r.rnd.IntN(len(r.actors))]
	switch {
	case a.client.away:
	case a.call != nil:
		if !a.call.gaveUp && r.rnd.IntN(100) < 10 {
			r.note("%v no more", a.call)
			if r.cancelCall(a.call); a.call.c != nil {
				r.calls++
				a.call.number = r.calls // it is another call that takes the lock again
			}
			a.call.cancel()
		}
	default:
		r.act(a)
	}
}

// pass lets time pass, from one end of what is away to the next.
func (r *locksRound) pass(d time.Duration) {
	for until := r.now() + d; ; {
		next := until
		for _, o := range r.objects {
			for _, h := range o.holds {
				if h.until > r.now() {
					next = min(next, h.until)
				}
			}
		}
		for _, a := range r.actors {
			if a.call != nil && a.call.until > r.now() {
				next = min(next, a.call.until)
			}
		}
		time.Sleep(next - r.now())
		synctest.Wait()
		r.expire()
		if next == until {
			return
		}
	}
}

func (r *locksRound) breakOrMend(c *mClient) {
	if c.away {
		r.note("%c is back", 'A'+rune(c.id)-1)
		r.connect(c)
		c.line.connect()
	} else {
		r.note("%c is cut off", 'A'+rune(c.id)-1)
		r.sortCalls()
		r.cut(c)
		c.line.cut()
	}
}

// sortCalls brings the actors into the order in which their calls were made, which
// is that in which they are made again.
func (r *locksRound) sortCalls() {
	slices.SortStableFunc(r.actors, func(a, b *mActor) int {
		n := func(a *mActor) int {
			if a.call == nil {
				return 0
			}
			return a.call.number
		}
		return n(a) - n(b)
	})
}

// act lets an actor do something.
func (r *locksRound) act(a *mActor) {
	o := r.objects[r.rnd.IntN(len(r.objects))]
	cond := r.conds[r.rnd.IntN(len(r.conds))]
	for _, i := range r.rnd.Perm(len(r.conds)) {
		if r.conds[i].lock.holdOf(a) != nil && r.rnd.IntN(100) < 90 {
			cond = r.conds[i]
		}
	}
	held := cond.lock.holdOf(a)
	switch n := r.rnd.IntN(100); {
	case n < 35:
		r.doAcquire(a, o, r.rnd.IntN(100) < 75)
	case n < 60:
		r.doRelease(a)
	case n < 68 && held != nil && len(held.real) > 0:
		r.begin(&mCall{a: a, o: cond.lock, c: cond, places: 1, hold: held}, r.model.wait, func(ctx context.Context) (mResult, error) {
			return mResult{hold: held.real[0]}, a.conds[cond].Wait(ctx)
		})
	case n < 80:
		r.doNotify(a, cond, held)
	case n < 84:
		r.begin(&mCall{a: a, event: true}, r.sleep, func(ctx context.Context) (mResult, error) {
			return mResult{}, shared.EventOf(a.client, "event").Wait(ctx)
		})
	case n < 89:
		r.doEvent(a)
	case n < 95:
		r.begin(&mCall{a: a, bar: true}, r.come, func(ctx context.Context) (mResult, error) {
			n, err := shared.BarrierOf(a.client, "barrier").Wait(ctx)
			return mResult{index: n}, err
		})
	default:
		r.note("%s resets the barrier", a.name)
		r.breakUp()
		r.broken = false
		if err := shared.BarrierOf(a.client, "barrier").Reset(r.ctx); err != nil {
			r.fail("%v", err)
		}
	}
}

// begin makes a call, of the model and of the master.
func (r *locksRound) begin(k *mCall, modelled func(*mCall), f func(ctx context.Context) (mResult, error)) {
	r.note("%v", k)
	r.calls++
	k.number = r.calls
	k.a.call = k
	var ctx context.Context
	ctx, k.cancel = context.WithCancel(r.ctx)
	modelled(k)
	k.real = begin(r.place, func() (mResult, error) { return f(ctx) })
}

func (r *locksRound) doAcquire(a *mActor, o *mObject, wait bool) {
	k := &mCall{a: a, o: o, places: 1}
	ways := map[bool]func(context.Context) (*shared.Hold, error){}
	switch o.kind {
	case "lock", "rlock": // through a condition of it, so that one can wait there
		conds := slices.DeleteFunc(slices.Clone(r.conds), func(c *mCond) bool { return c.lock != o })
		h := a.conds[conds[0]]
		ways[true], ways[false] = h.Acquire, h.TryAcquire
	case "rwlock":
		l := shared.RWLockOf(a.client, o.name).As(a.owner)
		if k.read = r.rnd.IntN(100) < 60; k.read {
			ways[true], ways[false] = l.AcquireRead, l.TryAcquireRead
		} else {
			k.places = 1 << 28
			ways[true], ways[false] = l.Acquire, l.TryAcquire
		}
	case "semaphore":
		k.places = 1 + r.rnd.IntN(3)
		s := shared.SemaphoreOf(a.client, o.name)
		ways[true] = func(ctx context.Context) (*shared.Hold, error) { return s.AcquireN(ctx, k.places) }
		ways[false] = func(ctx context.Context) (*shared.Hold, error) { return s.TryAcquireN(ctx, k.places) }
	}
	r.begin(k, func(k *mCall) { r.acquire(k, wait) }, func(ctx context.Context) (mResult, error) {
		h, err := ways[wait](ctx)
		return mResult{hold: h}, err
	})
}

// doRelease releases something that the actor holds, if anything.
func (r *locksRound) doRelease(a *mActor) {
	var o *mObject
	var h *mHold
	for _, i := range r.rnd.Perm(len(r.objects)) {
		if x := r.objects[i].holdOf(a); x != nil {
			o, h = r.objects[i], x
		}
	}
	if h == nil {
		return
	}
	last := h.real[len(h.real)-1]
	h.real = h.real[:len(h.real)-1]
	r.note("%s releases %s, token %d", a.name, o.name, last.Token())
	if len(h.real) == 0 {
		r.drop(o, h)
		r.advance(o)
	}
	if err := last.Release(r.ctx); err != nil {
		r.fail("%v", err)
	}
}

func (r *locksRound) doNotify(a *mActor, c *mCond, held *mHold) {
	n := r.rnd.IntN(4)
	r.note("%s notifies %d at %s", a.name, n, c.name)
	told, err := a.conds[c].Notify(r.ctx, n)
	switch want := error(nil); {
	case held != nil:
		if t := r.notify(c, n); err != nil || told != t {
			r.fail("%d were notified, want %d: %v", told, t, err)
		}
	default:
		if want = reeve.ErrNotLocked; len(c.lock.holds) > 0 {
			want = reeve.ErrNotOwner
		}
		if !errors.Is(err, want) {
			r.fail("got %v, want %v", err, want)
		}
	}
}

func (r *locksRound) doEvent(a *mActor) {
	e := shared.EventOf(a.client, "event")
	var err error
	if r.set = !r.set; r.set {
		r.note("%s sets the event", a.name)
		for _, k := range r.sleeper {
			r.returns(k, nil)
		}
		r.sleeper = nil
		err = e.Set(r.ctx)
	} else {
		r.note("%s clears the event", a.name)
		err = e.Clear(r.ctx)
	}
	if err != nil {
		r.fail("%v", err)
	}
}

// check compares what has returned with what was to.
func (r *locksRound) check() {
	synctest.Wait()
	for _, a := range r.actors {
		k := a.call
		if k == nil {
			continue
		}
		select {
		case <-k.real.done:
			if !k.done {
				r.fail("%v: returned with %v, and is to wait", k, k.real.err)
			}
		default:
			if k.done {
				r.fail("%v: waits, and is to return with %v", k, k.err)
			}
			continue
		}
		if err := k.real.err; !errors.Is(err, k.err) {
			r.fail("%v: returned with %v, want %v", k, err, k.err)
		}
		if k.bar && k.err == nil && k.real.v.index != k.index {
			r.fail("%v: has index %d, want %d", k, k.real.v.index, k.index)
		}
		k.cancel()
		r.seen[fmt.Sprint(k.kind(), " ", k.err)]++
		a.call = nil
	}
	for _, o := range r.objects {
		r.tokens(o)
	}
}

// tokens checks that those of what was granted grow in the order of the grants,
// and notes the holds.
func (r *locksRound) tokens(o *mObject) {
	for _, k := range o.granted {
		h := k.real.v.hold
		reentry := k.c == nil && len(k.hold.real) > 0
		switch token := h.Token(); {
		case reentry && token != k.hold.real[0].Token():
			r.fail("%v: token %d, want %d as before", k, token, k.hold.real[0].Token())
		case !reentry && token <= o.last:
			r.fail("%v: token %d after %d", k, token, o.last)
		default:
			o.last = max(o.last, token)
		}
		if k.c == nil {
			k.hold.real = append(k.hold.real, h)
		}
	}
	o.granted = nil
	for _, h := range o.holds {
		for _, real := range h.real {
			if err := real.Context().Err(); err != nil {
				r.fail("the hold of %s of %s ended: %v", h.a.name, o.name, context.Cause(real.Context()))
			}
		}
	}
}
