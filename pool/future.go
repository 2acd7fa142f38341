package pool

import (
	"context"
	"fmt"
	"sync"

	"github.com/reeveq/reeve"
)

// Future is the result of a call that was made by Go, or by MapAsync, before it
// is there. Its methods may be called from any goroutine.
type Future[T any] struct {
	c    *core
	self receiver // the call, as the core knows it

	mu    sync.Mutex // guards the fields below
	ended bool
	done  chan struct{} // closed when ended; nil: nobody has asked for it
	value T
	err   error
	after []func(T, error)
}

// Done is closed when the result is there.
func (f *Future[T]) Done() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.done = make(chan struct{})
		if f.ended {
			close(f.done)
		}
	}
	return f.done
}

// Get waits for the result and returns it, or the error with which the call
// ended, or ctx's if that ends first. The call goes on then.
func (f *Future[T]) Get(ctx context.Context) (T, error) {
	if err := f.Wait(ctx); err != nil {
		var none T
		return none, err
	}
	return f.value, f.err
}

// Wait waits until the result is there, good or bad, or returns ctx's error.
func (f *Future[T]) Wait(ctx context.Context) error {
	if f.Ready() {
		return nil
	}
	select {
	case <-f.Done():
		return nil
	case <-ctx.Done():
		return ctxError(ctx)
	}
}

// ctxError is ctx's error, with its cause where that is another one.
func ctxError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == err {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// Ready reports whether the result is there, good or bad.
func (f *Future[T]) Ready() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

// Successful reports whether the call ended without an error.
// [reeve.ErrNotDone]: it has not ended.
func (f *Future[T]) Successful() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		return false, fmt.Errorf("pool: %w", reeve.ErrNotDone)
	}
	return f.err == nil, nil
}

// OnDone has fn called with the result when it is there, or now if it is. Each
// call is in a goroutine of its own, for which Join waits if it began before
// Join ended: one that is slow holds up nobody.
func (f *Future[T]) OnDone(fn func(T, error)) {
	f.mu.Lock()
	if !f.ended {
		f.after = append(f.after, fn)
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	f.c.spawn(func() { fn(f.value, f.err) })
}

// Cancel ends the call, if it has not ended, with an error that matches
// [reeve.ErrCancelled] and gives the reason, at once; then it cancels its tasks
// at the master, for which ctx is. The error is of that.
func (f *Future[T]) Cancel(ctx context.Context, reason string) error {
	if f.Ready() {
		return nil
	}
	return f.c.cancel(ctx, f.c.abandon(f.self, fmt.Errorf("pool: %w: %s", reeve.ErrCancelled, reason)), reason)
}

// resolve ends the call, which has not ended.
func (f *Future[T]) resolve(v T, err error) {
	f.mu.Lock()
	f.value, f.err, f.ended = v, err, true
	after := f.after
	f.after = nil
	if f.done != nil {
		close(f.done)
	}
	f.mu.Unlock()
	for _, fn := range after {
		f.c.spawn(func() { fn(v, err) })
	}
}

// single is a call with one input.
type single[Out any] struct {
	Future[Out]
	codec reeve.Codec
}

// over takes the end of the call's task; see [receiver].
func (s *single[Out]) over(_ int, payload []byte, err error) {
	s.resolve(decode[Out](s.codec, payload, err))
}

// decode is the result of an input. A task that is done and has none is one
// whose handler returns none.
func decode[Out any](c reeve.Codec, payload []byte, err error) (out Out, _ error) {
	if err != nil || len(payload) == 0 {
		return out, err
	}
	if err := c.Unmarshal(payload, &out); err != nil {
		var none Out
		return none, unreadable(&out, c, err)
	}
	return out, nil
}
