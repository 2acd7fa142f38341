package session

import (
	"io"
	"sync/atomic"
	"time"
)

// reader takes frames off the connection, one header and one body at a time,
// and shows each header to the guard before anything is done about it. It has
// no buffer: below it is TLS, which keeps the rest of a record, so that a short
// read costs 0.1 µs and no system call, and what is read goes straight to where
// it belongs. A session that waits for its peer holds 12 bytes for it.
type reader struct {
	raw   io.Reader
	guard *guard
	clock func() time.Duration
	odd   oddities

	last atomic.Int64 // clock time of the last bytes

	// Owned by Session.receive.
	head   [headerSize]byte
	recent *Stream // of the last data frame
}

// header waits for the next frame.
func (r *reader) header() (header, error) {
	for n := 0; n < headerSize; {
		k, err := r.read(r.head[n:])
		n += k
		if err != nil && n < headerSize {
			return header{}, err
		}
	}
	h := parseHeader(r.head[:])
	return h, r.guard.check(h)
}

// read waits for some bytes.
func (r *reader) read(p []byte) (int, error) {
	n, err := r.raw.Read(p)
	if n > 0 {
		r.last.Store(int64(r.clock()))
	}
	if err != nil {
		err = lost(err)
	}
	return n, err
}

// receive does what the peer's frames say until the session ends. It waits for
// nothing but the connection: what it has to send is noted for others to write. What
// is told by OnReadable and OnStream runs here, too, and must not wait either.
func (s *Session) receive() {
	defer s.running.Done()
	for {
		h, err := s.reader.header()
		if err == nil {
			err = s.frame(h)
		}
		if err != nil {
			s.Fail(err)
			return
		}
	}
}

// frame does what one frame says. Whoever waits for it is told when it is
// there as a whole.
func (s *Session) frame(h header) error {
	switch h.kind {
	case typePing:
		if h.flags&flagSYN != 0 {
			s.writer.post(header{kind: typePing, flags: flagACK, length: h.length})
		}
		return nil
	case typeGoAway:
		return s.goodbye(h.length)
	}
	return s.streamFrame(h)
}

// goodbye takes note of the peer's wish to have no more streams opened; one
// that complains ends the session.
func (s *Session) goodbye(reason uint32) error {
	switch reason {
	case goodbyeNormal:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.shut = true
		return nil
	case goodbyeProtocol:
		return violation("the peer says: protocol error")
	case goodbyeInternal:
		return violation("the peer says: internal error")
	}
	return violation("goodbye for an unknown reason, %d", reason)
}

func (s *Session) streamFrame(h header) error {
	if h.flags&flagSYN != 0 {
		if err := s.incoming(h.stream); err != nil {
			return err
		}
	}
	st := s.reader.recent
	if st == nil || st.id != h.stream || st.over.Load() {
		st = s.stream(h.stream)
		s.reader.recent = st
	}
	if st == nil {
		s.reader.odd.note("frame for missing stream", h)
		return s.discard(h.body())
	}
	if h.kind == typeWindowUpdate {
		st.grant(h.length)
	} else if err := s.body(st, h.body()); err != nil {
		return err
	}
	if h.flags&(flagFIN|flagRST) != 0 {
		over, err := st.end(h.flags)
		if err != nil {
			return err
		}
		if over {
			s.remove(st)
		}
		st.tell()
	} else if h.body() > 0 {
		st.tell()
	}
	if h.flags&flagSYN != 0 {
		s.arrive(st)
	}
	return nil
}

// body reads n bytes into a stream's inbox.
func (s *Session) body(st *Stream, n int) error {
	for n > 0 {
		p, err := st.space(n)
		if err != nil {
			return err
		}
		if p == nil {
			return s.discard(n)
		}
		k, err := s.reader.read(p)
		st.filled(k)
		n -= k
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}

// discard reads n bytes that nobody wants.
func (s *Session) discard(n int) error {
	if n == 0 {
		return nil
	}
	c := newChunk(n)
	defer c.free()
	for n > 0 {
		k, err := s.reader.read(c.b[:min(n, len(c.b))])
		n -= k
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}
