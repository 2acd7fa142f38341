package queue

import (
	"errors"

	"github.com/reeveq/reeve"
)

// parking is the place of a request that waits for room in a queue: a Put, or
// the putting half of a Complete.
type parking struct {
	put        *PutOp
	complete   *CompleteOp
	from       *Queue // complete's
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
	return nil
}

// unpark ends p's wait.
func (q *Queue) unpark(p *parking) {
	q.parked.remove(p)
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
	p.complete.By.Reply(p.complete.Tag, 1, 0, err)
}

// admit lets in those who wait for room in q, as far as there is some. It is
// called after a step that made room, with nothing locked: a waiting Complete
// needs two mutexes, in their order.
func (q *Queue) admit() {
	for {
		q.mu.Lock()
		p := q.parked.head
		if p == nil {
			q.mu.Unlock()
			return
		}
		if p.put != nil {
			q.tell(p.hold)
			all := q.tryPut(p.put)
			if all {
				q.unpark(p)
			}
			q.unlock()
			if !all {
				return
			}
			continue
		}
		from := p.from
		q.mu.Unlock()

		lockPair(from, q)
		if q.parked.head != p { // cancelled, or served by another admit
			unlockPair(from, q)
			continue
		}
		q.tell(p.hold)
		served := q.tryComplete(from, p.complete)
		if served {
			q.unpark(p)
		}
		more := from != q && from.parked.head != nil
		unlockPair(from, q)
		if !served {
			return
		}
		if more {
			from.admit()
		}
	}
}

// lockPair locks two queues, which may be one, in their order.
func lockPair(a, b *Queue) {
	if a == b {
		a.mu.Lock()
		return
	}
	if a.order > b.order {
		a, b = b, a
	}
	a.mu.Lock()
	b.mu.Lock()
}

func unlockPair(a, b *Queue) {
	a.unlock()
	if a != b {
		b.unlock()
	}
}

func isFull(err error) bool { return errors.Is(err, reeve.ErrQueueFull) }
