package queue

import (
	"github.com/reeveq/reeve"
)

// line is a key of tasks: those that have to wait for others of their key, in
// the order of their puts. Every task of the key that is in the queue and may
// run, or has run and may run again, is released: it stands in a lane, is
// leased, or is delayed after an attempt. At most QueueConfig.KeyConcurrency
// tasks are released at a time. None is while another one stands in a lane, so
// that they begin in order; with a KeyRate none is without a token.
type line struct {
	queue    *Queue
	key      string
	waiting  taskList
	released int
	inLane   int  // of those that are released
	tasks    int  // of the key, in whatever state but dead
	kept     bool // without tasks, until its rate is full again

	tokens bucket       // with a KeyRate
	refill timed[*line] // in Queue.refills: when there is a token
}

// lineCost is what a line counts for that outlives its tasks: no more than one
// of these did.
func lineCost(key string) int64 { return reeve.TaskOverhead + int64(len(key)) }

// keepLine has l count against MaxBytes, or not any more.
func (q *Queue) keepLine(l *line, keep bool) {
	if l.kept == keep {
		return
	}
	l.kept = keep
	if keep {
		q.lineBytes += lineCost(l.key)
	} else {
		q.lineBytes -= lineCost(l.key)
		q.roomy = true
	}
}

// hasLines reports whether the queue's keys keep tasks waiting at all.
func (q *Queue) hasLines() bool {
	return q.cfg.KeyConcurrency != reeve.NoLimit || !q.cfg.KeyRate.IsZero()
}

// joinLine makes t one of its key.
func (q *Queue) joinLine(t *task) {
	if t.extra == nil || t.extra.key == "" || t.extra.line != nil || !q.hasLines() {
		return
	}
	l := q.lines[t.extra.key]
	if l == nil {
		if n := len(q.spareLines); n > 0 {
			l, q.spareLines = q.spareLines[n-1], q.spareLines[:n-1]
		} else {
			l = &line{queue: q}
			l.refill.of = l
		}
		l.key = t.extra.key
		if !q.cfg.KeyRate.IsZero() {
			l.tokens = q.keyLimit.bucket()
		}
		q.lines[t.extra.key] = l
	}
	q.keepLine(l, false)
	l.tasks++
	t.extra.line = l
}

// leaveLine ends what t, which is in no list, has to do with its key.
func (q *Queue) leaveLine(t *task, now int64) {
	if t.extra == nil || t.extra.line == nil {
		return
	}
	l := t.extra.line
	t.extra.line = nil
	l.tasks--
	if t.extra.released {
		t.extra.released = false
		l.released--
	}
	q.releaseLine(l, now)
}

// line puts t, which is ready, into the line of its key, or, when its turn there
// goes on, into its lane: in front or at the end.
func (q *Queue) line(t *task, now int64, front bool) {
	l := t.extra.line
	switch {
	case !t.extra.released:
		t.order = q.nextOrder()
		l.waiting.pushBack(t)
	case q.cfg.KeyRate.IsZero():
		l.inLane++
		q.enter(t, front)
		return
	default: // it needs another token
		t.extra.released = false
		l.released--
		t.order = 0 // as it was put: before all others of its key
		l.waiting.pushFirst(t)
	}
	q.blocked++
	q.releaseLine(l, now)
}

// lets reports whether a further task of the key may go into a lane.
func (l *line) lets(now int64) bool {
	c := &l.queue.cfg
	below := c.KeyConcurrency == reeve.NoLimit || l.released < c.KeyConcurrency
	return l.inLane == 0 && below && (c.KeyRate.IsZero() || l.tokens.ready(now))
}

// releaseLine lets the next task of the key into a lane if it may go there, and
// forgets a key without tasks.
func (q *Queue) releaseLine(l *line, now int64) {
	rated := !q.cfg.KeyRate.IsZero()
	if l.waiting.n > 0 && l.lets(now) {
		t := l.waiting.head
		l.waiting.remove(t)
		q.blocked--
		t.extra.released = true
		l.released++
		l.inLane++
		q.enter(t, q.cfg.LIFO)
	}
	if rated {
		// A key without tasks is kept until it would have a token again: it
		// must not have two by coming back.
		due := l.tokens.full(now)
		if l.waiting.n > 0 {
			due = l.tokens.next(now)
		}
		if due > now && (l.tasks == 0 || l.waiting.n > 0 && l.inLane == 0) {
			q.refillAt(l, due)
			q.keepLine(l, l.tasks == 0)
			return
		}
	}
	if l.refill.in() {
		q.refills.remove(&l.refill)
	}
	if l.tasks == 0 {
		q.dropLine(l)
	}
}

// refillAt has the line looked at again at due.
func (q *Queue) refillAt(l *line, due int64) {
	if l.refill.in() {
		q.refills.fix(&l.refill, due)
	} else {
		q.refills.add(&l.refill, due)
	}
	q.setDue(due)
}

// spareLines is how many lines without a key a queue keeps to be used again.
const spareLines = 64

func (q *Queue) dropLine(l *line) {
	q.keepLine(l, false)
	q.peakLines = max(q.peakLines, len(q.lines))
	delete(q.lines, l.key)
	q.lines = shrunk(q.lines, &q.peakLines)
	if len(q.spareLines) < spareLines {
		l.key = ""
		q.spareLines = append(q.spareLines, l)
	}
}

// leaveLane notes that t has left its lane.
func (q *Queue) leaveLane(t *task) {
	if t.extra != nil && t.extra.line != nil {
		t.extra.line.inLane--
	}
}

// keepTurn makes t, which is in no list, one of those that its key lets run: its
// holder has it although it waits in the line since it was taken for lost.
func (t *task) keepTurn() {
	if t.extra != nil && t.extra.line != nil && !t.extra.released {
		t.extra.released = true
		t.extra.line.released++
	}
}

// passLine notes a hand-over of t, which takes a token of its key.
func (q *Queue) passLine(t *task, now int64) {
	if t.extra != nil && t.extra.line != nil && !q.cfg.KeyRate.IsZero() {
		t.extra.line.tokens.take(now)
	}
}

// startLine notes that t is leased.
func (q *Queue) startLine(t *task, now int64) {
	if t.extra == nil || t.extra.line == nil {
		return
	}
	t.keepTurn()
	q.releaseLine(t.extra.line, now)
}

// refill lets tasks go whose key has a token by now.
func (q *Queue) refill(now int64, most int) {
	for ; most > 0 && q.refills.next() <= now; most-- {
		l := q.refills.head().of
		q.refills.remove(&l.refill)
		q.releaseLine(l, now)
	}
}
