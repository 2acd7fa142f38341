package queue

import "slices"

// Cancel ends the request tag of h if it waits: a Put or a Complete for room, a
// Get for a task, a Join. Its answer is cause. A request that was answered, or
// is not known, is left alone. The lease of a cancelled Complete stands.
func (h *Holder) Cancel(tag uint64, cause error) {
	for _, k := range h.all() {
		if k.queue.cancel(k, tag, cause) {
			return
		}
	}
}

func (q *Queue) cancel(k *hold, tag uint64, cause error) bool {
	q.mu.Lock()
	found := q.cancelGet(k, tag, cause) || q.cancelJoin(k, tag, cause)
	var refused []*completing
	if !found {
		found, refused = q.cancelParked(k, tag, cause)
	}
	q.unlock()
	startTimers(refused)
	return found
}

func (q *Queue) cancelGet(k *hold, tag uint64, cause error) bool {
	for _, l := range []*takers{&q.takers, &k.aside} {
		for t := l.head; t != nil; t = t.next {
			if t.hold == k && t.get != nil && t.get.Tag == tag {
				t.leave()
				q.got(t, nil, cause)
				return true
			}
		}
	}
	return false
}

func (q *Queue) cancelJoin(k *hold, tag uint64, cause error) bool {
	i := slices.IndexFunc(q.joins, func(op *JoinOp) bool { return op.hold == k && op.Tag == tag })
	if i < 0 {
		return false
	}
	op := q.joins[i]
	q.joins = slices.Delete(q.joins, i, i+1)
	op.By.Reply(op.Tag, 1, 0, cause)
	q.tell(k)
	return true
}

func (q *Queue) cancelParked(k *hold, tag uint64, cause error) (found bool, refused []*completing) {
	for p := q.parked.head; p != nil; p = p.next {
		if p.hold != k || p.tag() != tag {
			continue
		}
		q.unpark(p)
		p.answer(cause)
		if p.complete != nil {
			refused = append(refused, p.complete)
		}
		return true, refused
	}
	return false, nil
}
