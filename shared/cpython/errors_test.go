package cpython_test

import (
	"context"
	"errors"
	"slices"

	"github.com/reeveq/reeve"
)

// raised says which errors of ours stand for one of CPython's. The first line
// that fits counts.
var raised = []struct {
	python string // the class
	typ    string // of the object; empty: any
	call   string // empty: any
	ours   []error
}{
	{"queue.Empty", "", "", []error{reeve.ErrEmpty, context.DeadlineExceeded}},
	{"queue.Full", "", "", []error{reeve.ErrQueueFull, context.DeadlineExceeded}},
	{"queue.ShutDown", "", "", []error{reeve.ErrShutdown}},
	{"threading.BrokenBarrierError", "", "", []error{reeve.ErrBrokenBarrier}},
	{"KeyError", "", "", []error{reeve.ErrNoSuchKey}},
	{"IndexError", "", "", []error{reeve.ErrOutOfRange}},
	{"AttributeError", "Namespace", "", []error{reeve.ErrNoSuchKey}},
	{"ValueError", "", "task_done", []error{reeve.ErrTooManyDone}},
	{"ValueError", "BoundedSemaphore", "release", []error{reeve.ErrOverRelease}},
	{"ValueError", "list", "index", []error{reeve.ErrNotFound}},
	{"ValueError", "list", "remove", []error{reeve.ErrNotFound}},
	{"ValueError", "", "", []error{reeve.ErrInvalid}},
	{"RuntimeError", "", "", []error{reeve.ErrNotLocked, reeve.ErrNotOwner}},
	{"TypeError", "", "", []error{reeve.ErrInvalid}},
	{"OverflowError", "", "", []error{reeve.ErrInvalid}},
	{"RemoteError", "", "_callmethod", []error{reeve.ErrNotExposed}},
	{"RemoteError", "", "", []error{reeve.ErrInvalid}}, // of an object that cannot be made
}

// byName are the errors that differences.json names.
var byName = map[string]error{
	"ErrNotOwner":              reeve.ErrNotOwner,
	"ErrNotLocked":             reeve.ErrNotLocked,
	"ErrDeadlock":              reeve.ErrDeadlock,
	"ErrInvalid":               reeve.ErrInvalid,
	"ErrTooManyDone":           reeve.ErrTooManyDone,
	"context.DeadlineExceeded": context.DeadlineExceeded,
	"ErrOverRelease":           reeve.ErrOverRelease,
}

// raises reports whether err stands for an error of CPython, or is the one of ours
// that has this name.
func raises(err error, want, typ, call string) bool {
	if err == nil || want == "" {
		return false
	}
	if ours, ok := byName[want]; ok {
		return errors.Is(err, ours)
	}
	for _, r := range raised {
		if r.python == want && (r.typ == "" || r.typ == typ) && (r.call == "" || r.call == call) {
			return slices.ContainsFunc(r.ours, func(ours error) bool { return errors.Is(err, ours) })
		}
	}
	return false
}
