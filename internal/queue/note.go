package queue

import (
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
)

// What is recorded of each change. Nothing is without a journal, and nothing
// while one is replayed. Times go into records as the wall clock has them.

// notePut records t, which was put, where it stands now.
func (q *Queue) notePut(t *task) {
	s := q.changes()
	if s == nil {
		return
	}
	t.pos = s.share.Pos()
	r := record.Put{Queue: q.no, ID: t.id, Order: t.order, Body: record.Body{
		Type: t.kind.name, Payload: t.payload, Priority: t.priority, Source: t.source, PutAt: t.putAt, Blobs: t.blobs(),
	}}
	if t.state == delayed {
		r.Due, r.Wall = q.dueWall(t), t.wall
	}
	if t.extra != nil {
		x := q.extraRecord(t)
		r.Body.Extra = &x
	}
	s.recs = record.AppendPut(s.recs, &r)
}

// dueWall is when t, which is delayed, is due, in Unix nanoseconds.
func (q *Queue) dueWall(t *task) int64 {
	if t.wall {
		return t.due
	}
	return q.engine.wallAt(t.due).UnixNano()
}

// extraRecord is what the put of t asked for beyond the ordinary.
func (q *Queue) extraRecord(t *task) record.Extra {
	x := t.extra
	r := record.Extra{
		Timeout: x.timeout, Attempts: x.attempts, Key: x.key, Unique: x.unique, Mode: x.mode, Claimed: x.claimed,
		Labels: x.labelNames(), Backoff: x.backoff, ExpireAt: x.expireAt, ExpireWall: x.expireWall, Keep: x.keep, Asked: x.asked,
	}
	if x.expireAt != 0 && !x.expireWall {
		r.ExpireAt = q.engine.wallAt(x.expireAt).UnixNano()
	}
	if e, ok := q.uniques.keys[x.unique]; x.claimed {
		if r.Claimed = ok && e.id == t.id; r.Claimed && e.end != nil { // its time may be over
			r.UniqueUntil = q.engine.wallAt(q.uniques.ends.when(e.end)).UnixNano()
		}
	}
	return r
}

// noteLease records that t is leased now.
func (q *Queue) noteLease(t *task) {
	if s := q.changes(); s != nil {
		s.recs = record.AppendLease(s.recs, &record.Lease{Queue: q.no, ID: t.id, Attempt: t.attempt, Client: t.hold.holder.clientNo()})
	}
}

// noteExtend records until when the lease of t stands at least.
func (q *Queue) noteExtend(t *task) {
	if s := q.changes(); s != nil {
		s.recs = record.AppendExtend(s.recs, &record.Extend{Queue: q.no, ID: t.id, Until: q.engine.wallAt(t.past.extended).UnixNano()})
	}
}

// noteStand records where t stands now, after an attempt at it, or when it was
// revived.
func (q *Queue) noteStand(t *task) {
	s := q.changes()
	if s == nil {
		return
	}
	r := record.Stand{Queue: q.no, ID: t.id, Now: q.standing(t)}
	if p := t.past; p != nil {
		if n := len(p.history); !p.rewrite { // those before are in the journal
			r.Now.Append, r.Now.History = true, p.history[n:]
			if p.fresh {
				r.Now.History = p.history[n-1:]
			}
		}
		p.fresh, p.rewrite = false, false
	}
	s.recs = record.AppendStand(s.recs, &r)
}

// standing is where t stands now and what has happened to it.
func (q *Queue) standing(t *task) record.Standing {
	r := record.Standing{State: recordStates[t.state], Attempt: t.attempt}
	if x := t.extra; x != nil {
		r.Claimed, r.Turn = x.claimed, x.released && t.state != leased
	}
	switch t.state {
	case ready:
		r.Claimable, r.Blamed, r.Order = t.claimable, t.blamed, t.order
		r.ReadyAt = q.engine.wallAt(t.readyAt).UnixNano()
	case delayed:
		r.Due, r.Wall = q.dueWall(t), t.wall
	case dead:
		r.Due = q.engine.wallAt(t.due).UnixNano() // since when it is kept
	case leased:
		r.Client = t.hold.holder.clientNo()
		r.ReadyAt = q.engine.wallAt(t.readyAt).UnixNano()
		if end := t.extended(); end > 0 {
			r.Until = q.engine.wallAt(end).UnixNano()
		}
	}
	if p := t.past; p != nil {
		r.Counts, r.Error, r.History = p.counts, p.fate.err, p.history
		if t.state == dead {
			r.Reason, r.Last, r.DiedAt = p.fate.reason, p.fate.last, p.fate.diedAt
		}
	}
	return r
}

var recordStates = [states]record.State{ready: record.Ready, delayed: record.Delayed, leased: record.Leased, dead: record.Dead}

// noteTask records all of t, with its payload, anew.
func (q *Queue) noteTask(t *task, payload []byte) {
	s := q.changes()
	if s == nil {
		return
	}
	t.pos = s.share.Pos()
	r := record.Task{Queue: q.no, ID: t.id, Now: q.standing(t), Body: record.Body{
		Type: t.kind.name, Payload: payload, Priority: t.priority, Source: t.source, PutAt: t.putAt, Blobs: t.blobs(),
	}}
	if t.extra != nil {
		x := q.extraRecord(t)
		r.Body.Extra = &x
	}
	s.recs = record.AppendTask(s.recs, &r)
}

// noteMove records that t is in another queue now. Both are locked.
func (q *Queue) noteMove(to *Queue, t *task) {
	if s := q.changes(); s != nil {
		s.recs = record.AppendMove(s.recs, &record.Move{Queue: q.no, To: to.no, ID: t.id, Claimed: t.extra != nil && t.extra.claimed})
		if t.past != nil {
			t.past.rewrite = true // another queue keeps another number of attempts
		}
		to.noteStand(t)
	}
}

// noteEnd records that t has ended; r: how, if that is kept until until.
func (q *Queue) noteEnd(id reeve.ID, r *reeve.Result, until int64) {
	s := q.changes()
	if s == nil {
		return
	}
	if r == nil {
		s.recs = record.AppendEnd(s.recs, &record.End{Queue: q.no, ID: id})
		return
	}
	q.noteResult(r, until)
}

// noteResult records an outcome that is kept until until.
func (q *Queue) noteResult(r *reeve.Result, until int64) {
	if s := q.changes(); s != nil {
		s.recs = record.AppendResult(s.recs, &record.Result{
			Queue: q.no, ID: r.ID, Type: r.Type, State: r.State, Payload: r.Payload, Reason: r.Reason, Error: r.Error,
			Attempts: r.Attempts, EndedAt: r.EndedAt, Until: q.engine.wallAt(until).UnixNano(), Blobs: q.results.blobs[r.ID],
		})
	}
}

// noteUnique records a unique key that outlives its task.
func (q *Queue) noteUnique(key string, u unique) {
	if s := q.changes(); s != nil {
		r := record.Unique{Queue: q.no, Key: key, ID: u.id, Mode: u.mode}
		if u.end != nil {
			r.Until = q.engine.wallAt(q.uniques.ends.when(u.end)).UnixNano()
		}
		s.recs = record.AppendUnique(s.recs, &r)
	}
}

// notePause records whether the queue is paused.
func (q *Queue) notePause() {
	if s := q.changes(); s != nil {
		q.pausedAt = q.last
		s.recs = record.AppendPause(s.recs, &record.Pause{Queue: q.no, Paused: q.gates.paused, Reason: q.gates.reason})
	}
}

// noteQueue records what the queue is.
func (q *Queue) noteQueue() {
	if s := q.changes(); s != nil {
		q.said = q.last
		s.recs = record.AppendQueue(s.recs, &record.Queue{No: q.no, Name: q.name, Config: encodeConfig(&q.cfg)})
	}
}

// noteRequest records what became of requests of c, if they changed anything.
func (q *Queue) noteRequest(c *Client, req uint64, count int, first reeve.ID) {
	if s := q.section; s.share != nil {
		s.recs = record.AppendRequest(s.recs, &record.Request{Client: c.no, Req: req, Count: uint32(count), First: first, Low: c.low()})
	}
}
