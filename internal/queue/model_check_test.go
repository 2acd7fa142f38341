package queue_test

import "github.com/reeveq/reeve"

// What follows holds an engine's numbers and lists against the model's.

func (m *model) unsettled(q *mQueue) int {
	n := 0
	for _, t := range m.tasks {
		if t.q == q && (t.state == queued || t.state == leased) {
			n++
		}
	}
	return n
}

// compare holds the queue's numbers against the model, and checks that nobody
// waits for what is there.
func (m *model) compare(q *mQueue) {
	now := m.now()
	s := q.Stats()
	var in [gone + 1]int
	var bytes int64
	delayed, fresh := 0, 0
	for _, t := range m.tasks {
		if t.q != q {
			continue
		}
		in[t.state]++
		if t.state == queued || t.state == leased || t.state == dead {
			bytes += t.size
		}
		switch {
		case t.state == leased && !t.by.gone && min(t.leaseEnd(), t.runEnd()) <= now:
			m.fail("the lease of task %d was over at %v or %v and stands at %v", t.n, t.leaseEnd(), t.runEnd(), now)
		case t.state == queued && t.attempt == 0 && !t.moved:
			fresh++
		case t.tellLost != nil && !t.tellLost.gone:
			m.fail("nobody was told that task %d was cancelled", t.n)
		}
		if t.state == queued && t.due > now {
			delayed++
		}
		if _, ok := q.deadIDs[t.id]; t.id != 0 && ok != (t.state == dead) {
			m.fail("task %d is in state %d; dead: %v", t.n, t.state, ok)
		}
		if t.toldEnd != 0 {
			if t.toldEnd != t.end && (t.state != dead || t.toldEnd != reeve.StateDead) {
				m.fail("task %d is in state %d, %v, and was told to be %v", t.n, t.state, t.end, t.toldEnd)
			}
			t.toldEnd = 0
		}
	}
	if s.Ready+s.Delayed+s.Leased+s.Dead+s.Results+s.Uniques+s.Consumers+s.WaitingPuts > 0 {
		q.usedAt = now
	}
	if s.Ready+s.Delayed != in[queued] || s.Delayed != delayed || s.Leased != in[leased] || s.Dead != in[dead] {
		m.fail("queue %s has %d ready, %d delayed, %d leased, %d dead; want %v, %d delayed", q.Name(), s.Ready, s.Delayed, s.Leased, s.Dead, in, delayed)
	}
	counts := mCounts{s.Put, s.Done, s.Dropped, s.Skipped, s.Snoozed, s.Discarded, s.Cancelled, s.Expired, s.Purged, s.Duplicates, s.Revived, s.MovedIn, s.MovedOut}
	if counts != q.counts || s.Put+s.MovedIn != s.MovedOut+s.Done+s.Dropped+s.Discarded+s.Cancelled+s.Expired+s.Purged+uint64(s.Unsettled()+s.Dead) {
		m.fail("queue %s: %+v; want %+v", q.Name(), s, q.counts)
	}
	over := s.Bytes > q.cfg.MaxBytes || q.cfg.MaxLen > 0 && fresh > q.cfg.MaxLen
	if s.Bytes < bytes || over && !m.stopped { // a stopped queue takes every result
		m.fail("queue %s holds %d bytes, %d in tasks, and %d tasks that were never handed over", q.Name(), s.Bytes, bytes, fresh)
	}
	if n := q.cfg.Concurrency; n > 0 && s.Leased > n {
		m.fail("queue %s has %d leased of %d", q.Name(), s.Leased, n)
	}
	m.checkTakers(q, &s)
	m.checkLine(q, &s)
}

// checkTakers checks that nobody who could take a task waits while there is one.
func (m *model) checkTakers(q *mQueue, s *reeve.QueueStats) {
	now := m.now()
	var could []*mTask
	for _, t := range m.tasks {
		if t.q == q && m.couldRun(t, now) {
			could = append(could, t)
		}
	}
	lowFull := m.lowFull(q)
	waitsFor := func(want *reeve.GetOptions, slot bool) *mTask {
		for _, t := range could {
			if suits(t, want) && !(slot && lowFull && t.priority < q.cfg.Reserve.Priority) {
				return t
			}
		}
		return nil
	}
	takers, free := 0, 0
	for _, c := range m.clients {
		if c.gone {
			continue
		}
		silent := !c.always && c.heard+q.cfg.Lease <= now
		for _, k := range c.consumers {
			if k.q != q || k.over {
				continue
			}
			takers++
			free += max(0, k.slots-k.used)
			if k.used < k.slots && !silent && !m.stopped {
				if t := waitsFor(&k.want, true); t != nil {
					m.fail("a consumer with %d of %d slots used waits while task %d is ready in %s", k.used, k.slots, t.n, q.Name())
				}
			}
		}
		for _, r := range c.requests {
			if r.kind == mWait && !r.answered && (r.t.state >= settled || r.t.q != q && r.t.state == requested) {
				m.fail("a Wait for task %d, which has ended, was not answered", r.t.n)
			}
			if r.answered || r.q != q {
				continue
			}
			if r.kind == mGet {
				takers++
				free += r.max
				if t := waitsFor(&r.want, false); t != nil && !silent {
					m.fail("a Get waits while task %d is ready in %s: %+v", t.n, q.Name(), *t)
				}
			}
			if r.kind == mJoin && s.Unsettled() == 0 {
				m.fail("a Join of %s waits for nothing", q.Name())
			}
		}
	}
	if s.Consumers != takers || s.FreeSlots != free {
		m.fail("queue %s counts %d consumers, %d free slots; want %d, %d", q.Name(), s.Consumers, s.FreeSlots, takers, free)
	}
	if takers > 0 && (m.stopped || q.shutdown && (q.immediate || s.Unsettled() == 0)) {
		m.fail("%d consumers and Gets wait for %s, which has ended", takers, q.Name())
	}
}

// checkLine checks that who waits for room waits for a reason.
func (m *model) checkLine(q *mQueue, s *reeve.QueueStats) {
	n := 0
	var head *mRequest
	for _, r := range q.waiting {
		if !r.c.gone {
			n++
			if head == nil {
				head = r
			}
		}
	}
	if n != s.WaitingPuts {
		m.fail("%d requests wait for room in %s, which counts %d", n, q.Name(), s.WaitingPuts)
	}
	if head == nil {
		return
	}
	if m.stopped || q.shutdown {
		m.fail("a request waits for room in %s, which takes no more", q.Name())
	}
	size, count := int64(0), len(head.tasks)
	for _, t := range head.tasks {
		size += t.need
	}
	if head.kind == mComplete {
		t := m.holds(head.q, head.id, head.attempt)
		if t == nil {
			return // will be told when its turn comes
		}
		if head.q == q {
			size -= t.size
			if t.state == queued {
				count = 0
			}
		}
	}
	if s.Bytes+size <= q.cfg.MaxBytes && (q.cfg.MaxLen == 0 || s.Ready+s.Delayed+count <= q.cfg.MaxLen) {
		m.fail("request %d of client %d waits for room in %s although there is some: %+v", head.tag, head.c.name, q.Name(), s)
	}
}
