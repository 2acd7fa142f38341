package queue_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

var (
	modelSeed   = flag.Uint64("model.seed", 1, "first seed of the model test; 0: by the clock")
	modelRounds = flag.Int("model.rounds", 100, "rounds of the model test, one seed each")
	modelTail   = flag.Int("model.tail", 25, "how many of the last steps a failure tells")
	modelSteps  = flag.Int("model.steps", 400, "steps of a round")
)

var errCancelled = errors.New("cancelled by the test")

func TestModel_RandomOperationsKeepEveryPromise(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
		fmt.Fprintln(os.Stderr, "model.seed", seed) // a panic of the clock would not tell it
	}
	for i := range *modelRounds {
		seed := seed + uint64(i)
		synctest.Test(t, func(t *testing.T) { modelRound(t, seed) })
	}
}

func modelRound(t *testing.T, seed uint64) {
	e := queue.New(queue.Config{})
	r := &round{
		model: &model{e: e, start: time.Now()},
		rnd:   rand.New(rand.NewPCG(seed, 0)),
	}
	defer func() {
		p := recover()
		if p != nil {
			h := r.history
			text := fmt.Sprintf("-model.seed=%d: %v\nafter %d steps, the last:\n%s", seed, p, len(h), strings.Join(h[max(0, len(h)-*modelTail):], "\n"))
			if _, ours := p.(modelError); !ours { // a queue may be locked for ever
				fmt.Fprintln(os.Stderr, text)
				panic(p)
			}
			t.Error(text)
		}
		e.Close()
		if p != nil {
			t.FailNow()
		}
	}()
	for i := range 3 {
		r.declare(i)
	}
	for range *modelSteps {
		r.step()
	}
	r.finish()
}

// round is one run of random operations.
type round struct {
	*model
	rnd *rand.Rand
	tag uint64
}

func (r *round) chance(percent int) bool { return r.rnd.IntN(100) < percent }

func (r *round) note(format string, args ...any) {
	r.history = append(r.history, fmt.Sprintf("%12v  ", r.now())+fmt.Sprintf(format, args...))
}

func pick[T any](r *round, from []T) T { return from[r.rnd.IntN(len(from))] }

func (r *round) declare(i int) {
	cfg := reeve.QueueConfig{
		MaxLen:         pick(r, []int{0, 1, 3, 8}),
		MaxBytes:       pick(r, []int64{0, 2500, 8000}),
		Refuse:         r.chance(15),
		Lease:          pick(r, []time.Duration{time.Second, 3 * time.Second}),
		Timeout:        pick(r, []time.Duration{0, 0, time.Second, 2500 * time.Millisecond}),
		Attempts:       1 + r.rnd.IntN(4),
		CountSnoozed:   r.chance(30),
		KeyConcurrency: pick(r, []int{1, 1, 2, reeve.NoLimit}),
	}
	if r.chance(20) {
		cfg.LIFO = true
	}
	if r.chance(20) {
		cfg.Ageing = pick(r, []time.Duration{time.Millisecond, time.Second})
	}
	if r.chance(30) {
		cfg.Reserve = reeve.Reserve{Slots: 1 + r.rnd.IntN(2), Priority: 1}
	}
	if r.chance(30) {
		cfg.Concurrency = 1 + r.rnd.IntN(5)
	}
	if r.chance(30) {
		cfg.TypeConcurrency = map[string]int{"b": 1 + r.rnd.IntN(2)}
	}
	if r.chance(20) {
		cfg.Rate = reeve.Rate{Tasks: 10, Burst: 1 + r.rnd.IntN(3)}
	}
	if r.chance(40) {
		cfg.Backoff = reeve.Backoff{Base: 200 * time.Millisecond, Jitter: reeve.NoJitter, Max: time.Second}
	}
	if r.chance(40) {
		cfg.KeepResult = 2 * time.Second
	}
	if r.chance(30) {
		cfg.IdleTTL = pick(r, []time.Duration{time.Second, 1500 * time.Millisecond})
	}
	r.note("declare q%d %+v", i, cfg)
	r.queues = append(r.queues, r.declareQueue(fmt.Sprint("q", i), cfg))
}

// client returns one that is there, a new one now and then.
func (r *round) client() *mClient {
	var there []*mClient
	for _, c := range r.clients {
		if !c.gone {
			there = append(there, c)
		}
	}
	if len(there) < 2 || len(there) < 5 && r.chance(3) {
		c := &mClient{
			m: r.model, name: len(r.clients), always: r.chance(10), heard: r.now(),
			requests: map[uint64]*mRequest{}, consumers: map[uint64]*mConsumer{},
		}
		c.Holder = r.e.NewHolder(c, c.always)
		r.clients = append(r.clients, c)
		return c
	}
	return pick(r, there)
}

// asks is a client that is about to make a request, which shows it to be alive.
func (r *round) asks() *mClient {
	c := r.client()
	c.heard = r.now()
	return c
}

func (r *round) newTag(n int) uint64 {
	r.tag += uint64(n)
	return r.tag - uint64(n) + 1
}

func (r *round) request(c *mClient, tag uint64, req mRequest) *mRequest {
	req.tag, req.c = tag, c
	p := &req
	c.requests[tag] = p
	if p.to != nil {
		p.to.waiting = append(p.to.waiting, p)
	}
	return p
}

// newTask makes a task for q; own: it may be found to be a duplicate.
func (r *round) newTask(q *mQueue, own bool) (*mTask, reeve.Task) {
	pad := r.rnd.IntN(300)
	if r.chance(2) {
		pad = 3000
	}
	t := &mTask{n: len(r.tasks), q: q, length: 8 + pad}
	r.tasks = append(r.tasks, t)
	task := reeve.Task{Payload: fmt.Appendf(nil, "%08d%s", t.n, strings.Repeat(".", pad))}
	if r.chance(50) {
		task.Type = pick(r, []string{"a", "b", "c"})
	}
	if r.chance(40) {
		task.Priority = int32(r.rnd.IntN(4)) - 1
	}
	if r.chance(15) {
		task.Delay = time.Duration(1+r.rnd.IntN(3000)) * time.Millisecond
		t.delay = task.Delay
	}
	if r.chance(10) {
		task.Timeout = time.Duration(1+r.rnd.IntN(2000)) * time.Millisecond
		t.timeout = task.Timeout
	}
	t.typ, t.priority = task.Type, task.Priority
	t.size = int64(t.length+len(t.typ)) + reeve.TaskOverhead
	t.need = t.size
	if r.chance(60) {
		task.Rules = r.newRules(t, own)
		t.need += reeve.TaskOverhead + int64(len(t.key)+2*len(t.unique)) + 200
	}
	return t, task
}

func (r *round) newRules(t *mTask, own bool) *reeve.Rules {
	rules := &reeve.Rules{}
	if r.chance(50) {
		t.key = pick(r, []string{"k", "l", "m"})
	}
	if own && r.chance(30) {
		t.unique, t.mode = pick(r, []string{"u", "v", "w"}), reeve.UniqueMode(r.rnd.IntN(3))
		if t.mode == reeve.UniqueForTime {
			t.uniqueFor = time.Duration(1+r.rnd.IntN(3000)) * time.Millisecond
		}
	}
	if r.chance(20) {
		t.labels = pick(r, [][]string{{"x"}, {"y"}, {"x", "y"}})
	}
	if r.chance(20) {
		t.attempts = 1 + r.rnd.IntN(5)
	}
	if r.chance(20) {
		t.backoff = reeve.Backoff{Base: time.Duration(1+r.rnd.IntN(900)) * time.Millisecond, Jitter: reeve.NoJitter}
	}
	if r.chance(20) {
		t.expiry = time.Duration(1+r.rnd.IntN(5000)) * time.Millisecond
		rules.Expiry = t.expiry
	}
	rules.Key, rules.Labels, rules.Attempts, rules.Backoff = t.key, t.labels, t.attempts, t.backoff
	rules.Unique, rules.UniqueMode, rules.UniqueFor = t.unique, t.mode, t.uniqueFor
	return rules
}

// newWant makes wishes.
func (r *round) newWant() (want reeve.GetOptions) {
	if r.chance(40) {
		want.Types = pick(r, [][]string{{""}, {"a", "b"}, {"b", ""}, {"", "a", "b", "c"}})
	}
	want.Labels = pick(r, [][]string{nil, {"x"}, {"y", "x"}})
	return want
}

// token picks a token of q: mostly one that stands, now and then an old one.
func (r *round) token(q *mQueue) (id reeve.ID, attempt uint32, ok bool) {
	var standing, known []*mTask
	for _, t := range r.tasks {
		if t.q != q || t.attempt == 0 {
			continue
		}
		known = append(known, t)
		if t.state == leased || t.claimable {
			standing = append(standing, t)
		}
	}
	if len(known) == 0 {
		return 0, 0, false
	}
	if len(standing) > 0 && r.chance(85) {
		t := pick(r, standing)
		return t.id, t.attempt, true
	}
	t := pick(r, known)
	return t.id, 1 + r.rnd.Uint32N(t.attempt+1), true
}

func (r *round) step() {
	ops := []struct {
		weight int
		do     func()
	}{
		{22, r.doPut}, {8, r.doGet}, {4, r.doConsume}, {4, r.doSetSlots}, {1, r.doClose},
		{12, r.doAck}, {10, r.doNack}, {12, r.doComplete}, {4, r.doExtend}, {4, r.doClaim},
		{2, func() { r.doRelease(false) }}, {1, func() { r.doRelease(true) }}, {1, r.doLeave},
		{4, r.doCancel}, {8, r.doTouch}, {14, r.doSleep}, {1, r.doJoin},
		{4, r.doWait}, {3, r.doCancelTask}, {1, r.doCancelAll}, {2, r.doPause}, {1, r.doRevive}, {1, r.doPurge}, {2, r.doMove}, {3, r.doFinish},
		{1, r.doDelete},
	}
	n := 0
	for _, op := range ops {
		n += op.weight
	}
	n = r.rnd.IntN(n)
	for _, op := range ops {
		if n -= op.weight; n < 0 {
			op.do()
			break
		}
	}
	if r.rnd.IntN(2000) == 0 {
		r.doShutdown(pick(r, r.queues), r.chance(50))
	}
	r.absorb()
}

func (r *round) doPut() {
	q, c := pick(r, r.queues), r.asks()
	n, each, noWait := 1+r.rnd.IntN(4), r.chance(40), r.chance(20)
	op := &queue.PutOp{Each: each, NoWait: noWait, By: c}
	var ts []*mTask
	for range n {
		t, task := r.newTask(q, each || n == 1)
		ts, op.Tasks = append(ts, t), append(op.Tasks, task)
	}
	if each {
		op.Tag = r.newTag(n)
		for i := range ts {
			r.request(c, op.Tag+uint64(i), mRequest{kind: mPut, q: q, to: q, tasks: ts[i : i+1], noWait: noWait})
		}
	} else {
		op.Tag = r.newTag(1)
		r.request(c, op.Tag, mRequest{kind: mPut, q: q, to: q, tasks: ts, noWait: noWait})
	}
	r.note("client %d puts %d from %d on into %s, each %v, nowait %v, tag %d", c.name, n, ts[0].n, q.Name(), each, noWait, op.Tag)
	q.Put(c.Holder, op)
	clear(op.Tasks) // the caller's again
	*op = queue.PutOp{}
}

func (r *round) doGet() {
	q, c := pick(r, r.queues), r.asks()
	op := &queue.GetOp{Max: 1 + r.rnd.IntN(5), NoWait: r.chance(60), Tag: r.newTag(1), Want: r.newWant()}
	r.request(c, op.Tag, mRequest{kind: mGet, q: q, max: op.Max, noWait: op.NoWait, want: op.Want})
	r.note("client %d gets %d of %s, nowait %v, tag %d: %+v", c.name, op.Max, q.Name(), op.NoWait, op.Tag, op.Want)
	q.Get(c.Holder, op)
}

func (r *round) doConsume() {
	q, c := pick(r, r.queues), r.asks()
	k := &mConsumer{c: c, q: q, tag: r.newTag(1), slots: r.rnd.IntN(4), want: r.newWant()}
	c.consumers[k.tag] = k
	r.note("client %d consumes %s with %d slots: %+v", c.name, q.Name(), k.slots, k.want)
	if k.handle = q.Consume(c.Holder, k.tag, k.slots, k.want); k.handle == nil {
		r.fail("no consumer")
	}
}

func (r *round) consumer(c *mClient, q *mQueue) *mConsumer {
	for tag := range r.tag + 1 { // in order: maps would make the run differ
		if k := c.consumers[tag]; k != nil && !k.over && (q == nil || k.q == q) {
			return k
		}
	}
	return nil
}

func (r *round) doSetSlots() {
	c := r.client()
	if k := r.consumer(c, nil); k != nil {
		c.heard = r.now()
		k.slots = r.rnd.IntN(4)
		r.note("client %d: %d slots on %s", c.name, k.slots, k.q.Name())
		k.handle.SetSlots(k.slots)
	}
}

func (r *round) doClose() {
	if k := r.consumer(r.client(), nil); k != nil {
		k.over = true
		r.note("client %d closes its consumer of %s", k.c.name, k.q.Name())
		k.handle.Close()
	}
}

func (r *round) doAck() {
	q, c := pick(r, r.queues), r.asks()
	var ops []queue.AckOp
	for range 1 + r.rnd.IntN(3) {
		if id, attempt, ok := r.token(q); ok {
			ops = append(ops, queue.AckOp{ID: id, Attempt: attempt})
		}
	}
	tag := r.newTag(len(ops))
	for i, op := range ops {
		r.request(c, tag+uint64(i), mRequest{kind: mAck, q: q, id: op.ID, attempt: op.Attempt})
	}
	r.note("client %d acks %v of %s, tag %d", c.name, ops, q.Name(), tag)
	q.Ack(c.Holder, ops, tag, c)
}

func (r *round) doNack() {
	q := pick(r, r.queues)
	id, attempt, ok := r.token(q)
	if !ok {
		return
	}
	c := r.asks()
	op := queue.NackOp{ID: id, Attempt: attempt, Error: "no", Stack: "at"}
	switch r.rnd.IntN(12) {
	case 6:
		op.Skip = true
	case 7:
		op.Discard = true
	case 8:
		op.Snooze = true
	case 9:
		op.Snooze, op.Delay = true, time.Duration(1+r.rnd.IntN(3000))*time.Millisecond
	case 0:
		op.Bury = true
	case 1:
		op.TimedOut = true
	case 2, 3:
		op.Returned = true
	case 4:
		op.Delay = time.Duration(1+r.rnd.IntN(3000)) * time.Millisecond
	case 5:
		op.Stack = strings.Repeat("s", 5000)
	}
	tag := r.newTag(1)
	r.request(c, tag, mRequest{kind: mNack, q: q, id: id, attempt: attempt, nack: op})
	op.Error, op.Stack = "", ""
	r.note("client %d nacks %v of %s: %+v", c.name, id, q.Name(), op)
	op.Error = "no"
	q.Nack(c.Holder, &op, tag, c)
}

func (r *round) doComplete() {
	q, to, c := pick(r, r.queues), pick(r, r.queues), r.asks()
	var ops []queue.CompleteOp
	var reqs []*mRequest
	for range 1 + r.rnd.IntN(3) {
		id, attempt, ok := r.token(q)
		if !ok {
			break
		}
		t, result := r.newTask(to, false)
		op := queue.CompleteOp{ID: id, Attempt: attempt, Result: result, Tag: r.newTag(1), By: c}
		ops = append(ops, op)
		reqs = append(reqs, r.request(c, op.Tag, mRequest{kind: mComplete, q: q, to: to, tasks: []*mTask{t}, id: id, attempt: attempt}))
		r.note("client %d completes %v/%d of %s with %d into %s, tag %d", c.name, id, attempt, q.Name(), t.n, to.Name(), op.Tag)
	}
	q.Complete(c.Holder, to.Queue, ops)
	clear(ops) // the caller's again
	r.absorbParked(reqs)
}

// absorbParked notes which Completes wait: their attempts have no run time.
func (r *round) absorbParked(reqs []*mRequest) {
	r.absorb()
	for _, req := range reqs {
		if t := r.holds(req.q, req.id, req.attempt); !req.answered && t != nil && t.state == leased {
			t.parked = req
		}
	}
}

func (r *round) doExtend() {
	q := pick(r, r.queues)
	id, attempt, ok := r.token(q)
	if !ok {
		return
	}
	c := r.asks()
	d, tag := time.Duration(1+r.rnd.IntN(9000))*time.Millisecond, r.newTag(1)
	r.request(c, tag, mRequest{kind: mExtend, q: q, id: id, attempt: attempt, extend: d})
	r.note("client %d extends %v/%d of %s by %v", c.name, id, attempt, q.Name(), d)
	q.Extend(c.Holder, id, attempt, d, tag, c)
}

func (r *round) doClaim() {
	q := pick(r, r.queues)
	id, attempt, ok := r.token(q)
	if !ok {
		return
	}
	c := r.asks()
	c.Touch() // what it brings comes before what follows
	r.absorb()
	var handle *queue.Consumer
	k := r.consumer(c, q)
	if k != nil {
		handle = k.handle
	}
	kept := q.Claim(c.Holder, handle, []queue.AckOp{{ID: id, Attempt: attempt}})[0]
	r.note("client %d claims %v/%d of %s, consumer %v: %v", c.name, id, attempt, q.Name(), k != nil, kept)
	t := r.holds(q, id, attempt)
	if want := t != nil && (t.claimable && !r.crowded(t) || t.state == leased && (t.by == c || t.by.gone)); kept != want {
		r.fail("kept %v, want %v: %+v", kept, want, t)
	}
	switch {
	case !kept:
	case t.state == leased && t.by == c:
		if t.consumer == nil && k != nil {
			t.consumer = k
			k.used++
		}
	default:
		t.free()
		r.lease(t, c, k, r.now())
	}
}

// doRelease ends a client, whose leases are lost or, with returned, given back.
func (r *round) doRelease(returned bool) { r.release(r.client(), returned) }

func (r *round) release(c *mClient, returned bool) {
	r.note("client %d is released, returned %v", c.name, returned)
	c.gone = true
	c.Release(returned)
	r.mu.Lock()
	c.deaf = true
	completed := map[reeve.ID]bool{} // by a Complete that was let in meanwhile
	for _, ev := range r.events {
		if req := ev.c.requests[ev.tag]; ev.what == 'r' && ev.err == nil && req.kind == mComplete {
			completed[req.id] = true
		}
	}
	r.mu.Unlock()
	r.forgetQueueView()
	for _, t := range r.tasks {
		if t.state != leased || t.by != c || completed[t.id] && (returned || t.q.immediate) {
			continue
		}
		if completed[t.id] {
			t.expire = 0 // it did not come to that
		}
		t.unlease()
		switch {
		case !returned:
			r.giveBack(t, false, r.now())
		case t.q.immediate:
			r.drop(t)
		default:
			t.state, t.plain, t.due = queued, false, r.now()
		}
	}
	r.over(c)
}

// forgetQueueView reads anew which tasks are dead.
func (r *round) forgetQueueView() {
	for _, q := range r.queues {
		q.deadIDs = map[reeve.ID]reeve.DeadTask{}
		for _, d := range deadOf(q.Queue, 0, len(r.tasks)) {
			q.deadIDs[d.ID] = d
		}
	}
}

func (r *round) doLeave() {
	if c := r.client(); !c.always {
		r.leave(c)
	}
}

func (r *round) leave(c *mClient) {
	r.note("client %d leaves", c.name)
	c.gone = true
	c.Leave()
	r.mu.Lock()
	c.deaf = true
	r.mu.Unlock()
	r.over(c)
}

func (r *round) over(c *mClient) {
	for _, k := range c.consumers {
		k.over = true
	}
	r.absorb()
	for _, q := range r.queues {
		line := q.waiting[:0]
		for _, req := range q.waiting {
			if req.c != c {
				line = append(line, req)
			}
		}
		q.waiting = line
	}
}

func (r *round) doCancel() {
	c := r.client()
	if r.tag == 0 {
		return
	}
	tag := 1 + r.rnd.Uint64N(r.tag)
	for t := range r.tag { // rather one that waits
		if req := c.requests[t]; req != nil && !req.answered {
			tag = t
			break
		}
	}
	req := c.requests[tag]
	waits := req != nil && !req.answered
	if req != nil {
		req.cancelled = true
	}
	r.note("client %d cancels %d", c.name, tag)
	c.Cancel(tag, errCancelled)
	r.absorb()
	if waits && !req.answered {
		r.fail("a cancelled request was not answered")
	}
}

func (r *round) doTouch() {
	c := r.asks()
	r.note("client %d is heard of", c.name)
	c.Touch()
}

func (r *round) doSleep() {
	d := time.Duration(r.rnd.IntN(pick(r, []int{2, 300, 2000}))) * time.Millisecond
	r.note("%v pass", d)
	idle := r.idle(d)
	sleep(d)
	r.absorb()
	for _, q := range idle {
		if !q.deleted {
			r.fail("nobody used %s, for longer than %v, and it is there", q.Name(), q.cfg.IdleTTL)
		}
	}
}

func (r *round) doJoin() {
	q, c := pick(r, r.queues), r.asks()
	op := &queue.JoinOp{Tag: r.newTag(1), By: c}
	r.request(c, op.Tag, mRequest{kind: mJoin, q: q})
	r.note("client %d joins %s, tag %d", c.name, q.Name(), op.Tag)
	q.Join(c.Holder, op)
}

func (r *round) doShutdown(q *mQueue, immediate bool) {
	r.absorb()
	r.note("%s is shut down, immediate %v", q.Name(), immediate)
	q.shutdown = true
	if immediate && !q.immediate {
		q.immediate = true
		for _, t := range r.tasks {
			if t.q == q && t.state == queued {
				r.drop(t)
			}
		}
	}
	q.Shutdown(immediate)
	r.absorb()
}

// finish ends the round: by Stop, or by a shutdown of all queues and somebody
// who takes what is left. Nothing may be left over.
func (r *round) finish() {
	stop := r.chance(30)
	if stop {
		r.note("stop")
		r.stopped = true
		r.e.Stop()
	} else {
		for _, q := range r.queues {
			r.resume(q)
			r.doShutdown(q, r.chance(20))
		}
		r.drain()
	}
	r.absorb()
	for _, c := range r.clients {
		for _, req := range c.requests {
			if !req.answered && !c.gone {
				r.fail("request %d of client %d (kind %d) was never answered", req.tag, c.name, req.kind)
			}
		}
	}
}

func (r *round) drain() {
	for _, c := range r.clients {
		switch {
		case c.gone:
		case c.always:
			r.release(c, false)
		default:
			r.leave(c) // its leases come back when their time is over
		}
	}
	c := &mClient{m: r.model, name: len(r.clients), always: true, requests: map[uint64]*mRequest{}, consumers: map[uint64]*mConsumer{}}
	c.Holder = r.e.NewHolder(c, true)
	r.clients = append(r.clients, c)
	all := reeve.GetOptions{Labels: []string{"x", "y"}}
	for range 400 { // the last attempts and delays are over long before
		left := 0
		for _, q := range r.queues {
			tag := r.newTag(1)
			r.request(c, tag, mRequest{kind: mGet, q: q, max: 100, noWait: true, want: all})
			q.Get(c.Holder, &queue.GetOp{Max: 100, NoWait: true, Tag: tag, Want: all})
			r.absorb()
			for _, t := range r.tasks {
				if t.q == q && t.state == leased && t.by == c {
					tag := r.newTag(1)
					r.request(c, tag, mRequest{kind: mAck, q: q, id: t.id, attempt: t.attempt})
					q.Ack(c.Holder, []queue.AckOp{{ID: t.id, Attempt: t.attempt}}, tag, c)
					r.absorb()
				}
			}
			left += r.unsettled(q)
		}
		if left == 0 {
			return
		}
		sleep(time.Second)
		r.absorb()
	}
	r.fail("tasks were left")
}
