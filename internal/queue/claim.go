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
		t, err = q.held(k, id, attempt)
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
		q.noteExtend(t)
	}
	q.reply(k, by, tag, 1, 0, err)
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

// handedBefore reports whether t may have been handed over for that attempt by
// the master before this one, which had no time to record it: it has not been
// handed over since.
func (q *Queue) handedBefore(t *task, attempt uint32) bool {
	return t.state == ready && !t.claimable && t.leasedAt == 0 && t.id <= q.engine.recovered && attempt == t.attempt+1 &&
		!q.crowded(t) && q.keyLets(t)
}

// keyLets reports whether t, which is ready, may run as far as its key goes.
func (q *Queue) keyLets(t *task) bool {
	if t.extra == nil || t.extra.line == nil || t.extra.released || q.cfg.KeyConcurrency == reeve.NoLimit {
		return true
	}
	return t.extra.line.released < q.cfg.KeyConcurrency
}

// sameClient reports whether two holders are sessions of one client. A lease may
// stand for longer than its client is remembered, who is another one then, but
// has the same name.
func (k *hold) sameClient(o *hold) bool {
	a, b := k.holder.client, o.holder.client
	return k == o || a == b || a != nil && b != nil && a.id == b.id && a.id != (ClientID{})
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
		if t != nil && q.handedBefore(t, op.Attempt) {
			now := q.engine.now()
			q.unlist(t)
			t.attempt++
			t.keepTurn()
			q.lease(t, k, nil, now)
			reclaimed = true
		}
		if t == nil || t.attempt != op.Attempt {
			continue
		}
		switch {
		case t.state == leased && t.hold == k:
			kept[i] = true
		case t.state == leased && t.hold.closed && t.hold.sameClient(k):
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
