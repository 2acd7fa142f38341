package queue

import (
	"time"

	"github.com/reeveq/reeve"
)

// gates hold up all hand-overs of a queue.
type gates struct {
	any     bool // there may be a reason to hold up
	limited bool // some limit is configured
	scarce  bool // what one taker gets may be missing to those who want other things
	paused  bool
	reason  string

	tokens bucket // with a Rate

	closed bool  // outside of the windows
	until  int64 // monotonic; when the windows are to be looked at again

	lowLeased int // tasks below Reserve.Priority that take slots of consumers
	slots     int // of all consumers
}

func (g *gates) init(c *reeve.QueueConfig) {
	g.limited = c.Concurrency > 0 || !c.Rate.IsZero() || len(c.Windows) > 0
	g.any = g.limited
	g.scarce = c.Concurrency > 0 || !c.Rate.IsZero() || len(c.TypeConcurrency) > 0 || c.Reserve.Slots > 0
	if !c.Rate.IsZero() {
		g.tokens = newBucket(c.Rate)
	}
}

// shut reports whether no task may be handed over now, whoever asks. It sees
// to it that someone looks again when that may have changed by itself.
func (q *Queue) shut(now int64) bool {
	g := &q.gates
	switch {
	case !g.any:
		return false
	case g.paused:
		return true
	case q.cfg.Concurrency > 0 && q.n[leased] >= q.cfg.Concurrency:
		return true
	case len(q.cfg.Windows) > 0 && q.outside(now):
		return true
	case !q.cfg.Rate.IsZero() && !g.tokens.ready(now):
		q.lookBy(g.tokens.next(now))
		return true
	}
	return false
}

// heldBy is why shut is true; empty: it is not.
func (q *Queue) heldBy(now int64) reeve.ReasonCode {
	switch {
	case !q.shut(now):
		return ""
	case q.gates.paused:
		return reeve.ReasonPaused
	case len(q.cfg.Windows) > 0 && q.gates.closed:
		return reeve.ReasonWindow
	case q.cfg.Concurrency > 0 && q.n[leased] >= q.cfg.Concurrency:
		return reeve.ReasonConcurrency
	}
	return reeve.ReasonRate
}

// pass notes a hand-over.
func (q *Queue) pass(now int64) {
	if q.gates.any && !q.cfg.Rate.IsZero() {
		q.gates.tokens.take(now)
	}
}

// lookEvery is how often the wall clock is looked at while something depends
// on it: it may have been set.
const lookEvery = int64(time.Minute)

// outside reports whether it is none of the times at which tasks are handed
// over.
func (q *Queue) outside(now int64) bool {
	g := &q.gates
	if now >= g.until {
		wall := q.engine.wallNow()
		g.closed = true
		opens := wall.Add(time.Minute)
		for _, w := range q.cfg.Windows {
			if w.Open(wall) {
				g.closed = false
			}
		}
		if next := q.opens(wall); g.closed && next.Before(opens) {
			opens = next
		}
		// Windows begin and end with a minute.
		if end := wall.Truncate(time.Minute).Add(time.Minute); end.Before(opens) {
			opens = end
		}
		g.until = now + max(int64(opens.Sub(wall)), int64(time.Millisecond))
	}
	if g.closed {
		q.lookBy(g.until)
	}
	return g.closed
}

// opens is when the next window opens, from wall on; zero: never.
func (q *Queue) opens(wall time.Time) time.Time {
	var first time.Time
	for _, w := range q.cfg.Windows {
		if t := w.Opens(wall); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// lowMay reports whether a task of low priority may take a slot of a consumer.
func (q *Queue) lowMay() bool {
	r := q.cfg.Reserve.Slots
	return r == 0 || q.gates.lowLeased < q.gates.slots-r
}

// low reports whether t is of a priority for which no slots are reserved.
func (q *Queue) low(t *task) bool {
	return q.cfg.Reserve.Slots > 0 && t.priority < q.cfg.Reserve.Priority
}

// Pause ends hand-overs until Resume. A reason that is too long is
// [reeve.ErrTooLarge]; [reeve.ErrNoSuchQueue] when the queue was deleted.
func (q *Queue) Pause(reason string) error {
	if len(reason) > reeve.MaxErrorText {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of the reason of a pause", Value: int64(len(reason)), Max: reeve.MaxErrorText}
	}
	q.mu.Lock()
	defer q.unlock()
	if q.deleted {
		return q.goneError()
	}
	q.idle = never
	q.gates.paused, q.gates.any, q.gates.reason = true, true, reason
	q.notePause()
	q.emit(reeve.EventPaused, nil, "", reason)
	return nil
}

// Resume ends a Pause.
func (q *Queue) Resume() {
	q.mu.Lock()
	defer q.unlock()
	q.idle = never
	if q.gates.paused && !q.deleted {
		q.gates.paused, q.gates.any, q.gates.reason = false, q.gates.limited, ""
		q.notePause()
		q.emit(reeve.EventResumed, nil, "", "")
		q.after(q.engine.now())
	}
}

// emit tells those who follow the queue's events what happened to t, nil: to
// the queue itself.
func (q *Queue) emit(kind reeve.EventKind, t *task, worker, text string) {
	if !q.engine.events.on() {
		return
	}
	ev := reeve.Event{Time: q.engine.wallNow(), Queue: q.name, Kind: kind, Worker: worker, Text: text}
	if t != nil {
		ev.ID, ev.Type, ev.Attempt = t.id, t.kind.name, t.attempt
	}
	q.engine.events.emit(ev)
}
