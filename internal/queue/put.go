package queue

import (
	"fmt"
	"math"
	"slices"

	"github.com/reeveq/reeve"
)

const noBytesLimit = math.MaxInt64

// PutOp is a request to put tasks. Its exported fields are set by the caller.
// The tasks' payloads, labels and blobs belong to the queue from then on; the record,
// the slice and the rules are the caller's again when Put has returned.
type PutOp struct {
	Tasks []reeve.Task
	// NoWait: answer with ErrQueueFull instead of waiting for room.
	NoWait bool
	// Each: every task is a request of its own, with tag Tag+i. Without it all
	// tasks are one request, put all or none.
	Each bool
	Tag  uint64
	By   Replier
}

// putting is a PutOp on its way.
type putting struct {
	PutOp
	done  int      // Each: how many have been answered
	run   int      // Each: how many after these were put, with ids
	first reeve.ID // from this one on
	hold  *hold    // of who asked
	park  parking
}

// Put puts op's tasks and answers through op.By, before it returns or, when it
// has to wait for room, later. h is who asks.
func (q *Queue) Put(h *Holder, op *PutOp) {
	k := q.ask(h)
	if k == nil {
		return
	}
	defer q.unlock()
	p := putting{PutOp: *op, hold: k}
	if err := q.putError(op); err != nil {
		q.refusePut(&p, err)
		return
	}
	if op.Each && len(op.Tasks) > 1 && anyApart(op.Tasks) {
		q.putEach(k, &p)
		return
	}
	if err := q.tasksError(op); err == nil {
		q.put(k, &p)
	} else if !op.Each {
		q.refusePut(&p, err)
	} else {
		q.putEach(k, &p)
	}
}

// putEach puts the tasks of an Each one by one: the bad ones fail alone, and
// duplicates and missing blobs are found alone. Those that are put one after another are answered
// together.
func (q *Queue) putEach(k *hold, p *putting) {
	now := q.engine.now()
	for p.done+p.run < len(p.Tasks) {
		t := &p.Tasks[p.done+p.run]
		if err := q.taskError(t); err != nil {
			q.answerRun(p)
			q.answerPut(p, 1, 0, err)
			continue
		}
		if id, taken := q.taken(t, now); taken {
			q.stats.duplicates++
			q.answerRun(p)
			q.answerPut(p, 1, id, reeve.ErrDuplicate)
			continue
		}
		if !q.hasRoom(t) {
			q.answerRun(p)
			q.dispatch(now) // which may make room
			if !q.hasRoom(t) {
				q.noRoom(k, p)
				continue
			}
		}
		if err := q.takeBlobsOf(t); err != nil {
			q.answerRun(p)
			q.answerPut(p, 1, 0, err)
			continue
		}
		id := q.engine.newIDs(1)
		if p.run > 0 && id != p.first+reeve.ID(p.run) { // somebody else has the one between
			q.answerRun(p)
		}
		if p.run == 0 {
			p.first = id
		}
		p.run++
		q.claimUnique(t, id, now)
		q.insert(t, id, now)
	}
	q.answerRun(p)
	q.dispatch(now)
}

// answerRun answers the tasks of p that were put.
func (q *Queue) answerRun(p *putting) {
	n := p.run
	p.run = 0
	q.answerPut(p, n, p.first, nil)
}

// noRoom refuses or parks the next task of p.
func (q *Queue) noRoom(k *hold, p *putting) {
	if p.NoWait || q.cfg.Refuse {
		q.stats.refused++
		q.answerPut(p, 1, 0, q.fullError(1))
		return
	}
	q.parkPut(k, p.one(p.done))
	p.done++ // it is answered apart from the others
}

// hasRoom reports whether t can be put now. Who came first is served first:
// while others wait there is no room.
func (q *Queue) hasRoom(t *reeve.Task) bool {
	return q.parked.head == nil && q.used()+sizeOf(t) <= q.cfg.MaxBytes && (q.cfg.MaxLen == 0 || q.waiting() < q.cfg.MaxLen)
}

// anyApart reports whether some of ts may be refused where the others are not.
func anyApart(ts []reeve.Task) bool {
	for i := range ts {
		if r := ts[i].Rules; r != nil && (r.Unique != "" || len(r.Blobs) > 0) {
			return true
		}
	}
	return false
}

// one is the request for task i of an Each.
func (p *putting) one(i int) *putting {
	return &putting{hold: p.hold, PutOp: PutOp{Tasks: p.Tasks[i : i+1 : i+1], NoWait: p.NoWait, Tag: p.Tag + uint64(i), By: p.By}}
}

// put puts, refuses or parks p, whose tasks may be put.
func (q *Queue) put(k *hold, p *putting) {
	switch {
	case q.duplicate(p):
	case q.tryPut(p):
	case p.NoWait || q.cfg.Refuse:
		n := len(p.Tasks)
		if p.Each {
			n = 1
		}
		q.refusePut(p, q.fullError(n))
	case p.Each:
		// From here on they are requests of their own: each is let in, or
		// cancelled, apart from the others.
		for i := p.done; i < len(p.Tasks); i++ {
			q.parkPut(k, p.one(i))
		}
	default:
		q.parkPut(k, p)
	}
}

// parkPut makes a copy of p wait for room.
func (q *Queue) parkPut(k *hold, p *putting) {
	w := &putting{PutOp: p.PutOp, hold: k}
	w.Tasks = slices.Clone(p.Tasks)
	w.park = parking{put: w, hold: k, queue: q}
	for i := range w.Tasks {
		t := &w.Tasks[i]
		w.park.size += sizeOf(t)
		if t.Rules != nil {
			t.Rules = new(*t.Rules)
		}
	}
	if err := q.park(&w.park); err != nil {
		q.refusePut(w, err)
	}
}

// putError tells why nothing of op can be put.
func (q *Queue) putError(op *PutOp) error {
	switch {
	case q.stopped:
		return q.stoppedError()
	case q.shutdown:
		return q.shutdownError()
	case q.engine.journalFull():
		return reeve.ErrJournalFull
	case len(op.Tasks) == 0 || len(op.Tasks) > reeve.MaxBatch:
		return &reeve.LimitError{Kind: reeve.ErrInvalid, Limit: "tasks of one Put", Value: int64(len(op.Tasks)), Max: reeve.MaxBatch}
	}
	return nil
}

// tasksError tells what is wrong with op's tasks.
func (q *Queue) tasksError(op *PutOp) error {
	var size int64
	for i := range op.Tasks {
		t := &op.Tasks[i]
		if err := q.engine.checkTask(t); err != nil {
			return err
		}
		if len(op.Tasks) > 1 && !op.Each && t.Rules != nil && t.Rules.Unique != "" {
			return fmt.Errorf("%w: a task with a unique key is put on its own, not all or none with others", reeve.ErrInvalid)
		}
		if op.Each {
			size = max(size, sizeOf(t))
		} else {
			size += sizeOf(t)
		}
	}
	return q.neverFits(len(op.Tasks), size, op.Each)
}

// taskError tells what is wrong with one task of an Each.
func (q *Queue) taskError(t *reeve.Task) error {
	if err := q.engine.checkTask(t); err != nil {
		return err
	}
	return q.neverFits(1, sizeOf(t), true)
}

// neverFits tells when no emptying of the queue would make room.
func (q *Queue) neverFits(n int, size int64, each bool) error {
	if size > q.cfg.MaxBytes {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: fmt.Sprintf("bytes of one Put to queue %q", q.name), Value: size, Max: q.cfg.MaxBytes, Set: "max-bytes"}
	}
	if q.cfg.MaxLen > 0 && n > q.cfg.MaxLen && !each {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: fmt.Sprintf("tasks of one Put to queue %q", q.name), Value: int64(n), Max: int64(q.cfg.MaxLen), Set: "max-len"}
	}
	return nil
}

func (e *Engine) checkTask(t *reeve.Task) error {
	if e.cfg.MaxPayload > 0 && int64(len(t.Payload)) > e.cfg.MaxPayload {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "payload bytes", Value: int64(len(t.Payload)), Max: e.cfg.MaxPayload, Set: "max-payload"}
	}
	return t.Validate()
}

// fullError tells which bound leaves no room for n tasks together.
func (q *Queue) fullError(n int) error {
	if q.cfg.MaxLen > 0 && q.waiting()+n > q.cfg.MaxLen {
		return &reeve.LimitError{Kind: reeve.ErrQueueFull, Limit: fmt.Sprintf("tasks waiting in queue %q", q.name), Value: int64(q.waiting()), Max: int64(q.cfg.MaxLen), Set: "max-len"}
	}
	return &reeve.LimitError{Kind: reeve.ErrQueueFull, Limit: fmt.Sprintf("bytes in queue %q", q.name), Value: q.used(), Max: q.maxBytes(), Set: "max-bytes"}
}

// refusePut answers what is left of p with err.
func (q *Queue) refusePut(p *putting, err error) {
	n := len(p.Tasks) - p.done
	if isFull(err) {
		q.stats.refused += uint64(n)
	}
	q.answerPut(p, n, 0, err)
}

// answerPut answers the next n tasks of p.
func (q *Queue) answerPut(p *putting, n int, first reeve.ID, err error) {
	switch {
	case !p.Each:
		p.done = len(p.Tasks)
		q.reply(p.hold, p.By, p.Tag, 1, first, err)
	case n > 0:
		q.reply(p.hold, p.By, p.Tag+uint64(p.done), n, first, err)
		p.done += n
	}
}

// tryPut puts and answers what there is room for and reports whether that was
// all. Who came first is served first: while others wait there is no room.
func (q *Queue) tryPut(p *putting) bool {
	if q.parked.head != nil && q.parked.head != &p.park {
		return false
	}
	if p.park.listed && q.duplicate(p) { // somebody else got the key while it waited
		return true
	}
	if q.engine.journalFull() {
		q.refusePut(p, reeve.ErrJournalFull)
		return true
	}
	now := q.engine.now()
	for { // again, because a hand-over makes room
		rest := p.Tasks[p.done:]
		n := q.room(rest)
		if n < len(rest) && !p.Each || n == 0 {
			return false
		}
		if err := q.takeBlobs(rest[:n]); err != nil { // of an Each this is its only task
			q.refusePut(p, err)
			return true
		}
		first := q.engine.newIDs(n)
		for i := range rest[:n] {
			q.claimUnique(&rest[i], first+reeve.ID(i), now)
			q.insert(&rest[i], first+reeve.ID(i), now)
		}
		q.answerPut(p, n, first, nil)
		q.dispatch(now)
		if n == len(rest) {
			return true
		}
	}
}

// room is how many of ts, from the first on, can be put now.
func (q *Queue) room(ts []reeve.Task) int {
	n := len(ts)
	if q.cfg.MaxLen > 0 {
		n = min(n, max(0, q.cfg.MaxLen-q.waiting()))
	}
	free := q.cfg.MaxBytes - q.used()
	for i := range ts[:n] {
		if free -= sizeOf(&ts[i]); free < 0 {
			return i
		}
	}
	return n
}

// insert makes the record of a new task.
func (q *Queue) insert(src *reeve.Task, id reeve.ID, now int64) {
	var t *task
	if src.Timeout != 0 || !onlyAt(src.Rules) {
		both := &struct { // in one piece, as they come and go together
			task  task
			extra extra
		}{}
		t, both.task.extra = &both.task, &both.extra
		t.extra.ask(src, now)
	} else {
		t = &task{}
	}
	t.id, t.payload, t.kind, t.source, t.priority = id, src.Payload, q.kindOf(src.Type), src.Source, src.Priority
	t.length = uint32(len(src.Payload))
	t.putAt, t.heap = q.engine.wall(now), -1
	q.joinLine(t)
	q.tasks.add(t)
	q.bytes += t.size()
	q.stats.put++
	q.emit(reeve.EventPut, t, "", "")
	switch {
	case src.Delay > 0:
		q.makeDelayed(t, now+int64(src.Delay))
	case src.Rules != nil && !src.Rules.At.IsZero() && src.Rules.At.UnixNano() > q.engine.wallNow().UnixNano():
		q.makeDelayedUntil(t, src.Rules.At.UnixNano())
	default:
		q.makeReady(t, now, asPut)
	}
	q.notePut(t)
	q.keepPayload(t)
}

// onlyAt reports whether r says nothing but when: that needs no extra.
func onlyAt(r *reeve.Rules) bool {
	return r == nil || r.Expiry == 0 && r.ExpireAt.IsZero() && r.Attempts == 0 && r.Backoff == (reeve.Backoff{}) &&
		r.Key == "" && r.Unique == "" && len(r.Labels) == 0 && r.KeepResult == 0 && len(r.Blobs) == 0
}

// ask notes what src asks for.
func (x *extra) ask(src *reeve.Task, now int64) {
	x.asked, x.timeout = !onlyAt(src.Rules), int64(src.Timeout)
	r := src.Rules
	if r == nil {
		return
	}
	x.attempts, x.key, x.keep = int32(r.Attempts), r.Key, int64(r.KeepResult)
	if r.Backoff != (reeve.Backoff{}) {
		x.backoff = new(r.Backoff)
	}
	x.unique, x.mode, x.claimed = r.Unique, r.UniqueMode, r.Unique != ""
	x.blobs = r.Blobs
	switch {
	case r.Expiry > 0:
		x.expireAt = now + int64(r.Expiry)
	case !r.ExpireAt.IsZero():
		x.expireAt, x.expireWall = max(1, r.ExpireAt.UnixNano()), true
	}
	if len(r.Labels) > 0 {
		names := sorted(r.Labels)
		x.labels = &labels{names: names, key: joined(names)}
	}
}

func (x *extra) labelNames() []string {
	if x.labels == nil {
		return nil
	}
	return x.labels.names
}
