package queue

import (
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/reeveq/reeve"
)

// Queue is one named queue. All methods are safe for concurrent use.
type Queue struct {
	engine *Engine
	name   string
	cfg    reeve.QueueConfig // with defaults; MaxBytes unbounded is MaxInt64
	order  int               // of creation: which mutex is taken first

	nextDue atomic.Int64 // when tick has something to do; written with mu held

	mu       sync.Mutex // guards the fields below
	tasks    table
	ready    taskList
	suspects taskList // ready, but handed over one at a time per holder
	dead     taskList
	due      dueHeap // delayed tasks and leased ones with a run time
	delayedN int
	leasedN  int
	bytes    int64 // of all tasks

	takers    takers
	consumers int // of any holder
	gets      int // that wait
	freeSlots int // of the consumers and of the Gets that wait

	parked  parkList
	joins   []*JoinOp
	holds   map[*hold]struct{}
	silent  int64   // earliest expiry of any hold
	woken   []*hold // to be woken when mu is given up
	roomy   bool    // there may be room for who waits to put; seen to when mu is given up
	stopped bool    // the engine hands out nothing more

	shutdown  bool
	immediate bool

	stats counters
}

// counters count since the start.
type counters struct {
	put, done, redelivered, failed, timedOut, lost, returned,
	buried, refused, dropped, lateAcks uint64
}

func newQueue(e *Engine, name string, cfg reeve.QueueConfig, order int) *Queue {
	q := &Queue{
		engine: e, name: name, cfg: cfg, order: order,
		holds:  map[*hold]struct{}{},
		silent: never,
	}
	q.nextDue.Store(never)
	return q
}

// Name is the queue's name.
func (q *Queue) Name() string { return q.name }

// Config is the queue's configuration with all defaults filled in.
func (q *Queue) Config() reeve.QueueConfig {
	c := q.cfg
	c.MaxBytes = q.maxBytes()
	return c
}

func (q *Queue) maxBytes() int64 {
	if q.cfg.MaxBytes == noBytesLimit {
		return reeve.NoLimit
	}
	return q.cfg.MaxBytes
}

// unlock gives up the mutex, wakes the holders that were told something, and
// lets in who waits for room, if some was made.
func (q *Queue) unlock() {
	var few [8]Sink
	told, room := q.unlockOnly(few[:0])
	wake(told)
	if room {
		admit(q)
	}
}

// unlockOnly is unlock that leaves the rest to the caller, for when nothing is
// locked: it adds to told who is to be woken, and reports whether admit is to
// be called.
func (q *Queue) unlockOnly(told []Sink) (_ []Sink, room bool) {
	if verify {
		q.check()
	}
	room = q.roomy && q.parked.head != nil
	q.roomy = false
	for i, k := range q.woken {
		k.woken = false
		told = append(told, k.holder.sink)
		q.woken[i] = nil
	}
	q.woken = q.woken[:0]
	q.mu.Unlock()
	return told, room
}

// wake wakes the holders that were told something. Nothing is locked.
func wake(told []Sink) {
	for _, s := range told {
		s.Wake()
	}
}

// tell notes that k's holder is to be woken on unlock.
func (q *Queue) tell(k *hold) {
	if !k.woken {
		k.woken = true
		q.woken = append(q.woken, k)
	}
}

// adopt makes k known to the queue. Called with the holder's mutex held.
func (q *Queue) adopt(k *hold) {
	q.mu.Lock()
	q.holds[k] = struct{}{}
	q.mu.Unlock()
}

// setDue notes that something is due at at.
func (q *Queue) setDue(at int64) {
	if at < q.nextDue.Load() {
		q.nextDue.Store(at)
		q.engine.clock.due(at)
	}
}

// schedule puts t into the heap.
func (q *Queue) schedule(t *task, at int64) {
	t.due = at
	q.due.add(t)
	q.setDue(at)
}

// makeReady puts t, which is in no list, among the ready tasks.
func (q *Queue) makeReady(t *task, now int64, front bool) {
	t.move(ready)
	if !front || t.readyAt == 0 {
		t.readyAt = now
	}
	switch {
	case t.suspect():
		q.suspects.pushBack(t)
	case front:
		q.ready.pushFront(t)
	default:
		q.ready.pushBack(t)
	}
}

// makeDelayed puts t, which is in no list, among the delayed ones.
func (q *Queue) makeDelayed(t *task, at int64) {
	t.move(delayed)
	q.delayedN++
	q.schedule(t, at)
}

// unlist takes a ready or delayed task out of its list or the heap.
func (q *Queue) unlist(t *task) {
	q.roomy = true
	switch {
	case t.state == delayed:
		q.delayedN--
		q.due.remove(t)
	case t.suspect():
		q.suspects.remove(t)
	default:
		q.ready.remove(t)
	}
}

// forget ends t, which is in no list, for good.
func (q *Queue) forget(t *task) {
	q.roomy = true
	t.move(absent)
	q.bytes -= t.size()
	q.tasks.remove(t.id)
}

// bury makes t, which is in no list, dead.
// last: the error of its last attempt is part of the reason.
func (q *Queue) bury(t *task, reason string, last bool) {
	if t.fate == nil {
		t.fate = &fate{}
	}
	t.fate.reason, t.fate.last = reason, last
	t.fate.diedAt = time.Now()
	t.move(dead)
	q.dead.pushBack(t)
	q.stats.buried++
}

// unsettled is how many tasks Join waits for.
func (q *Queue) unsettled() int { return q.waiting() + q.leasedN }

// waiting is how many tasks count against MaxLen.
func (q *Queue) waiting() int { return q.ready.n + q.suspects.n + q.delayedN }

// ended reports whether no consumer will get anything any more.
func (q *Queue) ended() bool { return q.shutdown && (q.immediate || q.unsettled() == 0) }

func printable(s string) bool {
	for _, r := range s {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
