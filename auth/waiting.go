package auth

import (
	"container/heap"
	"container/list"
	"sync"
)

// waiting holds the connections that have not authenticated yet. It never
// refuses a newcomer: when it is full, in all or for one source, the oldest
// connection of the most crowded phase goes. Attackers gather in the phase in
// which they stall; an honest client passes through all of them in
// milliseconds, so it is never the oldest of the most crowded one. It is safe
// for concurrent use.
type waiting struct {
	max, maxPerSource int

	mu      sync.Mutex // guards the fields below, and entries and sources
	phases  [phases]list.List
	sources map[string]*source
	heavy   sourceHeap // the same sources, the one with most connections first
	count   int
}

// entry is one connection in waiting.
type entry struct {
	cut func() // closes the connection; called without waiting.mu

	// Guarded by waiting.mu.
	phase     phase
	source    *source
	all, own  *list.Element // in waiting.phases and source.phases; nil once out
	wasThrown bool
}

// source is who the connections come from.
type source struct {
	name   string
	phases [phases]list.List
	count  int
	index  int // in waiting.heavy
}

func newWaiting(max, maxPerSource int) *waiting {
	return &waiting{max: max, maxPerSource: maxPerSource, sources: make(map[string]*source)}
}

// add lets a newcomer in, and cuts off another if it has to. cut must not block
// for long and not call back into waiting.
func (w *waiting) add(name string, cut func()) *entry {
	e := &entry{cut: cut}
	w.mu.Lock()
	victim := w.addLocked(name, e)
	w.mu.Unlock()
	if victim != nil {
		victim.cut()
	}
	return e
}

func (w *waiting) addLocked(name string, e *entry) (victim *entry) {
	s := w.sources[name]
	switch {
	case s != nil && s.count >= w.maxPerSource:
		victim = oldest(&s.phases)
	case w.count >= w.max && w.heavy[0].count > 1:
		victim = oldest(&w.heavy[0].phases)
	case w.count >= w.max: // one connection each: all count as one source
		victim = oldest(&w.phases)
	}
	if victim != nil {
		victim.wasThrown = true
		w.removeLocked(victim)
	}
	if s = w.sources[name]; s == nil { // (again: it may have been the victim's)
		s = &source{name: name}
		w.sources[name] = s
		heap.Push(&w.heavy, s)
	}
	e.source = s
	w.count++
	s.count++
	heap.Fix(&w.heavy, s.index)
	w.linkLocked(e, phaseSilent)
	return victim
}

// moved notes that e has reached a phase.
func (w *waiting) moved(e *entry, p phase) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.all == nil {
		return
	}
	w.unlinkLocked(e)
	w.linkLocked(e, p)
}

// remove takes e out. It reports whether e had not been cut off before.
func (w *waiting) remove(e *entry) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.all != nil {
		w.removeLocked(e)
	}
	return !e.wasThrown
}

func (w *waiting) removeLocked(e *entry) {
	w.unlinkLocked(e)
	e.all, e.own = nil, nil
	s := e.source
	w.count--
	s.count--
	if s.count > 0 {
		heap.Fix(&w.heavy, s.index)
		return
	}
	heap.Remove(&w.heavy, s.index)
	delete(w.sources, s.name)
}

func (w *waiting) linkLocked(e *entry, p phase) {
	e.phase = p
	e.all = w.phases[p].PushBack(e)
	e.own = e.source.phases[p].PushBack(e)
}

func (w *waiting) unlinkLocked(e *entry) {
	w.phases[e.phase].Remove(e.all)
	e.source.phases[e.phase].Remove(e.own)
}

func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// oldest is the one that has been longest in the most crowded phase.
func oldest(lists *[phases]list.List) *entry {
	crowded := &lists[0]
	for i := range lists {
		if lists[i].Len() > crowded.Len() {
			crowded = &lists[i]
		}
	}
	e, _ := crowded.Front().Value.(*entry)
	return e
}

// sourceHeap implements heap.Interface.
type sourceHeap []*source

func (h sourceHeap) Len() int           { return len(h) }
func (h sourceHeap) Less(i, j int) bool { return h[i].count > h[j].count }

func (h sourceHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push adds x at the end.
func (h *sourceHeap) Push(x any) {
	s := x.(*source)
	s.index = len(*h)
	*h = append(*h, s)
}

// Pop takes the last.
func (h *sourceHeap) Pop() any {
	old := *h
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return s
}
