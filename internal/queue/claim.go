package queue

import (
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// Extend makes the lease outlast d of silence from now on, and answers to tag.
func (q *Queue) Extend(h *Holder, id reeve.ID, attempt uint32, d time.Duration, tag uint64, by Replier) {
	k := q.ask(h)
	if k == nil {
		return
	}
	defer q.unlock()
	var err error
	if d <= 0 || d > 24*time.Hour {
		err = fmt.Errorf("%w: extend by %v, want more than 0 and at most 24h", reeve.ErrInvalid, d)
	}
	var t *task
	reclaimed := false
	if err == nil {
		t, err = q.held(id, attempt)
	}
	if err == nil && t.state != leased {
		if q.crowded(t) {
			q.stats.lateAcks++
			err = fmt.Errorf("%w: others took the place of task %v in the limits of queue %q", reeve.ErrLeaseLost, id, q.name)
		} else {
			q.reclaim(t, k)
			reclaimed = true
		}
	}
	if err == nil {
		p := t.more()
		p.extended = max(p.extended, q.engine.now()+int64(d))
	}
	by.Reply(tag, 1, 0, err)
	if reclaimed {
		q.dispatch(q.engine.now())
	}
}

// reclaim gives a task back to the holder that was taken for lost. It is to be
// followed by dispatch: the next task of its key may have come into a lane.
func (q *Queue) reclaim(t *task, k *hold) {
	now := q.engine.now()
	q.free(t, now)
	q.lease(t, k, nil, now)
}

// crowded reports whether as many tasks are leased as the limits of the queue
// and of t's type allow.
func (q *Queue) crowded(t *task) bool {
	return t.kind.full() || q.cfg.Concurrency > 0 && q.n[leased] >= q.cfg.Concurrency
}

// Claim leases again, to h, those tasks that h's client held when its last
// session was lost and that nobody else got since. It reports which. With c,
// which is h's, they take slots of that consumer, even beyond what it has.
func (q *Queue) Claim(h *Holder, c *Consumer, ops []AckOp) []bool {
	k := h.in(q)
	kept := make([]bool, len(ops))
	if k == nil {
		return kept
	}
	q.mu.Lock()
	defer q.unlock()
	if k.closed {
		return kept
	}
	reclaimed := false
	for i, op := range ops {
		t := q.tasks.get(op.ID)
		if t == nil || t.attempt != op.Attempt {
			continue
		}
		switch {
		case t.state == leased && t.hold == k:
			kept[i] = true
		case t.state == leased && t.hold.closed:
			now := q.engine.now()
			q.unlease(t, now)
			q.lease(t, k, nil, now)
			kept[i] = true
		case t.claimable && !q.crowded(t):
			q.reclaim(t, k)
			kept[i], reclaimed = true, true
		}
		if kept[i] && c != nil && c.hold == k && t.consumer == nil {
			q.seatWith(t, c)
			if c.group != nil {
				c.group.used.Add(1)
			}
		}
	}
	if reclaimed {
		q.dispatch(q.engine.now())
	}
	return kept
}
