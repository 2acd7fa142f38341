package session

import "sync"

// inbox holds what has come for a stream and was not read. It consists of
// chunks from pools, so an empty one holds no memory, whatever it has held.
//
// One goroutine fills it and one reads it, at the same time: bytes go straight
// from the connection into the last chunk, without the lock that guards all
// else here, between space and filled.
type inbox struct {
	first, last *chunk
	size        int  // bytes that were not read
	filling     bool // somebody fills the last chunk
}

// chunk is a piece of an inbox: b[from:upto] was not read.
type chunk struct {
	next       *chunk
	from, upto int
	b          []byte
}

// Sizes of chunks: for a few messages, and for a flow.
const (
	smallChunk = 2 << 10
	largeChunk = 64 << 10
)

var (
	smallChunks = sync.Pool{New: func() any { return &chunk{b: make([]byte, smallChunk)} }}
	largeChunks = sync.Pool{New: func() any { return &chunk{b: make([]byte, largeChunk)} }}
)

// newChunk takes a chunk for n bytes or some of them.
func newChunk(n int) *chunk {
	if n <= smallChunk {
		return smallChunks.Get().(*chunk)
	}
	return largeChunks.Get().(*chunk)
}

func (c *chunk) free() {
	c.next, c.from, c.upto = nil, 0, 0
	if len(c.b) == smallChunk {
		smallChunks.Put(c)
	} else {
		largeChunks.Put(c)
	}
}

// space returns where to put up to n bytes, at least one. It is the caller's until
// filled.
func (in *inbox) space(n int) []byte {
	if in.last == nil || in.last.upto == len(in.last.b) {
		c := newChunk(n)
		if in.last == nil {
			in.first = c
		} else {
			in.last.next = c
		}
		in.last = c
	}
	in.filling = true
	free := in.last.b[in.last.upto:]
	return free[:min(n, len(free))]
}

// filled says how much was put into the space.
func (in *inbox) filled(n int) {
	in.filling = false
	in.last.upto += n
	in.size += n
	in.shed()
}

// read moves bytes into p.
func (in *inbox) read(p []byte) int {
	n := 0
	for n < len(p) && in.size > 0 {
		c := in.first
		k := copy(p[n:], c.b[c.from:c.upto])
		c.from += k
		in.size -= k
		n += k
		in.shed()
	}
	return n
}

// front is what comes next and is in one piece; nil: nothing.
func (in *inbox) front() []byte {
	if in.size == 0 {
		return nil
	}
	return in.first.b[in.first.from:in.first.upto]
}

// drop throws away what was not read.
func (in *inbox) drop() {
	in.size = 0
	for c := in.first; c != nil; c = c.next {
		c.from = c.upto
	}
	in.shed()
}

// shed frees the chunks that were read to the end, but not the one that is
// being filled.
func (in *inbox) shed() {
	for c := in.first; c != nil && c.from == c.upto && !(c == in.last && in.filling); c = in.first {
		in.first = c.next
		if in.first == nil {
			in.last = nil
		}
		c.free()
	}
}
