package main

import (
	"slices"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// tally counts what is in a journal. It follows the tasks, to know which are
// there at its end; what else follows from a record only a master knows.
type tally struct {
	frames  int64
	records int64
	bytes   int64 // of the frames
	oldest  int64 // frame, in Unix nanoseconds
	newest  int64
	kinds   map[record.Kind]int64
	queues  map[uint32]*queueTally
	order   []*queueTally
	tasks   map[reeve.ID]liveTask
	now     records
}

// queueTally is what there is of one queue.
type queueTally struct {
	no    uint32
	name  string
	put   int64
	ended int64
	live  int64 // tasks
	bytes int64 // of their records
}

type liveTask struct {
	queue *queueTally
	bytes int64
}

func newTally() *tally {
	return &tally{kinds: map[record.Kind]int64{}, queues: map[uint32]*queueTally{}, tasks: map[reeve.ID]liveTask{}}
}

func (t *tally) frame(p journal.Pos, frame []byte) error {
	head, err := t.now.frame(p, frame, t.record)
	if err != nil {
		return err
	}
	t.frames++
	t.bytes += int64(len(frame))
	if t.oldest == 0 || head.Time < t.oldest {
		t.oldest = head.Time
	}
	t.newest = max(t.newest, head.Time)
	return nil
}

func (t *tally) record(kind record.Kind, size int) {
	t.records++
	t.kinds[kind]++
	switch now := &t.now; kind {
	case record.KindQueue:
		t.queue(now.queue.No).name = now.queue.Name
	case record.KindPut:
		t.queue(now.put.Queue).put++
		t.there(now.put.Queue, now.put.ID, size)
	case record.KindTask:
		t.there(now.task.Queue, now.task.ID, size)
	case record.KindMove:
		if old, ok := t.tasks[now.move.ID]; ok {
			t.there(now.move.To, now.move.ID, int(old.bytes))
		}
	case record.KindDelete:
		t.deleted(now.deleted.Queue)
	case record.KindEnd:
		t.ended(now.end.ID)
	case record.KindResult:
		t.ended(now.result.ID)
	}
}

func (t *tally) queue(no uint32) *queueTally {
	q := t.queues[no]
	if q == nil {
		q = &queueTally{no: no}
		t.queues[no] = q
		t.order = append(t.order, q)
	}
	return q
}

// deleted forgets a queue and its tasks.
func (t *tally) deleted(no uint32) {
	q := t.queue(no)
	if q.live > 0 {
		for id, task := range t.tasks {
			if task.queue == q {
				delete(t.tasks, id)
			}
		}
	}
	delete(t.queues, no)
	t.order = slices.DeleteFunc(t.order, func(o *queueTally) bool { return o == q })
}

// there notes that a task is in a queue, with a record of size bytes, and
// nowhere else.
func (t *tally) there(no uint32, id reeve.ID, size int) {
	t.gone(id)
	q := t.queue(no)
	q.live++
	q.bytes += int64(size)
	t.tasks[id] = liveTask{q, int64(size)}
}

func (t *tally) ended(id reeve.ID) {
	if q := t.gone(id); q != nil {
		q.ended++
	}
}

// gone takes a task from its queue, which it returns; nil: there is none.
func (t *tally) gone(id reeve.ID) *queueTally {
	old, ok := t.tasks[id]
	if !ok {
		return nil
	}
	old.queue.live--
	old.queue.bytes -= old.bytes
	delete(t.tasks, id)
	return old.queue
}

// liveBytes is what the records of the tasks that are there take.
func (t *tally) liveBytes() (n int64) {
	for _, q := range t.order {
		n += q.bytes
	}
	return n
}
