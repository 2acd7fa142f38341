package session

import (
	"io"
	"sync/atomic"
	"time"
)

// reader stands between the connection and yamux. It shows every frame's
// header to the guard, keeps the data for who reads the stream, and the account
// of what may be sent on it, and hands on to yamux only what opens and closes
// streams, as frames without a body: yamux would copy the data once more, and
// wake a goroutine where the one that reads the connection can do the work.
//
// What a large frame has not brought with its header is read straight into the
// stream's memory.
type reader struct {
	raw    io.Reader
	guard  *guard
	events *events
	clock  func() time.Duration
	fail   func(error) // ends the session

	reads atomic.Uint32 // number of reads that gave something
	last  atomic.Int64  // clock time of the last one

	// Owned by yamux's receive loop, the only caller of Read.
	err   error // what comes after the bytes at hand
	head  [headerSize]byte
	got   int                  // bytes of head that have come
	body  int                  // bytes of a data frame that are still to come
	flags uint16               // that frame's
	into  *flow                // which it is for; nil: nobody
	came  []*flow              // that something has come for and that have not been told
	out   []byte               // frames for yamux
	room  [2 * headerSize]byte // for most of those
}

// Read gives yamux what concerns it, at least one frame's header.
func (r *reader) Read(p []byte) (int, error) {
	for {
		if len(r.out) > 0 {
			n := copy(p, r.out)
			r.out = r.out[n:]
			return n, nil
		}
		if r.err != nil {
			r.fail(r.err)
			return 0, r.err
		}
		if r.body > 0 {
			r.readBody(p)
		} else {
			n := r.fill(p)
			r.scan(p[:n])
		}
		r.tell()
	}
}

// readBody reads on in a frame's data.
func (r *reader) readBody(spare []byte) {
	dst := spare
	if r.into != nil {
		if room := r.into.room(r.body); room != nil {
			dst = room
		} else {
			r.into = nil // closed meanwhile
		}
	}
	n := r.fill(dst[:min(len(dst), r.body)])
	if r.into != nil {
		r.into.commit(n)
	}
	r.bodyCame(n)
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

// scan goes through what was read.
func (r *reader) scan(b []byte) {
	for len(b) > 0 {
		if r.body > 0 {
			n := min(r.body, len(b))
			if r.into != nil {
				r.into.add(b[:n])
			}
			r.bodyCame(n)
			b = b[n:]
			continue
		}
		n := copy(r.head[r.got:], b)
		r.got += n
		b = b[n:]
		if r.got < headerSize {
			return
		}
		r.got = 0
		if err := r.begin(parseHeader(r.head[:])); err != nil {
			r.err = err
			return
		}
	}
}

// begin takes the header of a frame.
func (r *reader) begin(h header) error {
	if err := r.guard.check(h); err != nil {
		return err
	}
	if h.kind == typePing || h.kind == typeGoAway {
		r.pass(h)
		return nil
	}
	f := r.events.of(h)
	if h.flags != 0 { // of a data frame, too, of which yamux must not expect the data
		r.pass(header{kind: typeWindowUpdate, flags: h.flags, stream: h.stream})
	}
	if h.kind == typeWindowUpdate {
		if f != nil {
			f.credit.grant(h.length)
			r.ended(f, h.flags)
		}
		return nil
	}
	if f != nil && !f.admit(h.length) {
		return violation("more than a window of data on stream %d", h.stream)
	}
	r.into, r.body, r.flags = f, int(h.length), h.flags
	r.bodyCame(0)
	return nil
}

// pass has yamux take a frame that has no body.
func (r *reader) pass(h header) {
	if len(r.out) == 0 {
		r.out = r.room[:0]
	}
	r.out = h.append(r.out)
}

// bodyCame takes note of n bytes of a data frame, and of its end.
func (r *reader) bodyCame(n int) {
	if r.body -= n; r.body > 0 || r.into == nil {
		return
	}
	r.mark(r.into)
	r.ended(r.into, r.flags)
	r.into = nil
}

// ended takes note of the flags that end a stream.
func (r *reader) ended(f *flow, flags uint16) {
	switch {
	case flags&flagRST != 0:
		f.credit.end(ErrStreamReset)
		f.end(ErrStreamReset)
	case flags&flagFIN != 0:
		f.end(io.EOF)
	default:
		return
	}
	r.mark(f)
}

func (r *reader) mark(f *flow) {
	if !f.marked {
		f.marked = true
		r.came = append(r.came, f)
	}
}

// tell tells the users of the streams for which something has come. It comes
// after all that was read at a time, which may be answered together.
func (r *reader) tell() {
	for i, f := range r.came {
		r.came[i] = nil
		f.marked = false
		f.tell()
	}
	r.came = r.came[:0]
}
