package main

import (
	"fmt"
	"io"
	"sync"
)

// heldOutput keeps back what is written while the terminal is in use for
// something else. It is safe for concurrent use.
type heldOutput struct {
	w io.Writer

	mu   sync.Mutex // guards the fields below and the writes
	held bool
	kept []byte
	lost int // bytes that were too many
}

// maxHeld bounds what is kept.
const maxHeld = 64 << 10

func (h *heldOutput) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.held {
		return h.w.Write(p)
	}
	if len(h.kept)+len(p) > maxHeld {
		h.lost += len(p)
	} else {
		h.kept = append(h.kept, p...)
	}
	return len(p), nil
}

func (h *heldOutput) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = true
}

// release writes what was kept.
func (h *heldOutput) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = h.w.Write(h.kept) // nowhere to tell that it failed
	if h.lost > 0 {
		fmt.Fprintf(h.w, "reeve: %d more bytes of the log were left out\n", h.lost)
	}
	h.held, h.kept, h.lost = false, nil, 0
}
