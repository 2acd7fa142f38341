package manager

import (
	"sync"

	"github.com/reeveq/reeve/internal/queue"
)

// consumers are those of one client, by the number it gave them. Its methods
// are short and unlock by defer, so that no panic in a request holds up the
// end of the session.
type consumers struct {
	mu   sync.Mutex                // guards the field below; nothing else is locked with it held
	byID map[uint64]queue.Standing // nil: its place, until there is one
}

// get returns the consumer id, or nil.
func (t *consumers) get(id uint64) queue.Standing {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// reserve makes a place for a new consumer, unless there are max. It returns
// the one that is there already, which may be nil when it is about to be.
func (t *consumers) reserve(id uint64, max int) (c queue.Standing, known, full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, known = t.byID[id]; known {
		return c, true, false
	}
	if len(t.byID) >= max {
		return nil, false, true
	}
	if t.byID == nil {
		t.byID = map[uint64]queue.Standing{}
	}
	t.byID[id] = nil
	return nil, false, false
}

// set fills a place; false when it was given up meanwhile.
func (t *consumers) set(id uint64, c queue.Standing) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, wanted := t.byID[id]
	if wanted {
		t.byID[id] = c
	}
	return wanted
}

// remove gives a place up and returns who had it, or nil.
func (t *consumers) remove(id uint64) queue.Standing {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.byID[id]
	delete(t.byID, id)
	return c
}
