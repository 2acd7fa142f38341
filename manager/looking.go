package manager

import (
	"math"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/wire"
)

// What clients ask to see of queues, tasks and each other. None of it changes
// anything, so it is carried out again when it is asked again.

// answerBytes is when an answer with a list is large enough: the client asks
// for what is left.
const answerBytes = 1 << 20

func (r *requests) task(m *wire.TaskRequest) error {
	return r.look(m.Req, 0, func(on *Master) (*wire.Answer, error) {
		t, err := on.engine.Task(m.ID)
		if err != nil {
			return nil, err
		}
		return &wire.Answer{Tasks: []wire.TaskInfo{wire.TaskInfoOf(&t)}}, nil
	})
}

func (r *requests) explain(m *wire.Explain) error {
	return r.look(m.Req, 0, func(on *Master) (*wire.Answer, error) {
		e, err := on.engine.Explain(m.ID)
		if err != nil {
			return nil, err
		}
		return &wire.Answer{Explanation: wire.ExplanationOf(&e)}, nil
	})
}

func (r *requests) list(m *wire.List) error {
	f, o := m.Filter.Filter(), reeve.ListOptions{After: m.After, Max: count(m.Max), Payload: shownBytes(m.Payload)}
	return r.lookAt(m.Req, m.Queue, filterSize(&f), func(q *queue.Queue) (*wire.Answer, error) {
		page, err := q.List(&f, o)
		if err != nil {
			return nil, err
		}
		a := &wire.Answer{Next: page.Next}
		if a.Tasks = firstPart(page.Tasks); len(a.Tasks) < len(page.Tasks) {
			a.Next = a.Tasks[len(a.Tasks)-1].ID
		}
		return a, nil
	})
}

func (r *requests) peek(m *wire.Peek) error {
	max, payload := count(m.Max), shownBytes(m.Payload)
	return r.lookAt(m.Req, m.Queue, 0, func(q *queue.Queue) (*wire.Answer, error) {
		tasks, err := q.Peek(max, payload)
		if err != nil {
			return nil, err
		}
		return &wire.Answer{Tasks: firstPart(tasks)}, nil
	})
}

func (r *requests) types(m *wire.TypesRequest) error {
	return r.lookAt(m.Req, m.Queue, 0, func(q *queue.Queue) (*wire.Answer, error) {
		a := &wire.Answer{}
		for _, t := range q.Types() {
			a.Types = append(a.Types, wire.TypeCountsOf(t))
		}
		return a, nil
	})
}

func (r *requests) workers(m *wire.WorkersRequest) error {
	return r.look(m.Req, 0, func(on *Master) (*wire.Answer, error) {
		a, size := &wire.Answer{}, 0
		for _, s := range on.inOrder() {
			if s.id <= m.After {
				continue
			}
			if size > answerBytes {
				a.Next = reeve.ID(a.Workers[len(a.Workers)-1].ID)
				break
			}
			i := s.info()
			size += infoBytes(&i)
			a.Workers = append(a.Workers, wire.WorkerInfoOf(&i))
		}
		return a, nil
	})
}

// lookAt is look at a queue.
func (r *requests) lookAt(req uint64, name string, size int64, f func(*queue.Queue) (*wire.Answer, error)) error {
	return r.look(req, size, func(on *Master) (*wire.Answer, error) {
		q, err := on.engine.Lookup(name)
		if err != nil {
			return nil, err
		}
		return f(q)
	})
}

// firstPart is as much of a list as goes into one answer, at least one task.
func firstPart(tasks []reeve.TaskInfo) []wire.TaskInfo {
	size := 0
	var part []wire.TaskInfo
	for i := range tasks {
		t := wire.TaskInfoOf(&tasks[i])
		if size += t.Bytes(); size > answerBytes && len(part) > 0 {
			break
		}
		part = append(part, t)
	}
	return part
}

// filterSize is about what the lists and texts of a filter take in memory.
func filterSize(f *reeve.Filter) int64 {
	n := 8*len(f.IDs) + len(f.States) + len(f.Key) + len(f.Unique) + len(f.Error)
	return int64(n) + textsSize(f.Types)
}

func textsSize(texts []string) int64 {
	n := 16 * len(texts)
	for _, t := range texts {
		n += len(t)
	}
	return int64(n)
}

// infoBytes is about what a client takes in an answer.
func infoBytes(i *reeve.WorkerInfo) int {
	n := 256 + len(i.Name) + len(i.Host) + len(i.Impl) + len(i.Addr)
	for j := range i.Queues {
		n += supplyBytes(&i.Queues[j])
	}
	for _, t := range i.Running {
		n += 40 + len(t.Queue) + len(t.Type)
	}
	return n
}

// supplyBytes is about what a part of a supply takes there.
func supplyBytes(q *reeve.WorkerQueue) int {
	n := 32 + len(q.Queue)
	for _, texts := range [][]string{q.Types, q.Labels} {
		for _, t := range texts {
			n += 2 + len(t)
		}
	}
	return n
}

// count and shownBytes are numbers of a request, as far as they make sense.
func count(n uint64) int { return int(min(n, reeve.MaxBatch+1)) }

func shownBytes(n int64) int { return int(max(reeve.NoLimit-1, min(n, math.MaxInt32))) }
