package expose

import (
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// object is a value that is shared.
type object struct {
	set   *Set
	face  *face
	name  string // empty: none
	value any
	recv  reflect.Value             // value as the face's interface; that of a factory is not valid
	ref   atomic.Pointer[reeve.Ref] // nil: it is just being added

	gate objectGate // guarded by schedule.mu

	handed int // calls that have returned a reference to it, or are about to; guarded by Set.adding

	// Guarded by Set.mu.
	id     identity
	closed bool
}

func newObject(s *Set, f *face, name string, value any) *object {
	o := &object{set: s, face: f, name: name, value: value}
	if f.iface != nil {
		o.recv = reflect.New(f.iface).Elem()
		o.recv.Set(reflect.ValueOf(value))
	}
	o.gate.max = f.maxCalls()
	return o
}

// String names the object for people.
func (o *object) String() string {
	if ref := o.ref.Load(); ref != nil {
		return ref.String()
	}
	return o.name
}

// Call has a method run.
func (o *object) Call(c *shared.Call) {
	m := o.face.methods[c.Method]
	switch {
	case m == nil:
		c.Fail(fmt.Errorf("%w: %s of %v", reeve.ErrNotExposed, c.Method, o))
		return
	case c.Again && !m.again:
		c.Fail(fmt.Errorf("%w: %s of %v was called, and then the master was restarted", reeve.ErrOutcomeUnknown, m.name, o))
		return
	}
	j := newJob(o, m, c, slices.Clone(c.Args))
	if !c.Stay(j.end) {
		return
	}
	if err := o.set.sched.add(j); err != nil {
		c.Fail(err)
	}
}

// Lost is for objects that somebody holds.
func (o *object) Lost(*shared.Client) {}

// Gone is for objects that somebody holds.
func (o *object) Gone(*shared.Client) {}

// Close ends the calls that wait, and the ctx of those that run: they answer with
// what they return.
func (o *object) Close(cause error) {
	s := o.set
	s.mu.Lock()
	o.closed = true
	if s.made[o.id] == o {
		delete(s.made, o.id)
	}
	s.mu.Unlock()
	waiting, running := s.sched.clear(o)
	for _, j := range running {
		j.ctx.end(cause)
	}
	for _, j := range waiting {
		j.call.Fail(cause)
	}
}

// Describe says what the value is, and how busy.
func (o *object) Describe() string {
	what := "factory"
	if o.face.iface != nil {
		what = reflect.TypeOf(o.value).String()
	}
	running, waiting := o.set.sched.count(o)
	switch {
	case waiting > 0:
		return fmt.Sprintf("%s, %d calls running, %d waiting", what, running, waiting)
	case running > 0:
		return fmt.Sprintf("%s, %d calls running", what, running)
	}
	return what
}

// untake takes back that a call is about to return a reference to o: nobody got
// it. Unless another call returned one, the client does not refer to o any more.
func (o *object) untake(by *shared.Client) {
	o.set.adding.Lock()
	defer o.set.adding.Unlock()
	if o.handed--; o.handed == 0 && o.name == "" {
		o.set.cfg.Host.Release(by, *o.ref.Load())
	}
}

var _ shared.Object = (*object)(nil)
