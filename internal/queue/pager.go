package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// pager reads those payloads from the journal that are not in memory, for hand-
// overs that wait for them. A goroutine exists while there are any.
type pager struct {
	engine *Engine
	gone   sync.WaitGroup

	mu   sync.Mutex // guards the fields below; taken after queues' mutexes
	todo []telling
	busy bool

	cache frameCache
}

// fetch has d told when its payloads are there.
func (p *pager) fetch(d telling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.todo = append(p.todo, d)
	if !p.busy {
		p.busy = true
		p.gone.Go(p.run) // waited for by Engine.Close
	}
}

func (p *pager) run() {
	for {
		p.mu.Lock()
		todo := p.todo
		p.todo = nil
		if p.busy = len(todo) > 0; !p.busy {
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		for i := range todo {
			p.serve(&todo[i])
		}
	}
}

// serve reads what d needs, and tells it.
func (p *pager) serve(d *telling) {
	q := d.hold.queue
	if g := d.got; g != nil {
		for i := range g.tasks {
			t := &g.tasks[i]
			t.payload, t.err = p.payload(q, t.task, p.engine.log.Wait)
		}
		q.mu.Lock()
		for i := range g.tasks {
			switch t := &g.tasks[i]; {
			case t.err == nil || p.over(t.err):
			case q.deleted: // and what it had recorded may be trimmed
				t.err = q.goneError()
			default:
				q.unreadable(t.task, d.hold, t.attempt, t.err)
			}
		}
		if !d.hold.closed && !p.leaves(d.hold, g) {
			q.sendGot(d.hold, d.tag, g)
		}
		q.unlock()
		return
	}
	payload, err := p.payload(q, d.task, p.engine.log.Wait)
	q.mu.Lock()
	defer q.unlock()
	switch {
	case err != nil && p.over(err): // its consumer ends with the master
	case err != nil:
		q.unreadable(d.task, d.hold, d.attempt, err)
	case d.hold.closed || !d.task.stands(d.hold, d.attempt):
	case d.task.consumer == nil || d.task.consumer.gone():
		q.takeBack(d.task)
	default:
		d.task.untold = false
		q.hand(d.hold, d.tag, d.task, payload)
	}
}

// over reports that it is the journal that is gone, and the master with it: the
// payload is there for the next one.
func (p *pager) over(err error) bool {
	return errors.Is(err, journal.ErrClosed) || errors.Is(err, journal.ErrFenced) || errors.Is(err, context.Canceled) || p.engine.log.Err() != nil
}

// leaves reports whether a Get is left to the next master, which its client asks
// again. The master's own process has no other.
func (p *pager) leaves(k *hold, g *getting) bool {
	return !k.holder.always && slices.ContainsFunc(g.tasks, func(t gotten) bool { return t.err != nil && p.over(t.err) })
}

// payload is that of t, wherever it is, when wait says that the frame is written
// that has it. Nothing is locked.
func (p *pager) payload(q *Queue, t *task, wait func(journal.Pos) error) ([]byte, error) {
	for last := journal.Pos(0); ; {
		q.mu.Lock()
		payload, away, pos := t.payload, t.away(), t.pos
		q.mu.Unlock()
		if !away {
			return payload, nil
		}
		if err := wait(pos); err != nil {
			return nil, err
		}
		payload, err := p.cache.payload(p.engine.cfg.Journal, pos, t.id)
		if err == nil || pos == last {
			return payload, err
		}
		last = pos // it may have been written anew meanwhile: once more
	}
}

// payloadOf reads the payload of the task id for who looks at it; nil: it is
// gone.
func (q *Queue) payloadOf(id reeve.ID) ([]byte, error) {
	q.mu.Lock()
	t := q.tasks.get(id)
	q.mu.Unlock()
	if t == nil {
		return nil, nil
	}
	payload, err := q.engine.pager.payload(q, t, q.engine.waitAWhile)
	if err != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.tasks.get(id) != t { // it has ended meanwhile, and its frame may be trimmed
			return nil, nil
		}
	}
	return payload, err
}

// lookTime is how long who looks at a task waits for its payload to be written:
// with a full disk that may never be, and a session ends only when it has looked.
const lookTime = 5 * time.Second

// waitAWhile waits until frame p is durable, but not for ever.
func (e *Engine) waitAWhile(p journal.Pos) error {
	told := make(chan error, 1)
	if !e.log.Follow(p, telling{call: func(err error) { told <- err }}) {
		return nil
	}
	timer := time.NewTimer(lookTime)
	defer timer.Stop()
	select {
	case err := <-told:
		return err
	case <-timer.C:
		return fmt.Errorf("%w: the payload is not written yet", reeve.ErrJournalFull)
	}
}

// fill reads the payloads that are missing in what is known of tasks, up to most
// bytes of each; NoLimit: whole.
func (q *Queue) fill(tasks []reeve.TaskInfo, most int) error {
	for i := range tasks {
		t := &tasks[i]
		if t.Payload != nil || t.Size == 0 || most == 0 {
			continue
		}
		payload, err := q.payloadOf(t.ID)
		if err != nil {
			return err
		}
		if most != reeve.NoLimit && len(payload) > most {
			payload = payload[:most:most]
		}
		t.Payload = payload
	}
	return nil
}
