package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// HandleOption changes how the results of one handler are treated.
type HandleOption func(*handler)

// To names the queue that takes the handler's results, in place of
// Config.Results. The empty name: none; they can be asked for by the task's id.
func To(queue string) HandleOption { return func(h *handler) { h.to = queue } }

// Handle registers fn for the tasks of the given type; the empty one is a type
// too. Payloads and results go through the codec of the worker's source, or
// Config.Codec. A result becomes a task of the same type on the result queue, and
// is kept by the task's id if the task or its queue says so; it travels to the
// master either way. Use [HandleAck] for what has no result.
//
// A payload that the codec cannot read makes its task dead without a call of
// fn, as a result that it cannot write does after it: no attempt could end
// better. What an error of fn does: see the table in the comment of the
// package.
//
// Register before Run. A nil fn, a second handler for a type or a call after
// Run has begun is an error that Run returns.
func Handle[In, Out any](w *Worker, typ string, fn func(context.Context, In) (Out, error), opts ...HandleOption) {
	w.register(typ, typed(w, fn, opts))
}

// HandleDefault registers fn for the tasks of all types that have no handler
// of their own. Everything else is as with [Handle].
func HandleDefault[In, Out any](w *Worker, fn func(context.Context, In) (Out, error), opts ...HandleOption) {
	w.registerDefault(typed(w, fn, opts))
}

// HandleAck registers fn, which has no result, for the tasks of the given
// type: they are acked when it returns nil, also in a worker with a result
// queue. Everything else is as with [Handle].
func HandleAck[In any](w *Worker, typ string, fn func(context.Context, In) error) {
	var h *handler
	if fn != nil {
		h = &handler{call: func(ctx context.Context, t *reeve.Task) ([]byte, error) {
			in, err := decode[In](w.codec, t)
			if err != nil {
				return nil, err
			}
			return nil, fn(ctx, in)
		}}
	}
	w.register(typ, h)
}

// HandleFunc registers fn for the tasks of the given type, without a codec:
// it reads the payload itself and returns the result's. It must not change the
// task. Everything else is as with [Handle].
func (w *Worker) HandleFunc(typ string, fn func(context.Context, *reeve.Task) ([]byte, error), opts ...HandleOption) {
	w.register(typ, raw(w, fn, opts))
}

// HandleDefaultFunc is HandleFunc for the tasks of all types that have no
// handler of their own.
func (w *Worker) HandleDefaultFunc(fn func(context.Context, *reeve.Task) ([]byte, error), opts ...HandleOption) {
	w.registerDefault(raw(w, fn, opts))
}

// handler is a registered function in the form the slots call.
type handler struct {
	call func(context.Context, *reeve.Task) ([]byte, error)
	to   string // the result queue; empty: none
}

// typed returns nil for a nil fn, as raw does.
func typed[In, Out any](w *Worker, fn func(context.Context, In) (Out, error), opts []HandleOption) *handler {
	if fn == nil {
		return nil
	}
	h := newHandler(w, opts)
	h.call = func(ctx context.Context, t *reeve.Task) ([]byte, error) {
		in, err := decode[In](w.codec, t)
		if err != nil {
			return nil, err
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		b, err := w.codec.Marshal(out)
		if err != nil {
			return nil, Permanent(fmt.Errorf("worker: the result is not writable as %s: %w", w.codec.Name(), err))
		}
		return b, nil
	}
	return h
}

func raw(w *Worker, fn func(context.Context, *reeve.Task) ([]byte, error), opts []HandleOption) *handler {
	if fn == nil {
		return nil
	}
	h := newHandler(w, opts)
	h.call = fn
	return h
}

func newHandler(w *Worker, opts []HandleOption) *handler {
	h := &handler{to: w.cfg.Results}
	for _, o := range opts {
		o(h)
	}
	return h
}

func decode[In any](c reeve.Codec, t *reeve.Task) (in In, err error) {
	if err := c.Unmarshal(t.Payload, &in); err != nil {
		return in, Permanent(fmt.Errorf("worker: the payload is not readable as %s: %w", c.Name(), err))
	}
	return in, nil
}

func (w *Worker) register(typ string, h *handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch _, have := w.handlers[typ]; {
	case w.started:
		w.misuseLocked(invalid("the handler for type %q was registered after Run", typ))
	case h == nil:
		w.misuseLocked(invalid("the handler for type %q is nil", typ))
	case have:
		w.misuseLocked(invalid("type %q has two handlers", typ))
	default:
		w.handlers[typ] = h
	}
}

func (w *Worker) registerDefault(h *handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.started:
		w.misuseLocked(invalid("the default handler was registered after Run"))
	case h == nil:
		w.misuseLocked(invalid("the default handler is nil"))
	case w.fallback != nil:
		w.misuseLocked(invalid("there are two default handlers"))
	default:
		w.fallback = h
	}
}

// misuseLocked keeps the first error for Run, or ends the Run that goes on:
// nobody else would hear of it.
func (w *Worker) misuseLocked(err error) {
	if w.err == nil {
		w.err = err
	}
	if w.started {
		w.stopLocked(err, urgent)
	}
}

// handlerFor may be called without w.mu once Run has begun: the handlers do
// not change any more.
func (w *Worker) handlerFor(typ string) *handler {
	if h := w.handlers[typ]; h != nil {
		return h
	}
	return w.fallback
}

// knownTypes lists the types with a handler, for people. It is bounded, as an
// error text is.
func (w *Worker) knownTypes() string {
	types := make([]string, 0, len(w.handlers))
	for t := range w.handlers {
		types = append(types, fmt.Sprintf("%q", t))
	}
	slices.Sort(types)
	const most = 50
	if n := len(types); n > most {
		types = append(types[:most], fmt.Sprintf("and %d more", n-most))
	}
	return strings.Join(types, ", ")
}
