package queue_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// model is what is known of an engine from what was requested and told, and
// nothing else. Everything that is told is held against it.
type model struct {
	e       *queue.Engine
	start   time.Time
	queues  []*mQueue
	clients []*mClient // all there ever were
	tasks   []*mTask   // by number, which is the payload
	lastID  reeve.ID
	stopped bool
	history []string // what was done, for a failure

	mu     sync.Mutex // guards events
	events []event
}

type mQueue struct {
	*queue.Queue
	cfg                 reeve.QueueConfig
	waiting             []*mRequest         // puts and completes that were not answered, in order
	lastPlain           map[string]reeve.ID // by stream: that was handed over
	shutdown, immediate bool
	paused              bool
	deleted             bool
	usedAt              time.Duration // at least
	counts              mCounts
	uniques             map[string]mUnique
	starts              []time.Duration             // of hand-overs, with a rate
	deadIDs             map[reeve.ID]reeve.DeadTask // as the queue tells, after each step
}

// mCounts are numbers of [reeve.QueueStats].
type mCounts struct {
	put, done, dropped, skipped, snoozed, discarded, cancelled, expired, purged, duplicates, revived, movedIn, movedOut uint64
}

// mUnique is who has a unique key.
type mUnique struct {
	t     *mTask
	mode  reeve.UniqueMode
	until time.Duration
}

type mState uint8

const (
	requested mState = iota // put, or completed with, but not confirmed
	queued
	leased
	settled
	dead
	gone // ended otherwise: see mTask.end
)

// mTask is one task.
type mTask struct {
	n       int
	q       *mQueue
	id      reeve.ID // 0: not told yet
	source  reeve.ID
	length  int
	size    int64 // at least
	need    int64 // at most
	delay   time.Duration
	timeout time.Duration // 0: the queue's
	state   mState
	end     reeve.State // when it is gone or settled

	typ       string
	labels    []string
	priority  int32
	key       string
	attempts  int
	backoff   reeve.Backoff
	expire    time.Duration // not to be begun from then on; 0: never
	expiry    time.Duration // after its put
	unique    string
	mode      reeve.UniqueMode
	uniqueFor time.Duration
	holds     bool        // its key
	toldEnd   reeve.State // to who waits; held against the end it comes to
	moved     bool        // to where it is, whatever the bounds
	tellLost  *mClient    // is to be told that it was cancelled
	attempt   uint32
	due       time.Duration // not to be handed over before
	plain     bool          // was never delayed nor given back

	// While leased, or queued and claimable.
	by       *mClient
	consumer *mConsumer
	at, keep time.Duration
	began    time.Duration // its run time
	parked   *mRequest     // the Complete that waits; no run time meanwhile

	claimable        bool
	failed, timedOut int
	snoozed          int
	losses           int // at most: some count as returned
}

type mConsumer struct {
	c           *mClient
	q           *mQueue
	tag         uint64
	slots, used int
	want        reeve.GetOptions
	over        bool
	handle      *queue.Consumer
}

type mKind uint8

const (
	mPut mKind = iota
	mAck
	mNack
	mExtend
	mComplete
	mGet
	mJoin
	mWait
)

// mRequest is one request that is to be answered once.
type mRequest struct {
	kind      mKind
	tag       uint64
	c         *mClient
	q         *mQueue // of the task; of a put, where it goes
	to        *mQueue // where a put or a complete waits
	tasks     []*mTask
	noWait    bool
	id        reeve.ID
	attempt   uint32
	nack      queue.NackOp
	extend    time.Duration
	max       int
	want      reeve.GetOptions
	t         *mTask // that is waited for
	answered  bool
	cancelled bool
}

// mClient is one holder.
type mClient struct {
	*queue.Holder
	m         *model
	name      int
	always    bool
	heard     time.Duration
	gone      bool // Release or Leave was called
	deaf      bool // it has returned; guarded by model.mu
	requests  map[uint64]*mRequest
	consumers map[uint64]*mConsumer
}

// event is one thing that was told.
type event struct {
	at    time.Duration
	c     *mClient
	what  byte // 'r'eply, 'd'eliver, 'g'ot, 'e'nd, 'l'ost, 'w'aited for
	tag   uint64
	count int
	first reeve.ID
	queue string
	tasks []reeve.Task
	token reeve.Token
	end   reeve.Result
	err   error
}

func (m *model) now() time.Duration { return time.Since(m.start) }

func (m *model) fail(format string, args ...any) {
	panic(modelError(fmt.Sprintf(format, args...)))
}

type modelError string

func (c *mClient) tell(ev event) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if c.deaf {
		panic(fmt.Sprintf("client %d was told %q after its release", c.name, ev.what))
	}
	ev.at, ev.c = c.m.now(), c
	c.m.events = append(c.m.events, ev)
}

func (c *mClient) Reply(tag uint64, count int, first reeve.ID, err error) {
	c.tell(event{what: 'r', tag: tag, count: count, first: first, err: err})
}

func (c *mClient) Deliver(tag uint64, name string, t *reeve.Task) {
	c.tell(event{what: 'd', tag: tag, queue: name, tasks: []reeve.Task{*t}})
}

func (c *mClient) Got(tag uint64, name string, ts []reeve.Task, err error) {
	c.tell(event{what: 'g', tag: tag, queue: name, tasks: ts, err: err})
}

func (c *mClient) End(tag uint64, name string, err error) {
	c.tell(event{what: 'e', tag: tag, queue: name, err: err})
}

func (c *mClient) Lost(t reeve.Token, cause error) {
	c.tell(event{what: 'l', queue: t.Queue, token: t, err: cause})
}

func (c *mClient) Ended(tag uint64, r reeve.Result, err error) {
	c.tell(event{what: 'w', tag: tag, end: r, err: err})
}

func (c *mClient) Wake() {}

// absorb holds all that was told since against the model, then the queues'
// numbers.
func (m *model) absorb() {
	synctest.Wait() // what is over at this moment has ended
	for _, q := range m.queues {
		q.deadIDs = map[reeve.ID]reeve.DeadTask{}
		for _, d := range deadOf(q.Queue, 0, len(m.tasks)) {
			q.deadIDs[d.ID] = d
		}
	}
	m.mu.Lock()
	events := m.events
	m.events = nil
	m.mu.Unlock()
	for i := range events {
		ev := &events[i]
		m.pass(ev.at)
		switch ev.what {
		case 'r':
			for i := range uint64(ev.count) {
				first := ev.first
				m.reply(ev.c, ev.tag+i, first, ev.err, ev.at)
				if ev.first != 0 {
					ev.first++
				}
			}
		case 'd':
			c := ev.c.consumers[ev.tag]
			if c == nil || c.over || c.q.Name() != ev.queue {
				m.fail("a task for a consumer that is not there")
			}
			if c.used >= c.slots {
				m.fail("a consumer with %d of %d slots used was given a task", c.used, c.slots)
			}
			m.handedOver(c.q, ev.c, c, c.want, &ev.tasks[0], ev.at)
		case 'g':
			m.got(ev)
		case 'e':
			c := ev.c.consumers[ev.tag]
			if c == nil || c.over && !ev.c.gone { // who is being released may still be told
				m.fail("the end of a consumer that is not there")
			}
			m.mayEnd(c.q, ev.err)
			c.over = true
		case 'l':
			m.lost(ev)
		case 'w':
			m.waited(ev)
		}
	}
	m.pass(m.now())
	m.vanish()
	for _, q := range m.queues {
		m.compare(q)
	}
}

// pass lets those leases end that nobody is told about, because their holder
// left.
func (m *model) pass(now time.Duration) {
	for _, t := range m.tasks {
		if t.state == leased && t.by.gone {
			if end, run := t.leaseEnd(), t.runEnd(); min(end, run) <= now {
				t.unlease()
				m.giveBack(t, run <= end, min(end, run))
			}
		}
		if t.state == queued && t.expire != 0 && t.expire <= now {
			t.q.counts.expired++
			m.finish(t, reeve.StateExpired)
		}
	}
}

const never = time.Duration(1<<63 - 1)

// leaseEnd is when t's lease ends if nothing is heard of its holder.
func (t *mTask) leaseEnd() time.Duration {
	if t.by.always {
		return never
	}
	return t.q.LookAt(max(max(t.at, t.by.heard)+t.q.cfg.Lease, t.keep))
}

func (t *mTask) runEnd() time.Duration {
	if t.runTime() == 0 || t.parked != nil {
		return never
	}
	return t.began + t.runTime() + queue.TimeoutGrace
}

// runTime is how long an attempt at t may run; 0: as long as it takes.
func (t *mTask) runTime() time.Duration { return cmp.Or(t.timeout, t.q.cfg.Timeout) }

// giveBack ends the lease of t that was lost, or that ran out of time.
func (m *model) giveBack(t *mTask, timedOut bool, now time.Duration) {
	switch {
	case t.q.immediate:
		m.drop(t)
	case timedOut:
		t.timedOut++
		m.retry(t, now, t.backoffOf(), true)
	default:
		t.losses++
		if d, ok := t.q.deadIDs[t.id]; ok && d.Attempt == t.attempt {
			m.die(t)
			return
		}
		t.state, t.claimable, t.due, t.plain = queued, true, now, false
	}
}

// retry makes t, whose attempt did not succeed, wait for the next, or dead.
func (m *model) retry(t *mTask, now, delay time.Duration, failed bool) {
	t.claimable, t.plain, t.state = false, false, queued
	spent := t.failed + t.timedOut
	if t.q.cfg.CountSnoozed {
		spent += t.snoozed
	}
	if failed && spent >= cmp.Or(t.attempts, t.q.cfg.Attempts) {
		m.die(t)
		return
	}
	t.due = now + delay
}

// backoffOf is the wait before the next attempt at t, which failed.
func (t *mTask) backoffOf() time.Duration {
	b := t.backoff
	if b == (reeve.Backoff{}) {
		b = t.q.cfg.Backoff
	}
	spent := t.failed + t.timedOut
	if t.q.cfg.CountSnoozed {
		spent += t.snoozed
	}
	return b.Wait(spent, 0.5)
}

func (m *model) die(t *mTask) {
	t.state, t.holds, t.claimable = dead, false, false
	m.freeUnique(t, false)
}

func (m *model) drop(t *mTask) {
	t.q.counts.dropped++
	m.finish(t, reeve.StatePurged)
}

// finish ends t for good.
func (m *model) finish(t *mTask, end reeve.State) {
	t.state, t.end, t.claimable, t.holds = gone, end, false, false
	if end == reeve.StateDone {
		t.state = settled
		t.q.counts.done++
	}
	m.freeUnique(t, false)
}

// freeUnique gives the key of t back. started: its first attempt begins.
func (m *model) freeUnique(t *mTask, started bool) {
	if u, ok := t.q.uniques[t.unique]; ok && u.t == t && u.mode != reeve.UniqueForTime && (!started || u.mode == reeve.UniqueUntilStart) {
		delete(t.q.uniques, t.unique)
	}
}

// takeUnique gives t its key, if that is free.
func (m *model) takeUnique(t *mTask, at time.Duration) {
	if t.unique == "" || m.uniqueHolder(t.q, t.unique, at) != nil {
		return
	}
	u := mUnique{t: t, mode: t.mode, until: never}
	if t.mode == reeve.UniqueForTime && t.uniqueFor > 0 {
		u.until = at + t.uniqueFor
	}
	t.q.uniques[t.unique] = u
}

// uniqueHolder is the task that has the key; nil: none.
func (m *model) uniqueHolder(q *mQueue, key string, at time.Duration) *mTask {
	if u, ok := q.uniques[key]; ok && at < u.until {
		return u.t
	}
	return nil
}

func (t *mTask) unlease() {
	if t.consumer != nil {
		t.consumer.used--
		t.consumer = nil
	}
	t.parked = nil
}

func (m *model) task(q *mQueue, payload []byte) *mTask {
	n, err := strconv.Atoi(string(payload[:8]))
	if err != nil || n >= len(m.tasks) {
		m.fail("a payload that nobody put: %q", payload)
	}
	t := m.tasks[n]
	if t.q != q || len(payload) != t.length {
		m.fail("task %d came out of queue %s with %d bytes", n, q.Name(), len(payload))
	}
	return t
}

// handedOver is one hand-over.
func (m *model) handedOver(q *mQueue, c *mClient, to *mConsumer, want reeve.GetOptions, d *reeve.Task, at time.Duration) {
	t := m.task(q, d.Payload)
	switch {
	case m.stopped:
		m.fail("task %d was handed over after Stop", t.n)
	case t.state != queued:
		m.fail("task %d was handed over in state %d", t.n, t.state)
	case d.Attempt != t.attempt+1:
		m.fail("task %d was handed over as attempt %d after %d", t.n, d.Attempt, t.attempt)
	case t.id != 0 && d.ID != t.id || d.ID == 0:
		m.fail("task %d has id %v and came with %v", t.n, t.id, d.ID)
	case d.Source != t.source || d.Timeout != t.runTime() || d.Type != t.typ || d.Priority != t.priority:
		m.fail("task %d came as %+v", t.n, d)
	case at < t.due:
		m.fail("task %d was handed over at %v, it is due at %v", t.n, at, t.due)
	case !c.always && c.heard+q.cfg.Lease <= at:
		m.fail("task %d was handed over to a silent client", t.n)
	case t.plain && t.key == "" && !q.cfg.LIFO && d.ID <= q.lastPlain[t.stream()]:
		m.fail("task %d with id %v was handed over after %v", t.n, d.ID, q.lastPlain[t.stream()])
	}
	t.id = d.ID
	m.allowed(t, to, want, at)
	if t.plain {
		q.lastPlain[t.stream()] = d.ID
	}
	m.freeUnique(t, true)
	t.attempt = d.Attempt
	m.lease(t, c, to, at)
}

func (m *model) lease(t *mTask, c *mClient, to *mConsumer, at time.Duration) {
	t.state, t.claimable, t.plain, t.holds = leased, false, false, true
	t.by, t.consumer, t.at, t.began, t.keep, t.parked = c, to, at, at, 0, nil
	if to != nil {
		to.used++
	}
}

func (m *model) got(ev *event) {
	r := m.answered(ev.c, ev.tag)
	if r.kind != mGet || r.q.Name() != ev.queue {
		m.fail("an answer to a Get for request %d", ev.tag)
	}
	switch {
	case ev.err == nil:
		if len(ev.tasks) == 0 || len(ev.tasks) > r.max {
			m.fail("%d tasks for a Get of up to %d", len(ev.tasks), r.max)
		}
		for i := range ev.tasks {
			m.handedOver(r.q, ev.c, nil, r.want, &ev.tasks[i], ev.at)
		}
	case errors.Is(ev.err, reeve.ErrEmpty) && r.noWait:
	case errors.Is(ev.err, errCancelled) && r.cancelled:
	case errors.Is(ev.err, reeve.ErrInvalid) && (r.max < 1 || r.max > reeve.MaxBatch):
	default:
		m.mayEnd(r.q, ev.err)
	}
}

// mayEnd checks that consumers of q may be told err.
func (m *model) mayEnd(q *mQueue, err error) {
	switch {
	case errors.Is(err, reeve.ErrClosed) && m.stopped:
	case errors.Is(err, reeve.ErrNoSuchQueue) && q.deleted:
	case errors.Is(err, reeve.ErrShutdown) && q.shutdown && (q.immediate || m.unsettled(q) == 0):
	default:
		m.fail("queue %s ended with %v; shutdown %v, %d unsettled", q.Name(), err, q.shutdown, m.unsettled(q))
	}
}

func (m *model) lost(ev *event) {
	for _, t := range m.tasks {
		if t.id != ev.token.ID {
			continue
		}
		if errors.Is(ev.err, reeve.ErrCancelled) || t.q.deleted && ev.err == reeve.ErrLeaseLost {
			if t.tellLost != ev.c || t.attempt != ev.token.Attempt {
				m.fail("task %d was told to be cancelled, or gone with its queue, to client %d", t.n, ev.c.name)
			}
			t.tellLost = nil
			return
		}
		if t.state != leased || t.by != ev.c || t.attempt != ev.token.Attempt {
			m.fail("task %d was told to be lost, it is in state %d at attempt %d", t.n, t.state, t.attempt)
		}
		run := errors.Is(ev.err, reeve.ErrTimeout)
		want := t.leaseEnd()
		if run {
			want = t.runEnd()
		}
		if ev.at != want {
			m.fail("the lease of task %d ended at %v with %v, want %v", t.n, ev.at, ev.err, want)
		}
		t.unlease()
		m.giveBack(t, run, ev.at)
		return
	}
	m.fail("unknown task %v was told to be lost", ev.token.ID)
}

// answered notes that the request tag of c was answered.
func (m *model) answered(c *mClient, tag uint64) *mRequest {
	r := c.requests[tag]
	if r == nil {
		m.fail("client %d was answered to request %d, which it did not make", c.name, tag)
	}
	if r.answered {
		m.fail("client %d was answered twice to request %d", c.name, tag)
	}
	r.answered = true
	return r
}

// holds reports whether the token (id, attempt) may end a lease of q.
func (m *model) holds(q *mQueue, id reeve.ID, attempt uint32) *mTask {
	for _, t := range m.tasks {
		if t.q == q && t.id == id && t.attempt == attempt && (t.state == leased || t.claimable) {
			return t
		}
	}
	return nil
}

// free takes a held task from its holder, or its loss back.
func (t *mTask) free() {
	if t.state == leased {
		t.unlease()
	} else {
		t.losses--
		t.claimable = false
	}
}

func (m *model) reply(c *mClient, tag uint64, first reeve.ID, err error, at time.Duration) {
	r := m.answered(c, tag)
	if r.to != nil {
		m.leaveLine(r, err)
	}
	if r.kind == mPut {
		m.putReply(r, first, err, at)
		return
	}
	if r.kind == mWait {
		m.fail("a Wait was answered as other requests are")
	}
	if r.kind == mJoin {
		switch {
		case err == nil && m.unsettled(r.q) == 0:
		case errors.Is(err, errCancelled) && r.cancelled:
		case errors.Is(err, reeve.ErrClosed) && m.stopped:
		case errors.Is(err, reeve.ErrNoSuchQueue) && r.q.deleted:
		default:
			m.fail("a Join of %s was answered with %v; %d unsettled", r.q.Name(), err, m.unsettled(r.q))
		}
		return
	}
	t := m.holds(r.q, r.id, r.attempt)
	switch {
	case err == nil && t != nil:
	case errors.Is(err, reeve.ErrLeaseLost) && (t == nil || r.kind == mExtend && t.claimable && m.crowded(t)):
		return
	case r.kind == mComplete && m.mayRefuse(r, err):
		if t != nil && t.parked == r { // the run time begins again
			t.parked, t.began = nil, at
		}
		return
	default:
		m.fail("request %d of client %d (kind %d): %v; held: %v", tag, c.name, r.kind, err, t != nil)
	}
	switch r.kind {
	case mAck:
		t.free()
		m.finish(t, reeve.StateDone)
	case mComplete:
		t.free()
		m.finish(t, reeve.StateDone)
		if len(r.tasks) > 0 {
			r.tasks[0].source = t.id
			m.confirm(r.tasks[0], 0, at)
		}
	case mExtend:
		if t.state != leased {
			t.free()
			m.lease(t, c, nil, at)
		}
		t.keep = max(t.keep, at+r.extend)
	case mNack:
		t.free()
		m.nacked(t, &r.nack, at)
	}
}

// nacked is the end of an attempt at t, which its holder has told.
func (m *model) nacked(t *mTask, op *queue.NackOp, at time.Duration) {
	switch {
	case op.Skip:
		t.q.counts.skipped++
		m.finish(t, reeve.StateDone)
	case op.Discard:
		t.q.counts.discarded++
		m.finish(t, reeve.StateDiscarded)
	case t.q.immediate:
		m.drop(t)
	case op.Bury:
		m.die(t)
	case op.Returned:
		t.state, t.plain, t.due = queued, false, at
	case op.Snooze:
		t.snoozed++
		t.q.counts.snoozed++
		m.retry(t, at, op.Delay, t.q.cfg.CountSnoozed)
	default:
		if op.TimedOut {
			t.timedOut++
		} else {
			t.failed++
		}
		m.retry(t, at, cmp.Or(op.Delay, t.backoffOf()), true)
	}
}

// leaveLine takes a put or a complete out of the line before its queue. Only
// the first may succeed.
func (m *model) leaveLine(r *mRequest, err error) {
	line := &r.to.waiting
	i := slices.Index(*line, r)
	if err == nil {
		for _, earlier := range (*line)[:i] {
			if !earlier.c.gone {
				m.fail("request %d of client %d overtook %d of client %d into %s", r.tag, r.c.name, earlier.tag, earlier.c.name, r.to.Name())
			}
		}
	}
	*line = slices.Delete(*line, i, i+1)
}

// mayRefuse reports whether err is a good reason not to let r into its queue.
func (m *model) mayRefuse(r *mRequest, err error) bool {
	var size int64
	for _, t := range r.tasks {
		size += t.need
	}
	cfg := r.to.cfg
	switch {
	case errors.Is(err, errCancelled):
		return r.cancelled
	case errors.Is(err, reeve.ErrClosed):
		return m.stopped
	case errors.Is(err, reeve.ErrNoSuchQueue):
		return r.to.deleted
	case errors.Is(err, reeve.ErrShutdown):
		return r.to.shutdown
	case errors.Is(err, reeve.ErrTooLarge):
		return cfg.MaxLen > 0 && len(r.tasks) > cfg.MaxLen || size > cfg.MaxBytes
	case errors.Is(err, reeve.ErrQueueFull):
		return r.noWait || cfg.Refuse
	}
	return false
}

func (m *model) putReply(r *mRequest, first reeve.ID, err error, at time.Duration) {
	if errors.Is(err, reeve.ErrDuplicate) && len(r.tasks) == 1 {
		by := m.uniqueHolder(r.q, r.tasks[0].unique, at)
		if r.tasks[0].unique == "" || by == nil || by.id != first {
			m.fail("put %d into %s is a duplicate of %v; %q is taken by %+v", r.tag, r.to.Name(), first, r.tasks[0].unique, by)
		}
		r.q.counts.duplicates++
		return
	}
	if err != nil {
		if first != 0 || !m.mayRefuse(r, err) {
			m.fail("put %d into %s: %v", r.tag, r.to.Name(), err)
		}
		return
	}
	if m.stopped || r.to.shutdown {
		m.fail("a put into %s, which takes none any more", r.to.Name())
	}
	for i, t := range r.tasks {
		m.confirm(t, first+reeve.ID(i), at)
	}
}

// confirm notes that t was put; id 0: as a result.
func (m *model) confirm(t *mTask, id reeve.ID, at time.Duration) {
	if id != 0 && id <= m.lastID {
		m.fail("id %v was given out after %v", id, m.lastID)
	}
	m.lastID = max(m.lastID, id)
	t.id, t.state, t.due, t.plain = id, queued, at+t.delay, t.delay == 0
	t.q.counts.put++
	if t.expiry > 0 {
		t.expire = at + t.expiry
	}
	if t.unique != "" {
		if by := m.uniqueHolder(t.q, t.unique, at); by != nil {
			m.fail("task %d was put, its key %q is taken by task %d in state %d, mode %v, at attempt %d", t.n, t.unique, by.n, by.state, by.mode, by.attempt)
		}
		m.takeUnique(t, at)
	}
}

// waited is the answer to a Wait.
func (m *model) waited(ev *event) {
	r := m.answered(ev.c, ev.tag)
	t := r.t
	switch {
	case r.kind != mWait:
		m.fail("the end of a task for request %d", ev.tag)
	case ev.err == nil && ev.end.ID == t.id && ev.end.Queue == t.q.Name() && ev.end.Type == t.typ:
		t.toldEnd = ev.end.State // held against what it comes to
	case errors.Is(ev.err, reeve.ErrNoSuchTask) && t.state >= settled && t.state != dead:
	case errors.Is(ev.err, errCancelled) && r.cancelled:
	case errors.Is(ev.err, reeve.ErrClosed) && m.stopped:
	default:
		m.fail("a Wait for task %d in state %d was answered with %+v, %v", t.n, t.state, ev.end, ev.err)
	}
}
