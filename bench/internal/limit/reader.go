package limit

import "io"

const (
	smallChunk = 2 << 10
	largeChunk = 64 << 10
)

// reader takes messages from a connection, all that are there with one read.
// Where its codec shares them, payloads stay where they were read, and those
// bytes are not written again; a large one is read into memory of its own. One
// goroutine uses it at a time.
type reader struct {
	conn     io.Reader
	codec    codec
	bodies   *bodies
	buf      []byte
	from, to int // what of buf was read and not parsed
	size     int // of the next buf: small until traffic comes
	need     int // how long the message at from is, as far as it is known

	head message // of body, if that is not nil
	body []byte  // a large payload, of which got bytes were read
	got  int
}

func newReader(conn io.Reader, c codec, b *bodies) *reader {
	return &reader{conn: conn, codec: c, bodies: b, size: smallChunk}
}

// fill reads once, at least one byte. It blocks until there is one, or the
// connection ends or its deadline passes; it can be called again after that.
func (r *reader) fill() error {
	if r.body != nil {
		n, err := r.read(r.body[r.got:])
		r.got += n
		return err
	}
	old := r.buf[r.from:r.to]
	free := len(r.buf) - r.to
	if missing := r.need - len(old); free < missing || free < r.size/4 && r.need <= largeChunk {
		if r.codec.shares() || r.need > len(r.buf) || len(r.buf) < r.size {
			r.buf = make([]byte, max(r.size, r.need))
		}
		r.from, r.to = 0, copy(r.buf, old)
	}
	n, err := r.read(r.buf[r.to:])
	r.to += n
	if n >= r.size/2 {
		r.size = min(2*r.size, largeChunk)
	}
	return err
}

// read reads at least one byte, or returns why not.
func (r *reader) read(b []byte) (int, error) {
	n, err := r.conn.Read(b)
	switch {
	case n > 0:
		return n, nil
	case err == nil:
		return 0, io.ErrNoProgress
	}
	return 0, err
}

// next reads the next message into m. It returns false when fill has to read
// more first.
func (r *reader) next(m *message) (bool, error) {
	if r.body != nil {
		if r.got < len(r.body) {
			return false, nil
		}
		*m = r.head
		m.Payload, r.body = r.body, nil
		return true, nil
	}
	n, err := r.codec.parse(r.buf[r.from:r.to], m)
	if err != nil {
		return false, err
	}
	if n > r.to-r.from {
		r.need = n
		if n >= uncopied {
			r.large(n)
		}
		return false, nil
	}
	r.from += n
	r.need = 0
	return true, nil
}

// large begins to read a message of n bytes by itself, where the codec can.
func (r *reader) large(n int) {
	head := r.codec.head(r.buf[r.from:r.to], &r.head)
	if head == 0 {
		return
	}
	r.body = r.bodies.get(n - head)
	r.got = copy(r.body, r.buf[r.from+head:r.to])
	r.from, r.need = r.to, 0
}
