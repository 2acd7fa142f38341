package queue

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

var ( // tests set them
	// cleanFactor and cleanSlack: the journal is cleaned from when on it has more
	// than so many times what lives in it, and so many bytes.
	cleanSlack int64 = 8 << 20
	// cleanStep is how many bytes of old frames are looked through at a time, at
	// least: more when more was written since.
	cleanStep int64 = 256 << 10
	// measureEvery is after how many bytes, written or freed, it is measured again
	// what lives.
	measureEvery int64 = 256 << 10
)

const (
	cleanFactor = 3
	// aboutRecord is what the records of a task take in the journal besides its
	// texts.
	aboutRecord = 64
)

// cleaner keeps the journal small: it goes through the oldest frames, records
// anew what still lives of them, and has them trimmed. It does so oldest first,
// so that a record that takes something back is never trimmed before what it
// takes back. Only the log's goroutine uses it, but for what is atomic.
type cleaner struct {
	engine   *Engine
	next     journal.Pos // the oldest frame that was not looked through
	total    int64       // bytes of the frames before this start, less what was looked through
	live     int64       // what lives, when it was measured last
	measured int64       // how much had been written and freed then
	cleaned  int64       // how much had been written at the last step

	round journal.Pos // the last frame when the round of all frames began
	moved int64       // what has been recorded anew in it

	floor   int64 // what was recorded anew in the round before
	floorAt int64 // and the estimate of what lived then

	broken bool // a frame cannot be read: nothing is trimmed any more

	freed   atomic.Int64  // bytes of the tasks that have left their queue since the start
	trimmed atomic.Uint64 // the oldest frame that is kept
	upTo    journal.Pos   // may be trimmed, up to here, when
	after   journal.Pos   // this frame is durable; 0: nothing is to be trimmed
}

// work does a step, if there is reason to; more: another one may be due at once.
func (c *cleaner) work(ctx context.Context) (more bool) {
	e := c.engine
	if c.broken || !c.trim(ctx) {
		return false // what was recorded anew is not written yet, or the journal has failed
	}
	written := int64(e.log.Stats().Bytes)
	if !c.due(written) {
		return false
	}
	if c.next > c.round { // everything was gone through once
		c.floor, c.floorAt = c.moved, c.live
		c.round, c.moved = e.log.Told(), 0
		if !c.due(written) {
			return false
		}
	}
	budget := max(cleanStep, 2*(written-c.cleaned))
	c.cleaned = written
	last := min(e.log.Told(), c.round) // what is recorded anew in a round is of the next
	for budget > 0 && c.next <= last && ctx.Err() == nil {
		frame, err := e.cfg.Journal.Read(ctx, c.next)
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			return c.giveUp(err)
		}
		if err := c.frame(c.next, frame); err != nil {
			return c.giveUp(err)
		}
		budget -= int64(len(frame))
		c.total -= int64(len(frame))
		c.next++
	}
	c.upTo, c.after = c.next, e.log.Barrier()
	return true
}

// giveUp ends cleaning: what cannot be read may live, and is not to be trimmed.
func (c *cleaner) giveUp(err error) bool {
	c.broken = true
	c.engine.cfg.Logger.Error("the journal is cleaned no more, and grows: a frame cannot be read; reeve journal salvage makes one without it", "frame", uint64(c.next), "err", err)
	return false
}

// due reports whether there is reason for a step, when so much has been written
// since the start.
func (c *cleaner) due(written int64) bool {
	size := c.total + written
	full := c.engine.log.Full()
	if size <= cleanSlack && !full {
		return false
	}
	if freed := c.freed.Load(); written+freed-c.measured > measureEvery || c.measured == 0 {
		c.measured = max(written+freed, 1)
		c.live = c.engine.liveBytes()
	}
	live := c.live
	if live >= c.floorAt/2 {
		live = max(live, c.floor) // what was recorded anew lived, whatever was estimated
	}
	if full { // whatever can be given back is wanted
		return size > live+live/4+measureEvery
	}
	return size > cleanFactor*live+cleanSlack
}

// trim has the journal forget what was gone through; false: not yet.
func (c *cleaner) trim(ctx context.Context) bool {
	e := c.engine
	ctx = context.WithoutCancel(ctx) // a journal whose Sync was broken off is of no use
	if c.after == 0 {
		return true
	}
	if e.log.Told() < c.after {
		return false
	}
	e.pinning.Lock()
	defer e.pinning.Unlock()
	p := c.upTo
	for pin := range e.pins {
		p = min(p, *pin)
	}
	if p > journal.Pos(c.trimmed.Load()) {
		// What was said last of that which is forgotten now must not be forgotten
		// before it. The log has the error, too, if there is one.
		if err := e.cfg.Journal.Sync(ctx); err != nil {
			return false
		}
		if err := e.cfg.Journal.Trim(ctx, p); err != nil {
			e.cfg.Logger.Error("the journal gives no space back", "err", err)
			return false
		}
		c.trimmed.Store(uint64(p))
	}
	if p == c.upTo {
		c.after = 0
	}
	return true
}

// liveBytes is about what the journal would take if it had nothing that does not
// live any more.
func (e *Engine) liveBytes() int64 {
	n := e.objects.bytes.Load()
	for _, q := range e.all() {
		q.mu.Lock()
		n += q.bytes - int64(q.tasks.n)*(taskOverhead-aboutRecord)
		n += q.results.bytes() - int64(q.results.len())*(reeve.TaskOverhead-aboutRecord)
		n += q.uniques.bytes()
		q.mu.Unlock()
	}
	return max(n, 0)
}

// frame records anew what lives of frame p.
func (c *cleaner) frame(p journal.Pos, frame []byte) error {
	return eachRecord(frame, func(kind record.Kind, body []byte, _ *record.Head) error {
		n, err := c.engine.renew(p, kind, body)
		if n {
			c.moved += int64(len(body))
		}
		return err
	})
}

// renew records anew what a record of frame p says, as it is now, if it is still
// so, and reports whether it is.
func (e *Engine) renew(p journal.Pos, kind record.Kind, body []byte) (lives bool, err error) {
	switch kind {
	case record.KindPut:
		var x record.Put
		if err = x.Decode(body); err == nil {
			lives = e.renewTask(p, x.Queue, x.ID, &x.Body)
		}
	case record.KindTask:
		var x record.Task
		if err = x.Decode(body); err == nil {
			lives = e.renewTask(p, x.Queue, x.ID, &x.Body)
		}
	case record.KindResult:
		var x record.Result
		if err = x.Decode(body); err == nil {
			lives = e.at(x.Queue, func(q *Queue) bool {
				r, kept := q.results.get(x.ID, e.now())
				if kept {
					q.noteResult(&r, q.results.ends.when(q.results.ids[x.ID]))
				}
				return kept
			})
		}
	case record.KindObject, record.KindEntry, record.KindAnswer:
		return e.objects.renew(p, kind, body)
	case record.KindUnique:
		var x record.Unique
		if err = x.Decode(body); err == nil {
			lives = e.at(x.Queue, func(q *Queue) bool { return q.renewUnique(x.Key, x.ID) })
		}
	case record.KindQueue:
		var x record.Queue
		if err = x.Decode(body); err == nil {
			lives = e.at(x.No, func(q *Queue) bool {
				latest := q.said == p
				if latest {
					q.noteQueue()
				}
				return latest
			})
		}
	case record.KindPause:
		var x record.Pause
		if err = x.Decode(body); err == nil {
			lives = e.at(x.Queue, func(q *Queue) bool {
				latest := q.gates.paused && q.pausedAt == p
				if latest {
					q.notePause()
				}
				return latest
			})
		}
	case record.KindDelete: // nothing that is kept names the queue any more
		var x record.Delete
		if err = x.Decode(body); err == nil {
			e.mu.Lock()
			delete(e.senders, x.Queue)
			e.mu.Unlock()
		}
	case record.KindMaster:
		if lives = p == e.said; lives {
			e.noteMaster()
		}
	case record.KindClient:
		var x record.Client
		if err = x.Decode(body); err == nil {
			if c := e.clients.of(x.No); c != nil {
				e.noteApart(c.record())
				lives = true
			}
		}
	case record.KindRequest:
		var x record.Request
		if err = x.Decode(body); err == nil {
			lives = e.renewRequest(&x)
		}
	}
	return lives, err
}

// at calls f for the queue that a number stands for, with it locked; false: it
// stands for none.
func (e *Engine) at(no uint32, f func(q *Queue) bool) bool {
	for {
		q := e.byNo(no)
		if q == nil {
			return false
		}
		q.mu.Lock()
		if !q.uprooted {
			defer q.unlock()
			return !q.deleted && f(q)
		}
		q.unlock() // another one is about to stand for the number
		runtime.Gosched()
	}
}

// sender reports whether a number stood for a queue that was deleted, of which
// tasks are in others.
func (e *Engine) sender(no uint32) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, sent := e.senders[no]
	return sent
}

// renewTask records a task anew whose body frame p has.
func (e *Engine) renewTask(p journal.Pos, no uint32, id reeve.ID, b *record.Body) (lives bool) {
	sent, claims := e.sender(no), false
	renew := func(q *Queue) bool {
		sent = sent || q.sent
		t := q.tasks.get(id)
		if t == nil || t.pos != p {
			return false
		}
		q.noteTask(t, b.Payload)
		claims = t.extra != nil && t.extra.claimed
		return true
	}
	lives = e.at(no, renew) || sent && e.seek(func(q *Queue) bool {
		q.mu.Lock()
		defer q.unlock()
		return renew(q)
	})
	// A key outlives that its task has ended, is dead, or in another queue.
	if x := b.Extra; !claims && x != nil && x.Claimed && x.Mode == reeve.UniqueForTime {
		lives = e.at(no, func(q *Queue) bool { return q.renewUnique(x.Unique, id) }) || lives
	}
	return lives
}

// renewUnique records a key anew that outlives its task, and that the task id
// has taken.
func (q *Queue) renewUnique(key string, id reeve.ID) bool {
	now := q.engine.now()
	u, ok := q.uniques.keys[key]
	if _, taken := q.uniques.find(key, now); !ok || !taken || u.id != id || u.mode != reeve.UniqueForTime {
		return false
	}
	q.noteUnique(key, u)
	return true
}

// renewRequest records those outcomes anew that are still remembered.
func (e *Engine) renewRequest(x *record.Request) bool {
	c := e.clients.of(x.Client)
	if c == nil {
		return false
	}
	var recs []byte
	run := record.Request{Client: x.Client} // outcomes that one record tells of
	for i := range min(uint64(x.Count), Window) {
		first, low, ok := c.answered(x.Req + i)
		if !ok {
			continue
		}
		next := run.First
		if next != 0 {
			next += reeve.ID(run.Count)
		}
		if run.Count > 0 && x.Req+i == run.Req+uint64(run.Count) && first == next {
			run.Count++
			continue
		}
		if run.Count > 0 {
			recs = record.AppendRequest(recs, &run)
		}
		run.Req, run.Low, run.First, run.Count = x.Req+i, low, first, 1
	}
	if run.Count > 0 {
		recs = record.AppendRequest(recs, &run)
	}
	if recs != nil {
		e.noteApart(recs)
	}
	return recs != nil
}
