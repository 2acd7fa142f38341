package locking

import (
	"fmt"
	"slices"

	"github.com/reeveq/reeve"
)

// Who waits for a lock waits for its holders and for those before it in the queue.
// Waiting that would close a circle of such waits is refused, so that there never
// is one: only who begins to wait adds to what is waited for. Semaphores and
// elections are not counted in: a semaphore may be released by one who holds
// nothing, so that a wait for it is no wait for anybody in particular.

// standing is what makes an owner part of a deadlock.
type standing struct {
	holds int
	waits []*waiter // its own, and those that it waits with
}

func (sp *space) standing(o owner) *standing {
	s := sp.busy[o]
	if s == nil {
		s = &standing{}
		sp.busy[o] = s
	}
	return s
}

// rest forgets an owner that has nothing and waits for nothing.
func (sp *space) rest(o owner) {
	if s := sp.busy[o]; s != nil && s.holds == 0 && len(s.waits) == 0 {
		delete(sp.busy, o)
	}
}

// waits notes that w waits.
func (sp *space) waits(w *waiter) {
	if !w.gate.tracked {
		return
	}
	for _, o := range w.owners() {
		s := sp.standing(o)
		s.waits = append(s.waits, w)
	}
}

// waitsNot notes that w does not wait any more.
func (sp *space) waitsNot(w *waiter) {
	if !w.gate.tracked {
		return
	}
	for _, o := range w.owners() {
		s := sp.standing(o)
		if i := slices.Index(s.waits, w); i >= 0 {
			s.waits = slices.Delete(s.waits, i, i+1)
		}
		sp.rest(o)
	}
}

func (w *waiter) owners() []owner { return append([]owner{w.owner}, w.above...) }

// deadlock is a [*reeve.DeadlockError] if w would wait for itself.
func (sp *space) deadlock(w *waiter) error {
	if !w.gate.tracked {
		return nil
	}
	s := search{sp: sp, seen: map[*waiter]bool{}, held: map[*gate]bool{}}
	for _, o := range w.owners() {
		if sp.busy[o] != nil {
			s.ends = append(s.ends, o)
		}
	}
	if len(s.ends) == 0 || !s.from(w) { // nobody waits for one who has nothing
		return nil
	}
	slices.Reverse(s.path)
	return &reeve.DeadlockError{Cycle: s.path}
}

// search looks for a way from one who waits to one of the owners ends. It comes to
// nobody twice: it takes no longer than there are holds and waits.
type search struct {
	sp   *space
	ends []owner
	seen map[*waiter]bool // from was called for these, or for one who waits for all that they do
	held map[*gate]bool   // whose holders were gone through
	path []string         // from its end to its beginning
}

// from reports whether w waits for one of the ends.
func (s *search) from(w *waiter) bool {
	g := w.gate
	s.seen[w] = true
	if len(g.holds) > 0 && !(w.read && g.holds[0].read) && !s.held[g] { // one who writes is the only one
		s.held[g] = true
		for _, h := range g.holds {
			if s.through(h.owner) {
				s.path = append(s.path, fmt.Sprintf("%s held by %v", g.name, h.owner))
				return true
			}
		}
	}
	if !g.readers {
		return false // those before it wait for the same holder
	}
	e := g.queue.Back()
	if w.place != nil {
		e = w.place.Prev()
	}
	for ; e != nil; e = e.Prev() {
		u := e.Value.(*waiter)
		if w.read && u.read {
			continue
		}
		known := s.seen[u]
		if !w.read {
			s.seen[u] = true // w goes where u would
		}
		if s.through(u.owner) {
			s.path = append(s.path, fmt.Sprintf("%s awaited before by %v", g.name, u.owner))
			return true
		}
		if w.read || known && !u.read {
			break // u waits for all before it
		}
	}
	return false
}

// through reports whether o is one of the ends or waits for one of them.
func (s *search) through(o owner) bool {
	if slices.Contains(s.ends, o) {
		return true
	}
	st := s.sp.busy[o]
	if st == nil {
		return false
	}
	for _, w := range st.waits {
		if !s.seen[w] && s.from(w) {
			return true
		}
	}
	return false
}
