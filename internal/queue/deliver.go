package queue

import (
	"fmt"

	"github.com/reeveq/reeve"
)

// deliver hands t, which is leased, over to c: now, or when its put is durable
// and its payload there.
func (q *Queue) deliver(c *Consumer, t *task) {
	if q.engine.log != nil {
		d := telling{hold: c.hold, tag: c.tag, task: t, attempt: t.attempt}
		if t.untold = true; q.follows(t.pos, d) {
			return
		}
		if t.away() {
			q.engine.pager.fetch(d)
			return
		}
		t.untold = false
	}
	q.hand(c.hold, c.tag, t, t.payload)
}

// hand tells k's holder that its consumer tag has t.
func (q *Queue) hand(k *hold, tag uint64, t *task, payload []byte) {
	q.handed = q.delivery(t)
	q.handed.Payload = payload
	k.holder.sink.Deliver(tag, q.name, &q.handed)
	q.handed.Payload, q.handed.Rules = nil, nil
	q.tell(k)
}

// deliverHeld makes a hand-over whose time has come, unless the lease does not
// stand any more: then its holder never hears of it.
func (q *Queue) deliverHeld(d *telling) {
	t := d.task
	switch {
	case !t.stands(d.hold, d.attempt):
	case t.consumer == nil || t.consumer.gone():
		q.takeBack(t)
	case t.away():
		q.engine.pager.fetch(*d)
	default:
		t.untold = false
		q.hand(d.hold, d.tag, t, t.payload)
	}
}

// takeBack gives t back, whose consumer has ended before it was told of it.
func (q *Queue) takeBack(t *task) {
	now := q.engine.now()
	worker, start := t.hold.holder.name(), t.leasedAt
	q.unlease(t, now)
	q.giveBack(t, &NackOp{Returned: true}, worker, start, now)
	q.after(now)
}

// stands reports whether k has t at that attempt.
func (t *task) stands(k *hold, attempt uint32) bool {
	return t.state == leased && t.hold == k && t.attempt == attempt
}

// getting is the answer to a Get on its way.
type getting struct{ tasks []gotten }

type gotten struct {
	task    *task
	attempt uint32
	payload []byte // where it was away
	err     error  // why that could not be read
}

// deliverAll answers a Get with ts, which are leased.
func (q *Queue) deliverAll(k *taker, ts []*task) {
	if q.engine.log != nil {
		g := &getting{tasks: make([]gotten, len(ts))}
		newest, away := ts[0].pos, false
		for i, t := range ts {
			g.tasks[i] = gotten{task: t, attempt: t.attempt}
			newest, away = max(newest, t.pos), away || t.away()
			t.untold = true
		}
		d := telling{hold: k.hold, tag: k.get.Tag, got: g}
		if q.follows(newest, d) {
			return
		}
		if away {
			q.engine.pager.fetch(d)
			return
		}
		q.sendGot(k.hold, k.get.Tag, g)
		return
	}
	tasks := make([]reeve.Task, len(ts))
	for i, t := range ts {
		tasks[i] = q.delivery(t)
	}
	k.hold.holder.sink.Got(k.get.Tag, q.name, tasks, nil)
	q.tell(k.hold)
}

// tellGot answers a Get whose time has come.
func (q *Queue) tellGot(k *hold, tag uint64, g *getting, err error) {
	if err != nil {
		k.holder.sink.Got(tag, q.name, nil, err)
		q.tell(k)
		return
	}
	for i := range g.tasks {
		if t := g.tasks[i].task; t.away() && g.tasks[i].payload == nil {
			q.engine.pager.fetch(telling{hold: k, tag: tag, got: g})
			return
		}
	}
	q.sendGot(k, tag, g)
}

// sendGot answers a Get, and tells of those leases that do not stand any more.
func (q *Queue) sendGot(k *hold, tag uint64, g *getting) {
	tasks := make([]reeve.Task, 0, len(g.tasks))
	var err error
	for i := range g.tasks {
		if err = g.tasks[i].err; err == nil {
			d := q.delivery(g.tasks[i].task)
			d.Attempt = g.tasks[i].attempt
			if d.Payload == nil {
				d.Payload = g.tasks[i].payload
			}
			tasks = append(tasks, d)
		}
	}
	if len(tasks) > 0 {
		err = nil
	}
	k.holder.sink.Got(tag, q.name, tasks, err)
	for i := range g.tasks {
		got := &g.tasks[i]
		switch {
		case got.task.stands(k, got.attempt):
			got.task.untold = false
		case got.err == nil:
			k.holder.sink.Lost(reeve.Token{Queue: q.name, ID: got.task.id, Attempt: got.attempt}, reeve.ErrLeaseLost)
		}
	}
	q.tell(k)
}

// unreadable makes t dead, whose payload the journal could not give back.
func (q *Queue) unreadable(t *task, k *hold, attempt uint32, err error) {
	if !t.stands(k, attempt) {
		return
	}
	now := q.engine.now()
	q.unlease(t, now)
	q.bury(t, fmt.Sprintf("its payload could not be read: %v", err), false, now)
	q.after(now)
}
