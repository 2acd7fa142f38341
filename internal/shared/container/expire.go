package container

import (
	"container/heap"
	"time"
)

// due is a key that expires.
type due struct {
	key   string
	at    time.Time
	place int // in the heap
}

// dues are the keys that expire, the first one first.
type dues struct {
	heap  []*due
	byKey map[string]*due
}

func (d *dues) Len() int           { return len(d.heap) }
func (d *dues) Less(i, j int) bool { return d.heap[i].at.Before(d.heap[j].at) }

func (d *dues) Swap(i, j int) {
	d.heap[i], d.heap[j] = d.heap[j], d.heap[i]
	d.heap[i].place, d.heap[j].place = i, j
}

func (d *dues) Push(x any) {
	e := x.(*due)
	e.place = len(d.heap)
	d.heap = append(d.heap, e)
}

func (d *dues) Pop() any {
	last := len(d.heap) - 1
	e := d.heap[last]
	d.heap[last] = nil
	d.heap = d.heap[:last]
	return e
}

// set notes when a key expires; zero: never.
func (d *dues) set(key string, at time.Time) {
	e := d.byKey[key]
	switch {
	case at.IsZero() && e == nil:
	case at.IsZero():
		heap.Remove(d, e.place)
		delete(d.byKey, key)
	case e == nil:
		if d.byKey == nil {
			d.byKey = map[string]*due{}
		}
		e = &due{key: key, at: at}
		d.byKey[key] = e
		heap.Push(d, e)
	default:
		e.at = at
		heap.Fix(d, e.place)
	}
}

// first is when the next key expires; zero: never.
func (d *dues) first() time.Time {
	if len(d.heap) == 0 {
		return time.Time{}
	}
	return d.heap[0].at
}

// left is the time until at, at least 1 ns; 0: for ever.
func left(at, now time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(now), 1)
}
