package queue

// dueHeap is a binary heap of tasks by their due time, those of one time in the
// order of their puts. A task knows its place, so that it can leave from
// anywhere.
type dueHeap []*task

// sooner reports whether t is due before o.
func (t *task) sooner(o *task) bool { return t.due < o.due || t.due == o.due && t.id < o.id }

func (h *dueHeap) add(t *task) {
	t.heap = int32(len(*h))
	*h = append(*h, t)
	h.up(int(t.heap))
}

func (h *dueHeap) remove(t *task) {
	i, last := int(t.heap), len(*h)-1
	t.heap = -1
	moved := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	if cap(*h) > 1<<12 && last < cap(*h)/8 { // it was large once
		*h = append(make(dueHeap, 0, 2*last), *h...)
	}
	if i == last {
		return
	}
	(*h)[i] = moved
	moved.heap = int32(i)
	if !h.down(i) {
		h.up(i)
	}
}

func (h dueHeap) up(i int) {
	t := h[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !t.sooner(h[parent]) {
			break
		}
		h[i] = h[parent]
		h[i].heap = int32(i)
		i = parent
	}
	h[i] = t
	t.heap = int32(i)
}

func (h dueHeap) down(i int) (moved bool) {
	t, start := h[i], i
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if right := child + 1; right < len(h) && h[right].sooner(h[child]) {
			child = right
		}
		if !h[child].sooner(t) {
			break
		}
		h[i] = h[child]
		h[i].heap = int32(i)
		i = child
	}
	h[i] = t
	t.heap = int32(i)
	return i != start
}
