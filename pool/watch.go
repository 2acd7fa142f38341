package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// maxWatchers bounds the waits for the ends of tasks. As queues hand tasks over
// in the order in which they were put, those that watch the oldest see most ends
// at once; the patrol finds the others. More waits would be a goroutine for each
// task, and fill the window of requests that a client shares.
const maxWatchers = 512

// crowded is how long a watcher pauses when the master has as many waits of this
// client as it bears.
const crowded = 100 * time.Millisecond

// infoTimeout bounds the question what happened to a task that is dead.
const infoTimeout = 10 * time.Second

// watchLocked starts watchers for what nobody watches.
func (c *core) watchLocked() {
	for n := c.unseen.len(); n > 0 && c.watchers < maxWatchers; n-- {
		c.watchers++
		c.goLocked(c.watch)
	}
	if c.unseen.len() > 0 && c.watchers == maxWatchers && !c.patrols {
		c.patrols = true
		c.goLocked(c.patrol)
	}
}

// watch waits for the end of one task after the other.
func (c *core) watch() {
	for it := c.nextUnseen(); it != nil; it = c.nextUnseen() {
		r, err := c.master.Wait(c.life, it.id)
		if errors.Is(err, reeve.ErrLimit) && c.life.Err() == nil {
			c.putBack(it)
			select {
			case <-time.After(crowded):
			case <-c.life.Done():
			}
			continue
		}
		c.answer(it, &r, err)
	}
}

// nextUnseen takes the oldest task that nobody watches. nil: there is none, and
// one watcher less.
func (c *core) nextUnseen() *item {
	c.mu.Lock()
	defer c.mu.Unlock()
	it := c.unseen.pop()
	if it == nil {
		c.watchers--
	}
	if c.patrols && c.unseen.len() == 0 {
		select {
		case c.relieve <- struct{}{}:
		default:
		}
	}
	return it
}

// putBack leaves it to whoever is next.
func (c *core) putBack(it *item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unseen.push(it)
	c.watchLocked()
}

// answer takes the end of a task, or why it is not known.
func (c *core) answer(it *item, r *reeve.Result, err error) {
	switch {
	case err == nil && r.State == reeve.StateDone:
		c.finish(it, r.Payload, nil)
	case err == nil:
		c.finish(it, nil, taskError(r, c.info(r)))
	case c.life.Err() != nil:
		c.finish(it, nil, errTerminated)
	case errors.Is(err, reeve.ErrNoSuchTask):
		c.finish(it, nil, fmt.Errorf("pool: the master has lost its memory, or kept the outcome no longer than Config.Keep: %w", err))
	default:
		c.finish(it, nil, fmt.Errorf("pool: wait for task %v: %w", it.id, err))
	}
}

// info is what is known of a task that is dead.
func (c *core) info(r *reeve.Result) *reeve.TaskInfo {
	if r.State != reeve.StateDead {
		return nil
	}
	ctx, stop := context.WithTimeout(c.life, infoTimeout)
	defer stop()
	info, err := c.master.Task(ctx, r.ID)
	if err != nil || info.State != reeve.StateDead {
		return nil // what the result says has to do
	}
	return &info
}
