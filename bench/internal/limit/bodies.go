package limit

import "sync"

// keptBodies is how many large payloads' memory is kept for others.
const keptBodies = 64

// bodies is memory for large payloads: to allocate it, that is to clear it, and
// to have the collector find it again costs as much as to carry it. Safe for
// concurrent use.
type bodies struct {
	mu   sync.Mutex // guards free
	free [][]byte
}

// get returns n bytes, of any content.
func (b *bodies) get(n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := len(b.free) - 1; last >= 0 {
		body := b.free[last]
		b.free = b.free[:last]
		if cap(body) >= n {
			return body[:n]
		}
	}
	return make([]byte, n)
}

// put takes back a payload that nobody uses any more, if it is a large one.
func (b *bodies) put(body []byte) {
	if cap(body) < uncopied {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.free) < keptBodies {
		b.free = append(b.free, body)
	}
}
