package locking

import (
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// event is set or not.
type event struct {
	sp     *space
	set    bool
	waits  map[*shared.Call]struct{}
	closed error
}

var eventMethods = []reeve.MethodInfo{
	{Name: "set", Signature: "set()"},
	{Name: "clear", Signature: "clear()"},
	{Name: "is_set", Signature: "is_set() bool", Reads: true},
	{Name: "wait", Signature: "wait()", Reads: true},
}

func (sp *space) newEvent(_ *shared.Env, spec []byte) (shared.Object, error) {
	if err := configure(spec, &struct{}{}); err != nil {
		return nil, err
	}
	return &event{sp: sp, waits: map[*shared.Call]struct{}{}}, nil
}

func (e *event) Call(c *shared.Call) {
	if err := shared.NoArgs(c); err != nil {
		c.Fail(err)
		return
	}
	e.sp.mu.Lock()
	defer e.sp.mu.Unlock()
	switch {
	case e.closed != nil:
		c.Fail(e.closed)
	case c.Method == "is_set":
		shared.ReturnValue(c, e.set)
	case c.Method == "wait":
		e.wait(c)
	default:
		if e.set = c.Method == "set"; e.set {
			for w := range e.waits {
				w.Return(nil)
			}
			clear(e.waits)
		}
		c.Return(nil)
	}
}

func (e *event) wait(c *shared.Call) {
	if e.set {
		c.Return(nil)
		return
	}
	e.waits[c] = struct{}{}
	c.Park(func(error) {
		e.sp.mu.Lock()
		defer e.sp.mu.Unlock()
		delete(e.waits, c)
	})
}

func (e *event) Lost(*shared.Client) {}
func (e *event) Gone(*shared.Client) {}

func (e *event) Close(cause error) {
	e.sp.mu.Lock()
	defer e.sp.mu.Unlock()
	e.closed = cause
	for w := range e.waits {
		w.Fail(cause)
	}
	clear(e.waits)
}

func (e *event) Describe() string {
	e.sp.mu.Lock()
	defer e.sp.mu.Unlock()
	switch {
	case e.set:
		return "set"
	case len(e.waits) > 0:
		return fmt.Sprintf("not set, %d wait", len(e.waits))
	}
	return "not set"
}
