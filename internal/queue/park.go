package queue

import (
	"errors"

	"github.com/reeveq/reeve"
)

// parking is the place of a request that waits for room in a queue: a Put, or
// the putting half of a Complete.
type parking struct {
	put        *putting
	complete   *completing
	from       *Queue // complete's
	held       *hold  // of who asked, in from
	hold       *hold  // of who asked, in the queue it waits for
	queue      *Queue
	size       int64 // what it holds in memory meanwhile
	listed     bool
	prev, next *parking
}

// parkList is first come, first served.
type parkList struct {
	head, tail *parking
	n          int
}

func (l *parkList) add(p *parking) {
	p.listed = true
	p.prev, p.next = l.tail, nil
	if l.tail != nil {
		l.tail.next = p
	} else {
		l.head = p
	}
	l.tail = p
	l.n++
}

func (l *parkList) remove(p *parking) {
	p.listed = false
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		l.head = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		l.tail = p.prev
	}
	p.prev, p.next = nil, nil
	l.n--
}

// park makes p wait for room. An error says that too much of its holder's waits
// already.
func (q *Queue) park(p *parking) error {
	h, most := p.hold.holder, q.engine.cfg.MaxParked
	if now := h.parked.Add(p.size); most > 0 && now > most && now > p.size {
		h.parked.Add(-p.size)
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "bytes of one client's requests that wait for room", Value: now, Max: most}
	}
	q.parked.add(p)
	p.hold.waits(p.tag(), p)
	return nil
}

// unpark ends p's wait. A smaller one behind it may fit.
func (q *Queue) unpark(p *parking) {
	q.roomy = true
	q.parked.remove(p)
	p.hold.waitsNoMore(p.tag(), p)
	p.hold.holder.parked.Add(-p.size)
}

// tag is the request that waits.
func (p *parking) tag() uint64 {
	if p.put != nil {
		return p.put.Tag
	}
	return p.complete.Tag
}

// answer answers the request with err.
func (p *parking) answer(err error) {
	if p.put != nil {
		p.queue.answerPut(p.put, len(p.put.Tasks)-p.put.done, 0, err)
		return
	}
	p.queue.reply(p.hold, p.complete.By, p.complete.Tag, 1, 0, err)
}

// admit lets in those who wait for room in q, as far as there is some, and,
// where that made room in the queues their tasks came from, those who wait
// there. It is called with nothing locked: a waiting Complete needs two
// mutexes, in their order.
func admit(q *Queue) {
	var few [4]*Queue
	for roomy := append(few[:0], q); len(roomy) > 0; {
		q, roomy = roomy[len(roomy)-1], roomy[:len(roomy)-1]
		for more := true; more; {
			var from *Queue
			if from, more = q.admitHead(); from != nil {
				roomy = append(roomy, from)
			}
		}
	}
}

// admitHead lets in the one who waits longest, if there is room. It reports
// whether the next one may fit, too, and the other queue that may have room now.
func (q *Queue) admitHead() (roomy *Queue, more bool) {
	var few [8]waker
	told := few[:0]
	q.mu.Lock()
	p := q.parked.head
	if p == nil || p.put != nil {
		if p != nil {
			if more = q.tryPut(p.put); more {
				q.unpark(p)
			}
		}
		told, _ = q.unlockOnly(told)
		wake(told)
		return nil, more
	}
	from := p.from
	q.mu.Unlock()

	lockPair(from, q)
	more = true
	if q.parked.head == p { // not cancelled, nor let in by another admit
		op := &p.complete.CompleteOp
		if t, err := from.held(p.held, op.ID, op.Attempt); err != nil {
			p.answer(err)
		} else {
			more = q.tryComplete(from, t, op, p.hold, q.engine.now())
		}
		if more {
			q.unpark(p)
			from.after(q.engine.now())
		}
	}
	if from != q {
		part(ordered(from, q))
		var room bool
		if told, room = from.unlockOnly(told); room {
			roomy = from
		}
	}
	told, _ = q.unlockOnly(told)
	wake(told)
	return roomy, more
}

// lockPair locks two queues, which may be one, in their order.
func lockPair(a, b *Queue) {
	if a == b {
		a.mu.Lock()
		return
	}
	a, b = ordered(a, b)
	a.mu.Lock()
	b.mu.Lock()
	join(a, b)
}

// unlockPair is unlock for what lockPair locked.
func unlockPair(a, b *Queue) {
	var few [8]waker
	var roomB bool
	a, b = ordered(a, b)
	part(a, b)
	told, roomA := a.unlockOnly(few[:0])
	if a != b {
		told, roomB = b.unlockOnly(told)
	}
	wake(told)
	if roomA {
		admit(a)
	}
	if roomB {
		admit(b)
	}
}

// ordered are two queues in the order in which they are locked.
func ordered(a, b *Queue) (*Queue, *Queue) {
	if a.order > b.order {
		return b, a
	}
	return a, b
}

// isFull reports whether a put was refused for want of room, here or on the
// journal's disk.
func isFull(err error) bool {
	return errors.Is(err, reeve.ErrQueueFull) || errors.Is(err, reeve.ErrJournalFull)
}
