package cpython_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
)

// patience is how long, in fake time, a call may take that is not to block:
// longer than the timeouts of scenarios that end, shorter than those that do not.
const patience = 10 * time.Second

// maker makes the object of a scenario, and after it those that it is made of.
type maker func(p *play) ([]subject, error)

// subject is an object of ours that is called as CPython's is.
type subject interface {
	// call makes the call for an actor and returns what it gives, in the terms of
	// Python.
	call(ctx context.Context, actor int, c *step) (any, error)
}

// itself is the value of a call that returns the object.
type itself struct{}

// errNoSuchCall says that a call cannot be said in Go.
var errNoSuchCall = errors.New("not in Go")

// actors are who plays: each has a way of its own to the objects of the master.
type actors struct {
	objects [3]reeve.Objects
	queue   [3]func(name string) (reeve.Queue, error)
}

// play is a scenario that is played.
type play struct {
	*actors
	t          *testing.T
	scenario   *scenario
	difference *difference // nil: none
	name       string      // for an object, of no other scenario
	tally      tally

	calls map[int]*running // by step
	last  int              // the actor whose call was unblocked last
}

func (p *play) errorf(step int, format string, args ...any) {
	p.t.Helper()
	s := &p.scenario.Steps[step]
	p.t.Errorf("%s: step %d, %s%v: %s", p.scenario.Name, step, s.Call, s.Args, fmt.Sprintf(format, args...))
}

// run plays the scenario.
func (p *play) run(make maker) {
	p.tally.scenarios++
	d := p.difference
	if d.whole() {
		p.tally.whole++
		return
	}
	objects, err := make(p)
	want := p.scenario.outcome
	if d != nil && d.Made != nil {
		want = d.Made.outcome
		p.tally.different++
	}
	if err != nil || want.Error != "" {
		if !raises(err, want.Error, p.scenario.Type, "") {
			p.t.Errorf("%s: made with error %v; want %v", p.scenario.Name, err, want)
		}
		return
	}
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	p.calls = map[int]*running{}
	for i := range p.scenario.Steps {
		s := &p.scenario.Steps[i]
		p.tally.calls++
		if d != nil && slices.Contains(d.Without, i) {
			p.tally.without++
			continue
		}
		p.step(ctx, i, s, objects[s.Object])
	}
	for n, call := range p.calls {
		if !call.checked {
			p.errorf(n, "has not ended")
		}
	}
	cancel()
	for _, call := range p.calls {
		<-call.done
	}
}

// step makes the call of one step and looks at what comes of it.
func (p *play) step(ctx context.Context, i int, s *step, x subject) {
	actor := s.Actor
	if actor == freed {
		actor = p.last
	}
	call := start(ctx, x, actor, s)
	p.calls[i] = call
	want, blocks := s.outcome, s.Blocks
	ours, differs := p.differs(i)
	if differs {
		p.tally.different++
		want, blocks = ours.outcome, ours.Blocks
	}
	if blocks {
		synctest.Wait()
		if call.over() {
			p.errorf(i, "does not block: %v", call)
		}
		call.checked = differs // when it ends is not said
	} else {
		p.check(i, want)
	}
	for j := range s.Unblocks {
		p.unblocked(i, &s.Unblocks[j])
	}
	synctest.Wait()
	for n, call := range p.calls {
		if !call.checked && call.over() {
			p.errorf(i, "ended step %d, too: %v", n, call)
		}
	}
}

// unblocked checks the end of a call that the step let go.
func (p *play) unblocked(step int, e *end) {
	synctest.Wait()
	steps := e.steps()
	for _, n := range steps {
		if _, differs := p.differs(n); differs {
			return // it did not block, or it is not said what ends it
		}
		if call := p.calls[n]; call != nil && !call.checked && (call.over() || len(steps) == 1) {
			p.check(n, e.outcome)
			p.last = call.actor
			return
		}
	}
	p.errorf(step, "unblocks none of %v", steps)
}

// differs is what the call of step n comes to, if not to what CPython's does.
func (p *play) differs(n int) (ours, bool) {
	if p.difference == nil {
		return ours{}, false
	}
	o, ok := p.difference.Outcomes[n]
	return o, ok
}

// check compares the outcome of the call of step n with what it should be.
func (p *play) check(n int, want outcome) {
	p.t.Helper()
	call := p.calls[n]
	call.checked = true
	select {
	case <-call.done:
	case <-time.After(patience):
		p.errorf(n, "blocks; want %v", want)
		return
	}
	if !call.comesTo(want, p.scenario.Type, p.scenario.Steps[n].Call) {
		p.errorf(n, "%v; want %v", call, want)
	}
}

// running is a call that was begun.
type running struct {
	actor   int
	checked bool
	done    chan struct{} // closed at the end, after which the fields below are set

	value any
	err   error
}

func start(ctx context.Context, x subject, actor int, s *step) *running {
	r := &running{actor: actor, done: make(chan struct{})}
	go func() { // waited for by run
		defer close(r.done)
		r.value, r.err = x.call(ctx, actor, s)
	}()
	return r
}

func (r *running) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// String is what an ended call came to.
func (r *running) String() string {
	if r.err != nil {
		return fmt.Sprintf("error %v", r.err)
	}
	return fmt.Sprintf("%#v", plain(r.value))
}

// comesTo reports whether an ended call came to an outcome.
func (r *running) comesTo(want outcome, typ, call string) bool {
	if want.Error != "" || r.err != nil {
		return raises(r.err, want.Error, typ, call)
	}
	_, self := r.value.(itself)
	return self && want.Self || !self && !want.Self && reflect.DeepEqual(plain(r.value), want.Value)
}
