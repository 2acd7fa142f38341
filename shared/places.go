package shared

import "sync"

// places are the holds that were acquired through one handle, for [Semaphore.Release]
// to end them.
type places struct {
	mu      sync.Mutex // guards the fields below
	byToken map[uint64]*grip
	early   map[uint64]struct{} // ended before it was known here that they were acquired
}

func newPlaces() *places {
	return &places{byToken: map[uint64]*grip{}, early: map[uint64]struct{}{}}
}

// add notes a hold, which may have ended already.
func (p *places) add(h *Hold) {
	g, token := h.grip, h.Token()
	p.mu.Lock()
	_, over := p.early[token]
	delete(p.early, token)
	if !over {
		p.byToken[token] = g
	}
	p.mu.Unlock()
	if over {
		g.endAll()
		return
	}
	g.mu.Lock()
	g.left = func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.byToken, token)
	}
	g.mu.Unlock()
	if g.ctx.Err() != nil {
		g.left()
	}
}

// ended ends the holds of which the master said so.
func (p *places) ended(tokens []uint64) {
	for _, token := range tokens {
		p.mu.Lock()
		g := p.byToken[token]
		if g == nil {
			p.early[token] = struct{}{}
		}
		p.mu.Unlock()
		if g != nil {
			g.endAll()
		}
	}
}
