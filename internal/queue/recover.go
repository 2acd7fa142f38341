package queue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// recovery makes queues out of the records of a journal. A record may name what
// comes to be known only later: what was written first may have been trimmed,
// and written anew behind it.
type recovery struct {
	engine  *Engine
	queues  map[uint32]*plant
	now     int64 // the engine's time of the wall clock's
	wall    int64
	newest  reeve.ID
	deleted uint32      // the highest number of a queue that was deleted
	pos     journal.Pos // of the frame

	put     record.Put // used again and again
	task    record.Task
	stand   record.Stand
	lease   record.Lease
	end     record.End
	result  record.Result
	request record.Request
}

// plant is a queue that is not in the engine: its tasks are in the table only,
// their times are those of the wall clock.
type plant struct {
	no             uint32
	name           string
	cfg            reeve.QueueConfig
	paused         bool
	reason         string
	sent           bool
	said, pausedAt journal.Pos
	tasks          table
	kinds          map[string]*kind
	kind           *kind                // used last
	clients        map[reeve.ID]*Client // of leased tasks
	results        map[reeve.ID]record.Result
	uniques        map[string]record.Unique // that outlive tasks
}

// recover replays the journal, and returns the number of the next frame.
func (e *Engine) recover(ctx context.Context) (next journal.Pos, err error) {
	e.kept = restoredObjects{entries: map[uint32]map[string]ObjectEntry{}, answers: map[answerKey][]byte{}}
	r := &recovery{engine: e, queues: map[uint32]*plant{}, now: e.now(), wall: e.wallNow().UnixNano()}
	began := time.Now()
	last, err := e.cfg.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
		if e.cleaner.next == 0 {
			e.cleaner.next = p
		}
		e.restored.Bytes += int64(len(frame))
		r.pos = p
		err := eachRecord(frame, func(kind record.Kind, body []byte, _ *record.Head) error {
			return r.apply(kind, body)
		})
		if err != nil {
			return fmt.Errorf("frame %d: %w", p, err)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if e.cleaner.next == 0 {
		e.cleaner.next = last + 1
	}
	e.cleaner.trimmed.Store(uint64(e.cleaner.next))
	e.objects.settle(&e.kept)
	e.restored.Objects = len(e.kept.entries)
	e.clients.settle()
	e.ids.Store(max(e.ids.Load(), uint64(r.newest)))
	e.recovered = r.newest
	e.numbers = r.deleted
	for _, no := range slices.Sorted(maps.Keys(r.queues)) {
		g := r.queues[no]
		e.numbers = max(e.numbers, no)
		if g.name == "" {
			if g.tasks.n > 0 {
				return 0, &journal.CorruptError{File: "the journal", Reason: fmt.Sprintf("queue number %d has %d tasks and no name: frames are missing", no, g.tasks.n)}
			}
			continue
		}
		if e.names[g.name] != nil {
			return 0, &journal.CorruptError{File: "the journal", Reason: fmt.Sprintf("queues number %d and %d are both called %q", e.names[g.name].no, no, g.name)}
		}
		q := e.grow(g, e.newOrder(), r.now, r.wall)
		e.add(q)
		for t := range q.tasks.all() {
			if refs := t.blobs(); len(refs) > 0 {
				e.cfg.Blobs.Keep(refs)
			}
		}
		e.restored.Tasks += q.tasks.n
		e.restored.Results += q.results.len()
	}
	e.restored.Journal, e.restored.Queues, e.restored.Took = true, len(e.queues), time.Since(began)
	return last + 1, nil
}

// plant is the queue that a number stands for.
func (r *recovery) plant(no uint32) *plant {
	g := r.queues[no]
	if g == nil {
		g = newPlant(no)
		r.queues[no] = g
	}
	return g
}

func newPlant(no uint32) *plant {
	return &plant{
		no: no, kinds: map[string]*kind{}, clients: map[reeve.ID]*Client{},
		results: map[reeve.ID]record.Result{}, uniques: map[string]record.Unique{},
	}
}

// apply carries out one record. One of a later version is passed over.
func (r *recovery) apply(kind record.Kind, body []byte) error {
	switch kind {
	case record.KindPut:
		if err := r.put.Decode(body); err != nil {
			return err
		}
		p := &r.put
		t := r.add(p.Queue, p.ID, &p.Body)
		t.state, t.order = ready, p.Order
		if p.Due != 0 {
			t.state, t.due, t.wall = delayed, p.Due, p.Wall
		}
	case record.KindLease:
		if err := r.lease.Decode(body); err != nil {
			return err
		}
		g := r.plant(r.lease.Queue)
		if t := g.tasks.get(r.lease.ID); t != nil {
			g.lease(t, r.lease.Attempt, r.engine.clients.byNumber(r.lease.Client))
		}
	case record.KindEnd:
		if err := r.end.Decode(body); err != nil {
			return err
		}
		r.plant(r.end.Queue).remove(r.end.ID)
		r.newest = max(r.newest, r.end.ID)
	case record.KindState:
		if err := r.stand.Decode(body); err != nil {
			return err
		}
		g := r.plant(r.stand.Queue)
		if t := g.tasks.get(r.stand.ID); t != nil {
			r.place(g, t, &r.stand.Now)
		}
	case record.KindTask:
		if err := r.task.Decode(body); err != nil {
			return err
		}
		x := &r.task
		r.place(r.plant(x.Queue), r.add(x.Queue, x.ID, &x.Body), &x.Now)
	case record.KindResult:
		if err := r.result.Decode(body); err != nil {
			return err
		}
		g := r.plant(r.result.Queue)
		g.remove(r.result.ID)
		if r.result.Until > r.wall {
			kept := r.result
			kept.Payload = append([]byte(nil), kept.Payload...)
			g.results[kept.ID] = kept
		}
		r.newest = max(r.newest, r.result.ID)
	case record.KindRequest:
		if err := r.request.Decode(body); err != nil {
			return err
		}
		x := &r.request
		if c := r.engine.clients.byNumber(x.Client); c != nil {
			c.recall(x)
		}
	default:
		return r.applyRare(kind, body)
	}
	return nil
}

func (r *recovery) applyRare(kind record.Kind, body []byte) error {
	switch kind {
	case record.KindExtend:
		var x record.Extend
		if err := x.Decode(body); err != nil {
			return err
		}
		if t := r.plant(x.Queue).tasks.get(x.ID); t != nil && t.state == leased {
			t.more().extended = x.Until
		}
	case record.KindMove:
		var x record.Move
		if err := x.Decode(body); err != nil {
			return err
		}
		from := r.plant(x.Queue)
		from.sent = true
		if t := from.tasks.get(x.ID); t != nil {
			from.remove(x.ID)
			to := r.plant(x.To)
			t.kind = to.kindOf(t.kind.name)
			if t.extra != nil {
				t.extra.claimed = x.Claimed
			}
			to.remove(x.ID)
			to.tasks.add(t)
		}
	case record.KindObject, record.KindDrop, record.KindEntry, record.KindRemove, record.KindAnswer:
		return r.engine.objects.recover(&r.engine.kept, r.pos, kind, body)
	case record.KindUnique:
		var x record.Unique
		if err := x.Decode(body); err != nil {
			return err
		}
		r.plant(x.Queue).uniques[x.Key] = x
	case record.KindPause:
		var x record.Pause
		if err := x.Decode(body); err != nil {
			return err
		}
		g := r.plant(x.Queue)
		g.paused, g.reason, g.pausedAt = x.Paused, x.Reason, r.pos
	case record.KindQueue:
		var x record.Queue
		if err := x.Decode(body); err != nil {
			return err
		}
		cfg, err := decodeConfig(x.Name, x.Config)
		if err != nil {
			return err
		}
		g := r.plant(x.No)
		g.name, g.cfg, g.said = x.Name, cfg, r.pos
	case record.KindDelete:
		var x record.Delete
		if err := x.Decode(body); err != nil {
			return err
		}
		if r.plant(x.Queue).sent {
			r.engine.senders[x.Queue] = struct{}{}
		}
		delete(r.queues, x.Queue)
		r.deleted = max(r.deleted, x.Queue)
	case record.KindClient:
		var x record.Client
		if err := x.Decode(body); err != nil {
			return err
		}
		r.engine.clients.name(x.No, ClientID{Key: x.Key, Process: x.Process})
	case record.KindGone:
		var x record.Gone
		if err := x.Decode(body); err != nil {
			return err
		}
		r.engine.clients.lose(x.Client)
	case record.KindMaster:
		var x record.Master
		if err := x.Decode(body); err != nil {
			return err
		}
		r.engine.epoch = x.Epoch
		r.newest = max(r.newest, x.Last)
	}
	return nil
}

// add makes the record of a task, in place of what was there.
func (r *recovery) add(no uint32, id reeve.ID, b *record.Body) *task {
	g := r.plant(no)
	g.remove(id)
	r.newest = max(r.newest, id)
	var t *task
	x := b.Extra
	if x == nil && len(b.Blobs) > 0 {
		x = &record.Extra{Asked: true}
	}
	if x != nil {
		both := &struct {
			task  task
			extra extra
		}{}
		t, both.task.extra = &both.task, &both.extra
		r.extra(g, id, x, t.extra)
		t.extra.blobs = b.Blobs
	} else {
		t = &task{}
	}
	t.id, t.kind, t.source, t.priority, t.putAt = id, g.kindOf(b.Type), b.Source, b.Priority, b.PutAt
	t.length, t.pos, t.heap = uint32(len(b.Payload)), r.pos, -1
	t.readyAt = b.PutAt
	g.tasks.add(t)
	return t
}

func (r *recovery) extra(g *plant, id reeve.ID, x *record.Extra, to *extra) {
	to.timeout, to.attempts, to.key, to.unique, to.mode, to.claimed = x.Timeout, x.Attempts, x.Key, x.Unique, x.Mode, x.Claimed
	to.expireAt, to.expireWall, to.keep, to.asked = x.ExpireAt, x.ExpireWall, x.Keep, x.Asked
	if x.Backoff != nil {
		to.backoff = new(*x.Backoff)
	}
	if len(x.Labels) > 0 {
		names := slices.Clone(x.Labels)
		to.labels = &labels{names: names, key: joined(names)}
	}
	if x.Unique != "" && x.Mode == reeve.UniqueForTime && x.Claimed {
		g.uniques[x.Unique] = record.Unique{Key: x.Unique, ID: id, Mode: x.Mode, Until: x.UniqueUntil}
	}
}

// place notes where t stands and what has happened to it.
func (r *recovery) place(g *plant, t *task, n *record.Standing) {
	delete(g.clients, t.id)
	if t.state == dead && n.State != record.Dead && t.extra != nil {
		t.extra.expireAt = 0 // it was revived
	}
	t.state, t.attempt, t.claimable, t.blamed = fromRecord[n.State], n.Attempt, n.Claimable, n.Blamed
	t.due, t.wall, t.order, t.readyAt = n.Due, n.Wall, n.Order, n.ReadyAt
	if t.extra != nil {
		t.extra.released = n.Turn
		if t.extra.mode != reeve.UniqueForTime {
			t.extra.claimed = n.Claimed
		}
	}
	if n.State == record.Leased {
		g.clients[t.id] = r.engine.clients.byNumber(n.Client)
	}
	if n.Counts != (reeve.Counts{}) || n.Error != "" || n.Until != 0 || len(n.History) > 0 || n.State == record.Dead || t.past != nil {
		p := t.more()
		p.counts, p.extended = n.Counts, n.Until
		p.fate = fate{err: n.Error, reason: n.Reason, last: n.Last, diedAt: n.DiedAt}
		if !n.Append {
			p.history = p.history[:0]
		}
		p.history = append(p.history, n.History...)
		if g.cfg.History > 0 { // else it is not known yet
			t.trimHistory(g.cfg.History)
		}
	}
}

var fromRecord = map[record.State]state{record.Ready: ready, record.Delayed: delayed, record.Leased: leased, record.Dead: dead}

// lease notes that t is leased to c; nil: to the master's own process.
func (g *plant) lease(t *task, attempt uint32, c *Client) {
	if t.claimable && t.attempt == attempt && t.past != nil { // it is taken back that it was lost
		t.unlost()
	}
	if t.state == delayed { // it was due
		t.readyAt = t.due
	}
	t.state, t.attempt, t.claimable = leased, attempt, false
	if t.past != nil {
		t.past.extended = 0
	}
	if t.extra != nil && t.extra.mode == reeve.UniqueUntilStart {
		t.extra.claimed = false
	}
	g.clients[t.id] = c
}

// remove forgets the task id.
func (g *plant) remove(id reeve.ID) {
	if g.tasks.get(id) != nil {
		g.tasks.remove(id)
		delete(g.clients, id)
	}
}

func (g *plant) kindOf(name string) *kind {
	if g.kind != nil && g.kind.name == name {
		return g.kind
	}
	k := g.kinds[name]
	if k == nil {
		k = &kind{name: name}
		g.kinds[name] = k
	}
	g.kind = k
	return k
}
