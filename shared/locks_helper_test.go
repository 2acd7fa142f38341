package shared_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	internal "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/locking"
)

// place is a host with the objects that synchronise, in a bubble of time.
type place struct {
	t    *testing.T
	ctx  context.Context
	host *internal.Host
}

// locksTest runs f in a bubble.
func locksTest(t *testing.T, f func(*place)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &place{t, t.Context(), newLockHost()}
		defer p.host.Close()
		f(p)
	})
}

func newLockHost() *internal.Host {
	h := internal.New(internal.Config{})
	locking.Add(h)
	return h
}

// client attaches client n, anew if it was there before.
func (p *place) client(n byte) *internal.Caller { return attach(p.host, n) }

func attach(h *internal.Host, n byte) *internal.Caller {
	id := internal.ClientID{Key: "test", Process: [16]byte{n}}
	return h.NewCaller(id, internal.Who{Name: string('A' - 1 + rune(n)), Host: "box", PID: uint64(n)})
}

// pending is a call under way.
type pending[T any] struct {
	p    *place
	done chan struct{}
	v    T
	err  error
}

// begin makes a call in a goroutine.
func begin[T any](p *place, f func() (T, error)) *pending[T] {
	c := &pending[T]{p: p, done: make(chan struct{})}
	go func() { // joined by end, or by the bubble
		defer close(c.done)
		c.v, c.err = f()
	}()
	synctest.Wait()
	return c
}

// beginErr is begin for calls that return an error only.
func beginErr(p *place, f func() error) *pending[struct{}] {
	return begin(p, func() (struct{}, error) { return struct{}{}, f() })
}

func (c *pending[T]) waits() {
	c.p.t.Helper()
	synctest.Wait()
	select {
	case <-c.done:
		c.p.t.Fatalf("the call does not wait: %v, %v", c.v, c.err)
	default:
	}
}

// end is what the call returned; it must have.
func (c *pending[T]) end() (T, error) {
	c.p.t.Helper()
	synctest.Wait()
	select {
	case <-c.done:
	default:
		c.p.t.Fatal("the call still waits")
	}
	return c.v, c.err
}

// ends checks that the call has ended with an error; nil: none.
func (c *pending[T]) ends(want error) T {
	c.p.t.Helper()
	v, err := c.end()
	if !errors.Is(err, want) {
		c.p.t.Fatalf("the call ended with %v, want %v", err, want)
	}
	return v
}

// must checks that there was no error.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// within is a context with a timeout.
func (p *place) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(p.ctx, d)
	p.t.Cleanup(cancel)
	return ctx
}

func (p *place) cancellable() (context.Context, context.CancelFunc) {
	return context.WithCancel(p.ctx)
}

var _ reeve.Objects = (*internal.Caller)(nil)

func goroutines() int { return runtime.NumGoroutine() }
