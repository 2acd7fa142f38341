package queue_test

import (
	"errors"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// What follows are queues that are deleted, and come again.

// declareQueue makes a queue and what the model knows of it.
func (m *model) declareQueue(name string, cfg reeve.QueueConfig) *mQueue {
	q, err := m.e.Declare(name, cfg)
	if err != nil {
		m.fail("%v", err)
	}
	return &mQueue{Queue: q, cfg: q.Config(), usedAt: m.now(), lastPlain: map[string]reeve.ID{}, uniques: map[string]mUnique{}}
}

// doDelete deletes a queue, and declares one of its name.
func (r *round) doDelete() {
	r.absorb()
	i := r.rnd.IntN(len(r.queues))
	q, force := r.queues[i], r.chance(70)
	var there []*mTask
	for _, t := range r.tasks {
		if t.q == q && (t.state == queued || t.state == leased || t.state == dead) {
			there = append(there, t)
		}
	}
	r.note("%s is deleted, with %d tasks, force %v", q.Name(), len(there), force)
	if len(there) > 0 && !force {
		if err := r.e.Delete(q.Name(), false); !errors.Is(err, reeve.ErrNotEmpty) {
			r.fail("%v", err)
		}
		return
	}
	r.gone(q)
	var parked []*mRequest // whose lease stands
	for _, t := range there {
		if t.state == leased {
			if t.parked != nil {
				parked = append(parked, t.parked)
			}
			if !t.by.gone {
				t.tellLost = t.by
			}
			t.unlease()
		}
		t.state, t.claimable = gone, false
	}
	for _, t := range r.tasks {
		if t.q == q && t.state >= settled {
			t.end = reeve.StatePurged // nobody knows any more how it ended
		}
	}
	if err := r.e.Delete(q.Name(), force); err != nil {
		r.fail("%v", err)
	}
	if _, err := r.e.Lookup(q.Name()); !errors.Is(err, reeve.ErrNoSuchQueue) {
		r.fail("%v", err)
	}
	r.queues[i] = r.declareQueue(q.Name(), q.cfg)
	r.absorb()
	for _, t := range there {
		switch {
		case t.tellLost != nil && !t.tellLost.gone:
			r.fail("nobody was told that the lease of task %d is lost with its queue", t.n)
		case t.toldEnd != 0 && t.toldEnd != reeve.StatePurged:
			r.fail("task %d was told to be %v", t.n, t.toldEnd)
		}
	}
	for _, req := range parked {
		if !req.answered && !req.c.gone {
			r.fail("request %d of client %d waits for room, and its lease is lost", req.tag, req.c.name)
		}
	}
	r.silent(q)
}

// gone notes that q is deleted.
func (m *model) gone(q *mQueue) {
	q.deleted = true
	for _, t := range m.tasks {
		if t.q == q {
			t.holds = false
		}
	}
}

// silent checks that nobody waits for anything of q.
func (m *model) silent(q *mQueue) {
	for _, c := range m.clients {
		for _, r := range c.requests {
			waitsElsewhere := r.kind == mComplete && r.to != nil && r.to != q // its task was lost before: told when its turn comes
			if (r.q == q || r.to == q) && !r.answered && !c.gone && !waitsElsewhere {
				m.fail("request %d of client %d (kind %d) waits for %s, which is deleted", r.tag, c.name, r.kind, q.Name())
			}
		}
		for _, k := range c.consumers {
			if k.q == q && !k.over {
				m.fail("a consumer of client %d is left of %s, which is deleted", c.name, q.Name())
			}
		}
	}
}

// vanish notes which queues were deleted because nobody used them, and declares
// them again.
func (m *model) vanish() {
	if m.stopped {
		return
	}
	names := m.e.Names()
	for i, q := range m.queues {
		if slices.Contains(names, q.Name()) {
			continue
		}
		if q.cfg.IdleTTL == 0 || m.now()-q.usedAt < q.cfg.IdleTTL {
			m.fail("%s was deleted at %v, it was used at %v", q.Name(), m.now(), q.usedAt)
		}
		for _, t := range m.tasks {
			if t.q == q && (t.state == queued || t.state == leased || t.state == dead) {
				m.fail("%s was deleted because nobody used it, and had task %d", q.Name(), t.n)
			}
			if t.q == q && t.state >= settled {
				t.end = reeve.StatePurged
			}
		}
		m.gone(q)
		m.silent(q)
		m.queues[i] = m.declareQueue(q.Name(), q.cfg)
	}
}

// idle are the queues that nobody will have used for long enough when d has
// passed, if nothing happens until then.
func (r *round) idle(d time.Duration) (qs []*mQueue) {
	r.absorb()
	for _, q := range r.queues {
		s := q.Stats()
		used := s.Ready+s.Delayed+s.Leased+s.Dead+s.Results+s.Uniques+s.Keys+s.Consumers+s.WaitingPuts > 0 || r.joined(q)
		if q.cfg.IdleTTL > 0 && d > q.cfg.IdleTTL && !used {
			qs = append(qs, q)
		}
	}
	return qs
}

// joined reports whether somebody waits for something of q that is not among its
// numbers.
func (m *model) joined(q *mQueue) bool {
	for _, c := range m.clients {
		for _, r := range c.requests {
			if !r.answered && !c.gone && (r.q == q || r.to == q || r.t != nil && r.t.q == q) {
				return true
			}
		}
	}
	return false
}
