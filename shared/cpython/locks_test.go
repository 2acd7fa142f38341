package cpython_test

import (
	"context"
	"errors"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

// acquirer is what locks, semaphores and conditions have in common.
type acquirer interface {
	Acquire(ctx context.Context) (*shared.Hold, error)
	TryAcquire(ctx context.Context) (*shared.Hold, error)
	Locked(ctx context.Context) (bool, error)
}

// lockSubject is a lock, a semaphore, or the lock of a condition.
type lockSubject struct {
	handles [3]acquirer
	release func(ctx context.Context, x acquirer) error
	forever bool // a timeout of -1 is none
}

func makeLock(p *play) ([]subject, error) {
	_, err := shared.NewLock(p.t.Context(), p.objects[0], p.name, shared.LockConfig{})
	return []subject{lockNamed(p, p.name)}, err
}

func lockNamed(p *play, name string) *lockSubject {
	x := &lockSubject{forever: true, release: release}
	for i, o := range p.objects {
		x.handles[i] = shared.LockOf(o, name)
	}
	return x
}

func makeRLock(p *play) ([]subject, error) {
	_, err := shared.NewRLock(p.t.Context(), p.objects[0], p.name, shared.LockConfig{})
	x := &lockSubject{forever: true, release: release}
	for i, o := range p.objects {
		x.handles[i] = shared.RLockOf(o, p.name)
	}
	return []subject{x}, err
}

func makeSemaphore(p *play) ([]subject, error) {
	cfg := shared.SemaphoreConfig{Value: int(p.scenario.num("value", 0, 1)), Bounded: p.scenario.Type == "BoundedSemaphore"}
	_, err := shared.NewSemaphore(p.t.Context(), p.objects[0], p.name, cfg)
	x := &lockSubject{release: func(ctx context.Context, s acquirer) error {
		return s.(*shared.Semaphore).Release(ctx, 1)
	}}
	for i, o := range p.objects {
		x.handles[i] = shared.SemaphoreOf(o, p.name)
	}
	return []subject{x}, err
}

func release(ctx context.Context, x acquirer) error {
	return x.(interface{ Release(context.Context) error }).Release(ctx)
}

func (x *lockSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	h := x.handles[actor]
	switch c.Call {
	case "acquire", "__enter__":
		return x.acquire(ctx, h, c)
	case "release", "__exit__":
		if c.Call == "release" && len(c.Args) > 0 {
			return nil, errNoSuchCall
		}
		return nil, x.release(ctx, h)
	case "locked":
		return h.Locked(ctx)
	}
	return nil, errNoSuchCall
}

// acquire returns whether it was acquired, as Python does for what is an error
// here. A timeout of 0 or less is to try.
func (x *lockSubject) acquire(ctx context.Context, h acquirer, c *step) (any, error) {
	timeout, timed := c.timeout("timeout", 1)
	if x.forever && timeout == -time.Second {
		timed = false
	}
	blocking := c.flag("blocking", 0, true)
	if len(c.Args) > 2 || !blocking && timed {
		return nil, errNoSuchCall
	}
	acquire := h.TryAcquire
	if blocking && (!timed || timeout > 0) {
		acquire = h.Acquire
	}
	if timed && timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	_, err := acquire(ctx)
	if errors.Is(err, reeve.ErrLocked) || errors.Is(err, context.DeadlineExceeded) {
		return false, nil
	}
	return true, err
}
