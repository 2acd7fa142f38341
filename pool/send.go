package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

const (
	// maxPutBytes bounds the payloads of one put; one alone may have more.
	maxPutBytes = 1 << 20
	// putGrace is how long Terminate lets a put go on whose answer is on its
	// way: without it nobody knows which tasks to cancel.
	putGrace = time.Second
	// cancelTimeout bounds how long the tasks of who has gone away are
	// cancelled, when there is no connection.
	cancelTimeout = 30 * time.Second
)

// sendLocked has send run if there is something to put.
func (c *core) sendLocked() {
	if !c.sending && len(c.feeds) > 0 && c.feeds[0].turn() <= c.cfg.MaxPending-c.held {
		c.sending = true
		c.goLocked(c.send)
	}
}

// send puts what the feeds have, as far as there is room.
func (c *core) send() {
	for batch := c.take(); batch != nil; batch = c.take() {
		var part []*item
		bytes := 0
		for _, it := range batch {
			b, err := it.encode(it.at)
			it.encode = nil
			if err != nil {
				c.finish(it, nil, err)
				continue
			}
			if it.payload = b; len(part) > 0 && bytes+len(b) > maxPutBytes {
				c.put(part)
				part, bytes = nil, 0
			}
			part, bytes = append(part, it), bytes+len(b)
		}
		c.put(part)
	}
}

// take takes inputs out of the feeds, from each its chunk, in turn. nil: send is
// to end.
func (c *core) take() []*item {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := min(reeve.MaxBatch, c.cfg.MaxPending-c.held)
	var batch []*item
	for visits := len(c.feeds); visits > 0; visits-- {
		f := c.feeds[0]
		n := f.turn()
		if n > room { // the others wait, too: it would never have its turn
			break
		}
		room -= n
		for range n {
			it := &item{to: f.to, at: f.next, encode: f.encode}
			f.next++
			c.liveLocked(it)
			batch = append(batch, it)
		}
		c.feeds[0] = nil
		c.feeds = c.feeds[1:]
		if f.next < f.n {
			c.feeds = append(c.feeds, f)
		} else {
			c.leaveLocked(f)
		}
	}
	c.held += len(batch)
	if len(batch) == 0 {
		c.sending = false
	}
	return batch
}

// put puts items with one request, and in smaller ones what is too much at once.
func (c *core) put(items []*item) {
	items = c.wanted(items)
	if len(items) == 0 {
		return
	}
	tasks := make([]reeve.Task, len(items))
	for i, it := range items {
		tasks[i].Payload = it.payload
	}
	ids, err := c.queue.Put(c.putting, tasks, c.option)
	switch {
	case err == nil:
		c.placed(items, ids)
	case len(items) > 1 && mayFitAlone(err):
		c.put(items[:len(items)/2])
		c.put(items[len(items)/2:])
	default:
		err = fmt.Errorf("pool: put: %w", err)
		if c.putting.Err() != nil {
			err = errTerminated
		}
		for _, it := range items {
			c.finish(it, nil, err)
		}
	}
}

// mayFitAlone reports whether err, of a put of several tasks of which none was
// put, may be up to one of them or their number.
func mayFitAlone(err error) bool {
	return errors.Is(err, reeve.ErrTooLarge) || errors.Is(err, reeve.ErrQueueFull) || errors.Is(err, reeve.ErrLimit)
}

// wanted leaves out what is over before it was put.
func (c *core) wanted(items []*item) []*item {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := items[:0:0]
	for _, it := range items {
		if it.over {
			c.held--
		} else {
			kept = append(kept, it)
		}
	}
	return kept
}

// placed has tasks watched that were put, and those cancelled that nobody wants
// any more.
func (c *core) placed(items []*item, ids []reeve.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var unwanted []reeve.ID
	for i, it := range items {
		it.id, it.payload = ids[i], nil
		if it.over {
			unwanted = append(unwanted, it.id)
		}
		if c.ended {
			c.held--
		} else {
			c.unseen.push(it)
		}
	}
	if len(unwanted) > 0 {
		c.goLocked(func() { c.cancelSoon(unwanted) })
	}
	c.watchLocked()
}

// cancel cancels tasks. Those that have ended are no error.
func (c *core) cancel(ctx context.Context, ids []reeve.ID, reason string) error {
	for len(ids) > 0 {
		n := min(len(ids), reeve.MaxBatch)
		if _, err := c.master.CancelAll(ctx, c.queue.Name(), reeve.Filter{IDs: ids[:n]}, reason); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// cancelSoon cancels the tasks of somebody who waits no more. If it cannot, they
// run for nobody.
func (c *core) cancelSoon(ids []reeve.ID) {
	ctx, stop := context.WithTimeout(context.Background(), cancelTimeout)
	defer stop()
	c.cancel(ctx, ids, leftReason) // there is nobody to tell
}

const (
	leftReason       = "nobody waits for its result any more"
	terminatedReason = "its pool was terminated"
)
