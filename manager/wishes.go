package manager

import (
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve"
)

// smallWish is up to where what a Get or a consumer wants counts for nothing:
// there are not so many of them.
const smallWish = 1 << 10

// wishes are the bytes of the types and labels that the waiting Gets and the
// consumers of one client want, of those that want much: each may name a
// thousand types, and every queue keeps what it is asked for.
type wishes struct {
	some atomic.Bool // there are any; written with mu held

	mu   sync.Mutex // guards the fields below; nothing else is locked with it held
	size int64
	of   map[wisher]int64
}

// wisher is a Get or a consumer, by the number that its client gave it.
type wisher struct {
	consumer bool
	id       uint64
}

// add notes what one wants. An error says that all together take max bytes.
func (w *wishes) add(by wisher, size, max int64) error {
	if size <= smallWish {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.size - w.of[by] + size; now > max {
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "bytes of the types and labels that one client wants", Value: now, Max: max, Set: "Config.MaxWaiting"}
	}
	if w.of == nil {
		w.of = map[wisher]int64{}
	}
	w.size += size - w.of[by]
	w.of[by] = size
	w.some.Store(true)
	return nil
}

// remove forgets what one wanted.
func (w *wishes) remove(by wisher) {
	if !w.some.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.size -= w.of[by]
	delete(w.of, by)
	if len(w.of) == 0 {
		w.of = nil
		w.some.Store(false)
	}
}
