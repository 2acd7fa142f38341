package queue

import "github.com/reeveq/reeve"

// dueHeap is a binary heap of tasks by their due time, those of one time in the
// order of their puts. A task knows its place, so that it can leave from
// anywhere. Times and ids stand in the heap itself: where many tasks are due at
// once, a look at each of them would miss the processor's caches.
type dueHeap []dueTask

type dueTask struct {
	due int64
	id  reeve.ID
	t   *task
}

// sooner reports whether a is due before b.
func (a *dueTask) sooner(b *dueTask) bool { return a.due < b.due || a.due == b.due && a.id < b.id }

func (h *dueHeap) add(t *task) {
	*h = append(*h, dueTask{})
	h.up(len(*h)-1, dueTask{t.due, t.id, t})
}

func (h *dueHeap) remove(t *task) {
	i, last := int(t.heap), len(*h)-1
	t.heap = -1
	moved := (*h)[last]
	(*h)[last] = dueTask{}
	*h = (*h)[:last]
	if cap(*h) > 1<<12 && last < cap(*h)/8 { // it was large once
		*h = append(make(dueHeap, 0, 2*last), *h...)
	}
	if i == last {
		return
	}
	if i > 0 && moved.sooner(&(*h)[(i-1)/2]) {
		h.up(i, moved)
		return
	}
	h.down(i, moved)
}

func (h dueHeap) up(i int, e dueTask) {
	for i > 0 {
		parent := (i - 1) / 2
		if !e.sooner(&h[parent]) {
			break
		}
		h.set(i, h[parent])
		i = parent
	}
	h.set(i, e)
}

func (h dueHeap) down(i int, e dueTask) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if right := child + 1; right < len(h) && h[right].sooner(&h[child]) {
			child = right
		}
		if !h[child].sooner(&e) {
			break
		}
		h.set(i, h[child])
		i = child
	}
	h.set(i, e)
}

func (h dueHeap) set(i int, e dueTask) {
	h[i] = e
	e.t.heap = int32(i)
}
