package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
)

const (
	// patrolSize is how many tasks one round looks at.
	patrolSize = 1024
	// patrolMin and patrolMax bound the pause between rounds: short while they
	// find ends, longer and longer while they do not.
	patrolMin = 200 * time.Millisecond
	patrolMax = 2 * time.Second
	// patrolAsks is how many results are asked for at a time.
	patrolAsks = 32
)

// patrol finds tasks that have ended out of their order, among those for which
// there is no watcher: one that failed and waits for its backoff may be older
// than thousands that are done. It ends when there are enough watchers.
func (c *core) patrol() {
	pause := patrolMin
	t := time.NewTimer(pause)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-c.relieve:
		case <-c.life.Done():
		}
		c.mu.Lock()
		round := c.unseen.round(patrolSize)
		if len(round) == 0 || c.ended {
			c.patrols = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		if c.collect(round) {
			pause = patrolMin
		} else {
			pause = min(2*pause, patrolMax)
		}
		t.Reset(pause)
	}
}

// collect takes the ends of those items that have ended, and reports whether
// there are any.
func (c *core) collect(round []*item) bool {
	missing, err := c.notInQueue(c.life, round)
	if err != nil || len(missing) == 0 {
		return false // what is wrong, watchers and puts will say
	}
	var asks sync.WaitGroup
	var found atomic.Bool
	next := make(chan *item)
	for range min(patrolAsks, len(missing)) {
		asks.Go(func() { // joined below
			for it := range next {
				if c.ask(it) {
					found.Store(true)
				}
			}
		})
	}
	c.mu.Lock()
	missing = c.unseen.take(missing) // the others are watched by now
	c.mu.Unlock()
	for _, it := range missing {
		next <- it
	}
	close(next)
	asks.Wait()
	return found.Load()
}

// notInQueue is those items of which the queue has no task that may yet run.
func (c *core) notInQueue(ctx context.Context, round []*item) ([]*item, error) {
	left := make(map[reeve.ID]*item, len(round))
	f := reeve.Filter{States: []reeve.State{reeve.StateReady, reeve.StateDelayed, reeve.StateLeased}}
	for _, it := range round {
		left[it.id] = it
		f.IDs = append(f.IDs, it.id)
	}
	for o := (reeve.ListOptions{Max: patrolSize}); ; {
		page, err := c.master.List(ctx, c.queue.Name(), f, o)
		if err != nil {
			return nil, err
		}
		for i := range page.Tasks {
			delete(left, page.Tasks[i].ID)
		}
		if page.Next == 0 {
			break
		}
		o.After = page.Next
	}
	missing := round[:0:0]
	for _, it := range round {
		if left[it.id] != nil {
			missing = append(missing, it)
		}
	}
	return missing, nil
}

// ask takes the end of a task, which is not in the line. False when it has not
// ended: it may have been moved to another queue.
func (c *core) ask(it *item) bool {
	r, err := c.master.Result(c.life, it.id)
	if errors.Is(err, reeve.ErrNotDone) {
		c.putBack(it)
		return false
	}
	c.answer(it, &r, err)
	return true
}
