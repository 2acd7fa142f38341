package session

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// reader stands between the connection and yamux. It shows every frame's
// header to the guard and hands on whole frames only: yamux holds a stream's
// lock from a frame's header to the end of its body, and allocates for the
// whole body at its header, so it must never wait for a peer in between.
//
// While nothing but whole frames come, bytes go straight into the caller's
// buffer. A frame that came in part is kept in a buffer from a pool until the
// rest is there.
type reader struct {
	raw   io.Reader
	guard *guard
	clock func() time.Duration
	fail  func(error) // ends the session

	frames func(header) // told of every frame that came whole

	reads atomic.Uint32 // number of reads that gave something
	last  atomic.Int64  // clock time of the last one

	// Owned by yamux's receive loop, the only caller of Read.
	err   error   // what comes after the frames at hand
	frame int     // size of the frame that came in part, 0 while its header is not complete
	head  header  // its header
	buf   *[]byte // nil when nothing is kept
	from  int     // (*buf)[from:whole] are frames to hand on
	whole int
	upto  int // (*buf)[whole:upto] is the frame that came in part
}

// Read gives what has come of whole frames, at least one byte.
func (r *reader) Read(p []byte) (int, error) {
	for {
		if n := r.handOn(p); n > 0 {
			return n, nil
		}
		if r.err != nil {
			r.fail(r.err)
			r.drop()
			return 0, r.err
		}
		if r.buf == nil {
			if n := r.readInto(p); n > 0 {
				return n, nil
			}
		} else {
			r.readMore()
		}
	}
}

// readInto reads into the caller's buffer, keeps what follows the last whole
// frame, and returns the bytes before that.
func (r *reader) readInto(p []byte) int {
	n := r.fill(p)
	whole := r.scan(p[:n])
	if whole < n && r.err == nil {
		r.buf = readBuffers.Get().(*[]byte)
		r.from, r.whole = 0, 0
		r.upto = copy(*r.buf, p[whole:n])
	}
	return whole
}

// readMore reads on into the buffer where a frame waits for its rest.
func (r *reader) readMore() {
	n := r.fill((*r.buf)[r.upto:])
	r.upto += n
	r.whole += r.scan((*r.buf)[r.whole:r.upto])
}

// handOn gives whole frames from the buffer, and the buffer back when they
// were the last it held.
func (r *reader) handOn(p []byte) int {
	if r.buf == nil || r.from == r.whole {
		return 0
	}
	n := copy(p, (*r.buf)[r.from:r.whole])
	r.from += n
	if r.from == r.whole {
		r.upto = copy(*r.buf, (*r.buf)[r.whole:r.upto])
		r.from, r.whole = 0, 0
		if r.upto == 0 {
			r.drop()
		}
	}
	return n
}

func (r *reader) drop() {
	if r.buf != nil {
		readBuffers.Put(r.buf)
		r.buf = nil
	}
}

func (r *reader) fill(p []byte) int {
	n, err := r.raw.Read(p)
	if n > 0 {
		r.last.Store(int64(r.clock()))
		r.reads.Add(1)
	}
	if err != nil {
		r.err = lost(err)
	}
	return n
}

// scan goes through the frames of b, which begins where a frame begins, and
// returns how many bytes are whole frames that the guard let pass. Each
// header is shown to the guard once.
func (r *reader) scan(b []byte) int {
	whole := 0
	for {
		if r.frame == 0 {
			if len(b)-whole < headerSize {
				return whole
			}
			h := parseHeader(b[whole:])
			if err := r.guard.check(h); err != nil {
				r.err = err
				return whole
			}
			r.frame, r.head = headerSize+h.body(), h
		}
		if len(b)-whole < r.frame {
			return whole
		}
		r.frames(r.head)
		whole += r.frame
		r.frame = 0
	}
}

// readBuffers hold one frame of any size.
var readBuffers = sync.Pool{New: func() any {
	b := make([]byte, headerSize+MaxFrame)
	return &b
}}
