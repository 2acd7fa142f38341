package shared

import (
	"context"
	"sync"

	"github.com/reeveq/reeve"
)

// Hold is a lock, or places of a semaphore, or a leadership, that is held. It ends
// with Release, or when the connection to the master is lost: at once, or, where
// the object was declared with a Grace, if this client does not come back to the
// master in that time. Methods are safe for concurrent use.
//
// A process that was paused or cut off may believe that it holds a lock after
// another one got it. What the lock protects can tell by the Token.
type Hold struct {
	grip *grip

	mu    sync.Mutex // guards the fields below
	state holdState
}

type holdState uint8

const (
	isHeld    holdState = iota
	releasing           // a Release was begun, and what became of it is not known
	released
)

// Token is the fencing token: greater than that of any hold of the object before,
// also of earlier lives of the master, unless the clock of its machine was set back
// in between. What the lock protects should refuse
// whoever comes with a smaller one than it has seen. It is another one after a
// [Condition.Wait].
func (h *Hold) Token() uint64 { return h.grip.number() }

// Context ends when the hold does: with [reeve.ErrLeaseLost] and the reason as its
// cause when it was lost, and when it is released.
func (h *Hold) Context() context.Context { return h.grip.ctx }

// Release ends the hold; the next one who waits has it at once. It blocks until
// the master has answered. [reeve.ErrLeaseLost] says that the hold was lost before,
// [reeve.ErrNotLocked] that it was released already. With a ctx that has ended the
// hold is released as well, as by a defer: Release waits a second at most then. When
// it returns ctx's error, it may be called again.
func (h *Hold) Release(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == released {
		return reeve.ErrNotLocked
	}
	again := h.state == releasing
	h.state = releasing
	err := h.grip.release(ctx, again)
	if !isOver(err) {
		h.state = released
	}
	return err
}
