package queue

// timeHeap is a binary heap of things by their time: dueHeap for what is not a
// task. The times stand in the heap itself, so that finding a place touches
// nothing else. The zero value is empty.
type timeHeap[T any] struct {
	list []dated[T]
}

// timed is what stands in a timeHeap: a value, or a pointer to the record that
// it is a field of. It knows its place, so that it can leave from anywhere. The
// zero value is in no heap.
type timed[T any] struct {
	of    T
	place int32 // its index in the list plus one; 0: not in it
}

type dated[T any] struct {
	at int64
	el *timed[T]
}

func (h *timeHeap[T]) len() int { return len(h.list) }

// in reports whether x is in a heap.
func (x *timed[T]) in() bool { return x.place > 0 }

// head returns the one with the earliest time; nil: the heap is empty.
func (h *timeHeap[T]) head() *timed[T] {
	if len(h.list) == 0 {
		return nil
	}
	return h.list[0].el
}

// next is the earliest time, or never.
func (h *timeHeap[T]) next() int64 {
	if len(h.list) == 0 {
		return never
	}
	return h.list[0].at
}

// when is the time of x, which is in h.
func (h *timeHeap[T]) when(x *timed[T]) int64 { return h.list[x.place-1].at }

// add puts x, which is in no heap, in its place.
func (h *timeHeap[T]) add(x *timed[T], at int64) {
	h.list = append(h.list, dated[T]{})
	h.up(len(h.list)-1, dated[T]{at: at, el: x})
}

// fix gives x, which is in h, another time.
func (h *timeHeap[T]) fix(x *timed[T], at int64) {
	h.put(int(x.place)-1, dated[T]{at: at, el: x})
}

// remove takes x, which is in h, out.
func (h *timeHeap[T]) remove(x *timed[T]) {
	i, last := int(x.place)-1, len(h.list)-1
	x.place = 0
	moved := h.list[last]
	h.list[last] = dated[T]{}
	h.list = h.list[:last]
	if cap(h.list) > 1<<10 && last < cap(h.list)/8 { // it was large once
		h.list = append(make([]dated[T], 0, 2*last), h.list...)
	}
	if i != last {
		h.put(i, moved)
	}
}

// put puts e where i is, or where it belongs from there.
func (h *timeHeap[T]) put(i int, e dated[T]) {
	if i > 0 && e.at < h.list[(i-1)/2].at {
		h.up(i, e)
		return
	}
	h.down(i, e)
}

func (h *timeHeap[T]) up(i int, e dated[T]) {
	for i > 0 {
		parent := (i - 1) / 2
		if h.list[parent].at <= e.at {
			break
		}
		h.set(i, h.list[parent])
		i = parent
	}
	h.set(i, e)
}

func (h *timeHeap[T]) down(i int, e dated[T]) {
	for {
		child := 2*i + 1
		if child >= len(h.list) {
			break
		}
		if right := child + 1; right < len(h.list) && h.list[right].at < h.list[child].at {
			child = right
		}
		if h.list[child].at >= e.at {
			break
		}
		h.set(i, h.list[child])
		i = child
	}
	h.set(i, e)
}

func (h *timeHeap[T]) set(i int, e dated[T]) {
	h.list[i] = e
	e.el.place = int32(i + 1)
}
