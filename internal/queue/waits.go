package queue

import (
	"iter"

	"github.com/reeveq/reeve"
)

// waits are the requests for the end of a task that wait for it. The zero value
// has none.
type waits struct {
	ids   map[reeve.ID]*wait // the first of each task
	holds map[*hold]*wait    // the first of each hold
	n     int
	crowd int // the most there were since the maps were made
}

// wait is one such request. It stands in two lists, its task's and its hold's;
// the first of each knows the last as the one before it.
type wait struct {
	op   *WaitOp
	hold *hold

	listed         bool
	prev, next     *wait // of its task
	before, behind *wait // of its hold
}

// len is how many wait.
func (s *waits) len() int { return s.n }

// add notes op of k, which begins to wait.
func (s *waits) add(k *hold, op *WaitOp) *wait {
	if s.ids == nil {
		s.ids, s.holds = map[reeve.ID]*wait{}, map[*hold]*wait{}
	}
	w := &wait{op: op, hold: k, listed: true}
	if first := s.ids[op.ID]; first != nil {
		w.prev = first.prev
		first.prev.next, first.prev = w, w
	} else {
		w.prev, s.ids[op.ID] = w, w
	}
	if first := s.holds[k]; first != nil {
		w.before = first.before
		first.before.behind, first.before = w, w
	} else {
		w.before, s.holds[k] = w, w
	}
	s.n++
	s.crowd = max(s.crowd, s.n)
	return w
}

// drop takes w, which waits, out.
func (s *waits) drop(w *wait) {
	w.listed = false
	first := s.ids[w.op.ID]
	switch {
	case first != w:
		w.prev.next = w.next
		if w.next != nil {
			w.next.prev = w.prev
		} else {
			first.prev = w.prev
		}
	case w.next != nil:
		w.next.prev = w.prev
		s.ids[w.op.ID] = w.next
	default:
		delete(s.ids, w.op.ID)
	}
	first = s.holds[w.hold]
	switch {
	case first != w:
		w.before.behind = w.behind
		if w.behind != nil {
			w.behind.before = w.before
		} else {
			first.before = w.before
		}
	case w.behind != nil:
		w.behind.before = w.before
		s.holds[w.hold] = w.behind
	default:
		delete(s.holds, w.hold)
	}
	s.n--
	if s.crowd > 64 && s.n <= s.crowd/16 {
		s.shrink()
	}
}

// shrink makes new maps: one keeps the memory of the most it ever held.
func (s *waits) shrink() {
	ids, holds := s.ids, s.holds
	s.ids, s.holds, s.crowd = make(map[reeve.ID]*wait, len(ids)), make(map[*hold]*wait, len(holds)), s.n
	for id, w := range ids {
		s.ids[id] = w
	}
	for k, w := range holds {
		s.holds[k] = w
	}
}

// take takes out all who wait for the task id, one at a time, in the order in
// which they came.
func (s *waits) take(id reeve.ID) iter.Seq[*wait] {
	return func(yield func(*wait) bool) {
		for w := s.ids[id]; w != nil; w = s.ids[id] {
			s.drop(w)
			if !yield(w) {
				return
			}
		}
	}
}

// takeOf does so for all requests of k.
func (s *waits) takeOf(k *hold) iter.Seq[*wait] {
	return func(yield func(*wait) bool) {
		for w := s.holds[k]; w != nil; w = s.holds[k] {
			s.drop(w)
			if !yield(w) {
				return
			}
		}
	}
}

// takeAll does so for all requests, those of a task together.
func (s *waits) takeAll() iter.Seq[*wait] {
	return func(yield func(*wait) bool) {
		for _, first := range s.ids {
			for w := range s.take(first.op.ID) {
				if !yield(w) {
					return
				}
			}
		}
	}
}
