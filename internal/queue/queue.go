package queue

import (
	"sync"
	"sync/atomic"
	"unicode"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// Queue is one named queue. All methods are safe for concurrent use.
type Queue struct {
	engine *Engine
	name   string
	cfg    reeve.QueueConfig // with defaults; MaxBytes unbounded is MaxInt64
	order  int               // of creation, of all there ever were: which mutex is taken first

	nextDue atomic.Int64 // when tick has something to do; written with mu held
	claimed atomic.Bool  // somebody has declared it, or asked for it, since the start

	mu    sync.Mutex // guards the fields below
	tasks table
	n     [states]int // tasks by state
	bytes int64       // of all tasks
	dead  taskList

	// The ready tasks: in lanes, those of a key that have to wait in its line.
	kinds                 map[string]*kind
	peakKinds, peakLanes  int   // the most there were in these maps
	lastKind              *kind // used last
	lanes                 map[*lane]struct{}
	offered               int              // tasks in lanes
	firstOrder, lastOrder int64            // given out, before and after all others
	profiles              []*profile       // of those who can take tasks; the first wants everything
	able                  []*profile       // those with takers and with tasks for these
	turn                  int              // which of them was served last
	handed                reeve.Task       // by hand: one in every call would be on the heap
	lines                 map[string]*line // by key
	peakLines             int              // the most there were in that map
	lineBytes             int64            // of those that outlive their tasks
	spareLines            []*line          // without tasks and keys, to be used again
	keyLimit              *limit           // with a KeyRate
	blocked               int              // tasks in lines of keys
	gates                 gates

	// Times.
	due     dueHeap         // of the monotonic clock: delayed tasks and leased ones with a run time
	etas    dueHeap         // of the wall clock: delayed tasks
	expire  timeHeap[*task] // of tasks that expire, by the monotonic clock
	expireW timeHeap[*task] // the same by the wall clock
	refills timeHeap[*line] // keys that wait for their rate
	look    int64           // when to look at what no heap tells: gates, the wall clock

	uniques uniques
	results results
	waits   waits // for the ends of tasks

	consumers int // of any holder
	gets      int // that wait
	freeSlots int // of the consumers and of the Gets that wait

	parked  parkList
	joins   []*JoinOp
	holds   map[*hold]struct{}
	silent  int64   // earliest expiry of any hold
	woken   []*hold // to be woken when mu is given up
	wakers  []waker // these, too
	roomy   bool    // there may be room for who waits to put; seen to when mu is given up
	stopped bool    // the engine hands out nothing more
	idle    int64   // since when nobody uses it, with an IdleTTL; never: somebody does

	shutdown  bool
	immediate bool

	stats counters

	section  *section    // what has been recorded since it was locked
	own      section     // unless it is another queue's
	last     journal.Pos // the frame that has the latest record of the queue
	no       uint32      // stands for it in records
	said     journal.Pos // the frame that has the latest record of its name and configuration
	pausedAt journal.Pos // the one that has the latest of a pause
	over     bool        // more than may ran when the queue was configured anew; for check only
	growing  bool        // tasks are put where the journal says that they are
	uprooted bool        // another one has its place
	deleted  bool        // it is gone, and stopped: see Engine.Delete
	sent     bool        // tasks went from it to other queues, which the journal's frames still call its own
}

// counters count since the start.
type counters struct {
	put, done, redelivered, failed, timedOut, lost, returned,
	buried, refused, dropped, lateAcks,
	snoozed, skipped, discarded, cancelled, expired, duplicates,
	revived, purged, movedIn, movedOut uint64

	wait, run histogram
}

func newQueue(e *Engine, name string, cfg reeve.QueueConfig, order int) *Queue {
	q := &Queue{
		engine: e, name: name, cfg: cfg, order: order,
		holds:  map[*hold]struct{}{},
		silent: never, look: never, idle: never,
		kinds: map[string]*kind{}, lanes: map[*lane]struct{}{}, lines: map[string]*line{},
		profiles: []*profile{{}},
	}
	q.results.most, q.results.store = cfg.MaxResultBytes, e.cfg.Blobs
	if !cfg.KeyRate.IsZero() {
		q.keyLimit = newLimit(cfg.KeyRate)
	}
	q.gates.init(&cfg)
	q.section = &q.own
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
	var few [8]waker
	told, room := q.unlockOnly(few[:0])
	wake(told)
	if room {
		admit(q)
	}
}

// unlockOnly is unlock that leaves the rest to the caller, for when nothing is
// locked: it adds to told who is to be woken, and reports whether admit is to
// be called.
func (q *Queue) unlockOnly(told []waker) (_ []waker, room bool) {
	if q.gets > 0 && q.drained() {
		q.endDrained()
	}
	if q.cfg.IdleTTL > 0 {
		q.watchIdle(q.engine.now())
	}
	if verify {
		q.check()
	}
	q.finishSection()
	room = q.roomy && q.parked.head != nil
	q.roomy = false
	for i, k := range q.woken {
		k.woken = false
		told = append(told, k.holder.sink)
		q.woken[i] = nil
	}
	q.woken = q.woken[:0]
	told = append(told, q.wakers...)
	clear(q.wakers)
	q.wakers = q.wakers[:0]
	q.mu.Unlock()
	return told, room
}

// waker is one who has something to do when nothing is locked any more.
type waker interface{ Wake() }

// later has w woken on unlock.
func (q *Queue) later(w waker) {
	if n := len(q.wakers); n == 0 || q.wakers[n-1] != w {
		q.wakers = append(q.wakers, w)
	}
}

// wake wakes the holders that were told something. Nothing is locked.
func wake(told []waker) {
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

// adopt makes k known to the queue, unless that is deleted. Called with the
// holder's mutex held.
func (q *Queue) adopt(k *hold) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.deleted {
		q.holds[k] = struct{}{}
	}
	return !q.deleted
}

// setDue notes that something is due at at.
func (q *Queue) setDue(at int64) {
	if at < q.nextDue.Load() {
		q.nextDue.Store(at)
		q.engine.clock.due(at)
	}
}

// lookBy has the gates and the wall clock looked at by at at the latest.
func (q *Queue) lookBy(at int64) {
	q.look = min(q.look, at)
	q.setDue(at)
}

// schedule puts t into the heap.
func (q *Queue) schedule(t *task, at int64) {
	t.due = at
	q.due.add(t)
	q.setDue(at)
}

// place says where among the ready tasks one is put.
type place uint8

const (
	asPut   place = iota // behind those that were put before
	inFront              // it was given back, and goes before those that were not handed over yet
	atEnd                // it has failed, and goes behind all others
)

// makeReady puts t, which is in no list, among the ready tasks.
func (q *Queue) makeReady(t *task, now int64, where place) {
	q.move(t, ready)
	if where != inFront || t.readyAt == 0 {
		t.readyAt = now
	}
	q.watchExpiry(t)
	front := where == inFront || where == asPut && q.cfg.LIFO
	if t.extra != nil && t.extra.line != nil {
		q.line(t, now, front)
		return
	}
	q.enter(t, front)
}

// makeDelayed puts t, which is in no list, among the delayed ones, until at.
func (q *Queue) makeDelayed(t *task, at int64) {
	q.move(t, delayed)
	t.wall = false
	q.schedule(t, at)
	q.watchExpiry(t)
}

// makeDelayedUntil does so until a time of the wall clock, in Unix nanoseconds.
func (q *Queue) makeDelayedUntil(t *task, at int64) {
	q.move(t, delayed)
	t.wall, t.due = true, at
	q.etas.add(t)
	q.lookAtWall(at)
	q.watchExpiry(t)
}

// unlist takes a ready or delayed task out of its lane, line or heap.
func (q *Queue) unlist(t *task) {
	q.roomy = true
	q.forgetExpiry(t)
	switch {
	case t.state == delayed && t.wall:
		q.etas.remove(t)
	case t.state == delayed:
		q.due.remove(t)
	case t.level != nil:
		q.exit(t)
		q.leaveLane(t)
	default:
		t.extra.line.waiting.remove(t)
		q.blocked--
	}
}

// forget ends t, which is in no list, for good. What depends on its end is
// seen to by end.
func (q *Queue) forget(t *task) {
	q.roomy = true
	q.bytes -= t.size()
	q.leavePayload(t)
	if q.engine.log != nil {
		q.engine.cleaner.freed.Add(t.size())
	}
	q.move(t, absent)
	q.tasks.remove(t.id)
	q.dropKind(t.kind)
}

// unsettled is how many tasks Join waits for.
func (q *Queue) unsettled() int { return q.waiting() + q.n[leased] }

// waiting is how many tasks count against MaxLen.
func (q *Queue) waiting() int { return q.n[ready] + q.n[delayed] }

// used is how many bytes count against MaxBytes.
func (q *Queue) used() int64 { return q.bytes + q.uniques.bytes() + q.lineBytes }

// ended reports whether no consumer will get anything any more.
func (q *Queue) ended() bool { return q.shutdown && (q.immediate || q.unsettled() == 0) }

// drained reports whether nothing waits in a queue that was shut down.
func (q *Queue) drained() bool { return q.shutdown && q.waiting() == 0 }

func printable(s string) bool {
	for _, r := range s {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
