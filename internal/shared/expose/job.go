package expose

import (
	"container/list"
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// job is one call of a method.
type job struct {
	object *object
	method *method
	call   *shared.Call
	args   []byte
	ctx    jobContext       // ends with the call
	passed context.Context  // ctx, as the method gets it
	in     [4]reflect.Value // what most methods are called with

	// Guarded by schedule.mu.
	state   state
	caller  *caller
	lane    *lane // when it waits
	element *list.Element
	behind  *job // when it is ready
}

// state is where a job is.
type state uint8

const (
	fresh state = iota
	waiting
	running
	over
)

func newJob(o *object, m *method, c *shared.Call, args []byte) *job {
	return &job{object: o, method: m, call: c, args: args, ctx: jobContext{deadline: c.Deadline}}
}

// end is called when the call has ended without an answer from here: its caller
// gave up, its time is over, its client is gone.
func (j *job) end(cause error) {
	runs := j.object.set.sched.remove(j)
	if d := j.call.Deadline; runs && !d.IsZero() && !time.Now().Before(d) {
		return // ctx knows by itself, whatever the caller said at the same moment
	}
	j.ctx.end(cause)
}

// run calls the method. It does not return if the method ends the goroutine.
func (j *job) run() (a answer) {
	defer j.ctx.end(nil)
	defer func() {
		if p := recover(); p != nil {
			a = j.panicked(p)
		}
	}()
	return j.invoke()
}

// exited is what is said of a method that ends the goroutine.
const exited = "it ended its goroutine (runtime.Goexit)"

// answer is what a method returned: a value, with the objects that it has
// references to, or an error.
type answer struct {
	value []byte
	made  []*object
	err   error
}

// answer answers the call.
func (j *job) answer(a answer) {
	if a.err != nil {
		j.call.Fail(a.err)
		return
	}
	if j.call.Return(a.value) {
		return
	}
	for _, o := range a.made {
		o.untake(j.call.Client)
	}
}

// invoke calls the method. It panics as the method does, and as the program's own
// ways of reading and writing its types do.
func (j *job) invoke() (a answer) {
	m := j.method
	in := j.in[:0]
	if m.ctx {
		j.passed = &j.ctx
		in = append(in, reflect.ValueOf(&j.passed).Elem())
	}
	in, err := j.object.set.decode(m, j.args, in)
	if err != nil {
		return answer{err: err}
	}
	fn := m.fn
	if !fn.IsValid() {
		fn = j.object.recv.Method(m.index)
	}
	var out []reflect.Value
	if m.variadic {
		out = fn.CallSlice(in)
	} else {
		out = fn.Call(in)
	}
	if m.fails {
		last := len(out) - 1
		if err, _ := out[last].Interface().(error); err != nil {
			return answer{err: j.failed(err, err.Error(), "")}
		}
		out = out[:last]
	}
	return j.object.set.encode(j.call.Client, m, out)
}

// failed is err as it arrives at the caller.
func (j *job) failed(err error, text, stack string) error {
	remote := reeve.NewRemoteError(err, 0, text, stack)
	remote.Object, remote.Method = j.object.String(), j.method.name
	return j.object.set.cfg.Crosses(remote)
}

// panicked is the answer for a method that did not return because of p.
func (j *job) panicked(p any) answer {
	host := j.object.set.cfg.Host
	stack := string(debug.Stack())
	text := fmt.Sprint(p)
	text = strings.ToValidUTF8(text[:min(len(text), reeve.MaxErrorText)], "") // clients may have a say in it
	host.Logger().Error("a method panicked", "object", j.object.String(), "method", j.method.name, "client", j.call.Client.String(), "panic", text, "stack", stack)
	if !host.Debug() {
		stack = ""
	}
	err := fmt.Errorf("%w: %s", reeve.ErrPanic, text)
	return answer{err: j.failed(reeve.ErrPanic, err.Error(), stack)}
}
