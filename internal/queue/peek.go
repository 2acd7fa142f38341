package queue

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
)

// manyKinds bounds the types and lanes that are looked at while the queue is
// locked: with more of them what is told is of some.
const manyKinds = 1 << 14

// Peek returns up to max of the tasks that may be handed over, those that
// would be first in front. Tasks that wait for others of their key are not
// among them.
func (q *Queue) Peek(max, payload int) ([]reeve.TaskInfo, error) {
	if max < 1 || max > reeve.MaxBatch || payload < reeve.NoLimit {
		return nil, fmt.Errorf("%w: peek at %d tasks with %d bytes of each payload, want 1 to %d tasks", reeve.ErrInvalid, max, payload, reeve.MaxBatch)
	}
	tasks := q.peek(max, payload)
	return tasks, q.fill(tasks, payload)
}

func (q *Queue) peek(max, payload int) []reeve.TaskInfo {
	q.mu.Lock()
	defer q.mu.Unlock()
	next := peeking{queue: q, list: make([]*task, 0, min(len(q.lanes), manyKinds))}
	looked := 0
	for l := range q.lanes {
		if looked++; looked > manyKinds {
			break
		}
		if l.n > 0 {
			next.list = append(next.list, l.head())
		}
	}
	heap.Init(&next)
	tasks := make([]reeve.TaskInfo, 0, min(max, q.offered))
	for len(tasks) < max && len(next.list) > 0 {
		tasks = append(tasks, q.info(next.take(), payload))
	}
	return tasks
}

// peeking is a heap of tasks among which is the next one of those that were not
// taken yet: of each lane, and within it of each level, as far as the lane's own
// heap does not tell that others go before them.
type peeking struct {
	queue *Queue
	list  []*task
}

// take returns the next task and puts those in its place that may follow it.
func (p *peeking) take() *task {
	t := heap.Pop(p).(*task)
	if t.next != nil {
		heap.Push(p, t.next)
	}
	if v := t.level; t.prev == nil { // it was first in its level
		levels := v.lane.levels
		for at := 2*v.at + 1; at <= 2*v.at+2 && at < len(levels); at++ {
			if head := levels[at].tasks.head; head != nil {
				heap.Push(p, head)
			}
		}
	}
	return t
}

func (p *peeking) Len() int           { return len(p.list) }
func (p *peeking) Less(i, j int) bool { return p.queue.before(p.list[i], p.list[j]) }
func (p *peeking) Swap(i, j int)      { p.list[i], p.list[j] = p.list[j], p.list[i] }
func (p *peeking) Push(x any)         { p.list = append(p.list, x.(*task)) }

func (p *peeking) Pop() any {
	last := len(p.list) - 1
	t := p.list[last]
	p.list = p.list[:last]
	return t
}

// Types returns the numbers by task type, those with the most tasks first; of
// more than manyKinds types, of some.
func (q *Queue) Types() []reeve.TypeStats {
	q.mu.Lock()
	stats := make([]reeve.TypeStats, 0, min(len(q.kinds), manyKinds))
	looked := 0
	for _, k := range q.kinds {
		if looked++; looked > manyKinds {
			break
		}
		if k.n != ([states]int{}) {
			stats = append(stats, k.typeStats())
		}
	}
	q.mu.Unlock()
	slices.SortFunc(stats, func(a, b reeve.TypeStats) int {
		return cmp.Or(cmp.Compare(b.Ready+b.Delayed+b.Leased+b.Dead, a.Ready+a.Delayed+a.Leased+a.Dead), cmp.Compare(a.Type, b.Type))
	})
	stats = slices.Clone(stats[:min(len(stats), reeve.MaxTypes)])
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range stats {
		for _, p := range q.profiles {
			if _, ok := p.types[stats[i].Type]; ok || p.want.Types == nil {
				stats[i].Takers += p.users
			}
		}
	}
	return stats
}
