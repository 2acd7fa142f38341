package limit

import "io"

const (
	smallChunk = 4 << 10
	largeChunk = 64 << 10
)

// reader takes messages from a connection, all that are there with one read.
// Where its codec shares them, payloads stay where they were read, and those
// bytes are never written again. One goroutine uses it at a time.
type reader struct {
	conn     io.Reader
	codec    codec
	buf      []byte
	from, to int // what of buf was read and not parsed
	size     int // of the next buf: small until traffic comes
	need     int // how long the message at from is, as far as it is known
}

func newReader(conn io.Reader, c codec) *reader {
	return &reader{conn: conn, codec: c, size: smallChunk}
}

// fill reads once, at least one byte. It blocks until there is one, or the
// connection ends or its deadline passes; it can be called again after that.
func (r *reader) fill() error {
	old := r.buf[r.from:r.to]
	if len(r.buf)-r.to < max(r.need-len(old), r.size/4) {
		if r.codec.shares() || r.need > len(r.buf) || len(r.buf) < r.size {
			r.buf = make([]byte, max(r.size, r.need))
		}
		r.from, r.to = 0, copy(r.buf, old)
	}
	n, err := r.conn.Read(r.buf[r.to:])
	r.to += n
	if n > 0 {
		if n >= r.size/2 {
			r.size = min(2*r.size, largeChunk)
		}
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// next reads the next message into m. It returns false when fill has to read
// more first.
func (r *reader) next(m *message) (bool, error) {
	n, err := r.codec.parse(r.buf[r.from:r.to], m)
	if err != nil {
		return false, err
	}
	if n > r.to-r.from {
		r.need = n
		return false, nil
	}
	r.from += n
	r.need = 0
	return true, nil
}
