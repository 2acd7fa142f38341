package soak

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

const (
	locks       = 4
	countersMap = "counters" // durable: one key for each user
	scratchMap  = "scratch"
	stuckAfter  = time.Minute // for a lock or a map; longer than any fault lasts
)

func lockName(n int) string { return fmt.Sprint("lock ", n%locks) }

// users use shared objects, and know what these promise: a key that one client
// writes has what was written last, also after a restart, and every hold of a
// lock has a greater token than the holds that were known before it was asked
// for.
type users struct {
	book *book

	mu     sync.Mutex
	tokens [locks]uint64 // guarded by mu: the greatest that was seen
}

// use runs until ctx ends. Errors that a restart of the master explains are
// counted.
func (u *users) use(ctx context.Context, client *proxy.Client, user int) {
	counter, sure := 0, true
	for n := user; ctx.Err() == nil; n++ {
		// Not of ctx: what has begun ends before the run does.
		round, end := context.WithTimeout(context.Background(), stuckAfter)
		u.problem(u.write(round, client, fmt.Sprint("user ", user), &counter, &sure))
		u.problem(u.hold(round, client, n%locks))
		end()
		_ = wait(ctx, 5*time.Millisecond) // the loop looks at ctx
	}
}

// write sets the user's key to one more, and reads it. sure is false when the
// last write may have been done or not.
func (u *users) write(ctx context.Context, client *proxy.Client, key string, counter *int, sure *bool) error {
	m, err := shared.NewMap[string, int](ctx, client, countersMap, shared.MapConfig{Durable: true})
	if err != nil {
		return err
	}
	if !*sure {
		v, err := m.GetOr(ctx, key, 0)
		if err != nil {
			return err
		}
		if v != *counter && v != *counter+1 {
			u.book.fault("%s is %d, want %d or %d", key, v, *counter, *counter+1)
		}
		*counter, *sure = v, true
	}
	*sure = false
	if err := m.Set(ctx, key, *counter+1); err != nil {
		return err
	}
	*counter++
	*sure = true
	u.book.count(func(c *Counts) { c.MapWrites++ })
	v, err := m.GetOr(ctx, key, 0)
	if err == nil && v != *counter {
		u.book.fault("%s is %d, want %d", key, v, *counter)
		*counter = v
	}
	return err
}

// hold acquires a lock and releases it.
func (u *users) hold(ctx context.Context, client *proxy.Client, n int) error {
	l, err := shared.NewLock(ctx, client, lockName(n), shared.LockConfig{})
	if err != nil {
		return err
	}
	u.mu.Lock()
	before := u.tokens[n]
	u.mu.Unlock()
	h, err := l.Acquire(ctx)
	if err != nil {
		return err
	}
	u.mu.Lock()
	if h.Token() <= before {
		u.book.fault("%s: a hold has the token %d, one before it %d", lockName(n), h.Token(), before)
	}
	u.tokens[n] = max(u.tokens[n], h.Token())
	u.mu.Unlock()
	err = h.Release(ctx)
	u.book.count(func(c *Counts) {
		if c.Holds++; err != nil {
			c.HoldsLost++
		}
	})
	if errors.Is(err, reeve.ErrLeaseLost) {
		return nil // with its connection
	}
	return err
}

// problem notes an error that nothing explains.
func (u *users) problem(err error) {
	switch {
	case err == nil:
	case errors.Is(err, reeve.ErrOutcomeUnknown), errors.Is(err, reeve.ErrNoSuchName), errors.Is(err, reeve.ErrNoSuchObject):
		u.book.count(func(c *Counts) { c.CallUnknown++ }) // locks do not outlive the master
	default:
		u.book.fault("a shared object: %v", err)
	}
}

// wait is a pause that ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
