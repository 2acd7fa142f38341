package session

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// flow is the data of one stream: what has come and was not read, and what may
// still be sent. Data does not pass through yamux, which opens and closes the
// streams: see Stream.Write and reader.
type flow struct {
	credit credit                 // of what is sent
	told   atomic.Pointer[func()] // called when something has come
	size   int64                  // the window given to the peer
	marked bool                   // in reader.came; owned by the reader

	mu      sync.Mutex // guards the fields below
	chunks  []chunk    // what has come, in order; the last takes more
	have    int        // bytes in them
	filling bool       // the reader fills the last one
	window  int64      // bytes that the peer may still send
	freed   int64      // bytes that were read, and not granted anew
	over    error      // why nothing more comes; nil: more may
	closed  bool       // nobody reads any more
	more    chan struct{}
}

// chunk is a piece of memory from one of the pools, which holds (*buf)[from:to].
type chunk struct {
	buf      *[]byte
	from, to int
}

// What comes in small frames mostly fits into a small chunk; a stream with
// nothing to read has none.
const (
	smallChunk = 4 << 10
	largeChunk = MaxFrame
)

var (
	smallChunks = sync.Pool{New: func() any { return new(make([]byte, smallChunk)) }}
	largeChunks = sync.Pool{New: func() any { return new(make([]byte, largeChunk)) }}

	errReadTimeout = errors.New("session: read timed out")
	errReadStopped = errors.New("session: read stopped")
	errEnded       = errors.New("session: ended") // the stream's user is told the session's cause
)

func newFlow(window uint32) *flow {
	return &flow{credit: credit{bytes: MinWindow}, size: int64(window), window: int64(window)}
}

// admit takes note that n bytes are about to come; false: more than was allowed.
func (f *flow) admit(n uint32) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.window -= int64(n)
	return f.window >= 0
}

// add adds what has come.
func (f *flow) add(b []byte) {
	for len(b) > 0 {
		dst := f.room(len(b))
		if dst == nil {
			return
		}
		n := copy(dst, b)
		f.commit(n)
		b = b[n:]
	}
}

// room is memory for up to n bytes that come next, to be filled and committed;
// nil: nobody wants them.
func (f *flow) room(n int) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.filling = true
	if k := len(f.chunks); k > 0 {
		if c := &f.chunks[k-1]; c.to < len(*c.buf) {
			return (*c.buf)[c.to:min(len(*c.buf), c.to+n)]
		}
	}
	pool := &smallChunks
	if n > smallChunk {
		pool = &largeChunks
	}
	buf := pool.Get().(*[]byte)
	f.chunks = append(f.chunks, chunk{buf: buf})
	return (*buf)[:min(len(*buf), n)]
}

// commit adds the n bytes that were put into the room.
func (f *flow) commit(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filling = false
	if f.closed {
		f.dropLocked()
		return
	}
	f.chunks[len(f.chunks)-1].to += n
	f.have += n
	f.trimLocked()
	if n > 0 {
		f.wakeLocked()
	}
}

// end says that nothing more comes; the first cause counts.
func (f *flow) end(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over == nil {
		f.over = cause
	}
	f.wakeLocked()
}

// close ends the reading.
func (f *flow) close() {
	f.credit.end(ErrStreamClosed)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if !f.filling {
		f.dropLocked()
	}
	f.wakeLocked()
}

// read waits for something to come and takes of it what p has room for, until
// one of the channels has something. What it returns as grant is to be granted
// to the peer.
func (f *flow) read(p []byte, stop <-chan struct{}, timeout <-chan time.Time) (n int, grant uint32, err error) {
	for {
		f.mu.Lock()
		switch {
		case f.closed:
			err = ErrStreamClosed
		case f.over == ErrStreamReset:
			err = f.over
		case f.have > 0 || len(p) == 0:
			n = f.takeLocked(p)
			if f.freed >= f.size/2 && f.over == nil {
				grant = uint32(f.freed)
				f.window += f.freed
				f.freed = 0
			}
			f.mu.Unlock()
			return n, grant, nil
		default:
			err = f.over
		}
		if err != nil {
			f.mu.Unlock()
			return 0, 0, err
		}
		if f.more == nil {
			f.more = make(chan struct{})
		}
		more := f.more
		f.mu.Unlock()
		select {
		case <-more:
		case <-stop:
			return 0, 0, errReadStopped
		case <-timeout:
			return 0, 0, errReadTimeout
		}
	}
}

// takeLocked takes what p has room for.
func (f *flow) takeLocked(p []byte) int {
	n := 0
	for i := range f.chunks {
		c := &f.chunks[i]
		k := copy(p[n:], (*c.buf)[c.from:c.to])
		c.from += k
		if n += k; c.from < c.to {
			break
		}
	}
	f.have -= n
	f.freed += int64(n)
	f.trimLocked()
	return n
}

// trimLocked gives back the chunks at the front that are empty, but for one
// that is being filled.
func (f *flow) trimLocked() {
	n := 0
	for n < len(f.chunks) && f.chunks[n].from == f.chunks[n].to && !(f.filling && n == len(f.chunks)-1) {
		giveChunk(f.chunks[n].buf)
		n++
	}
	switch {
	case n == len(f.chunks):
		f.chunks = nil
	case n > 0:
		clear(f.chunks[:n])
		f.chunks = f.chunks[n:]
	}
}

func (f *flow) dropLocked() {
	for _, c := range f.chunks {
		giveChunk(c.buf)
	}
	f.chunks, f.have = nil, 0
}

func giveChunk(buf *[]byte) {
	if len(*buf) == smallChunk {
		smallChunks.Put(buf)
	} else {
		largeChunks.Put(buf)
	}
}

// wakeLocked wakes who waits in read.
func (f *flow) wakeLocked() {
	if f.more != nil {
		close(f.more)
		f.more = nil
	}
}

// readable reports whether read would not wait.
func (f *flow) readable() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.have > 0 || f.over != nil
}

// tell tells the stream's user that there is something to read.
func (f *flow) tell() {
	if told := f.told.Load(); told != nil {
		(*told)()
	}
}

// peek shows what has come so far to show, which must not keep it; false when
// that is not in one piece.
func (f *flow) peek(show func(b []byte) bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.chunks) != 1 || f.have == 0 || f.over != nil {
		return false
	}
	c := f.chunks[0]
	return show((*c.buf)[c.from:c.to])
}
