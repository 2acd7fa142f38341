package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve"
)

const (
	restSize   = 512           // what a Reader that waits holds
	bufferSize = MaxSmallFrame // what it holds while data flows
	maxIdle    = 100           // reads in a row that bring nothing
)

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Reader cuts a stream into frames. It allocates nothing on the word of a
// header: a frame beyond the limit is an error at once, and memory for a large
// one is taken as it arrives, never more than what has arrived and 64 KiB,
// until the peer has really sent a frame of that size. A Reader that waits for
// the next frame holds 512 bytes.
//
// It is not safe for concurrent use; SetMax is.
type Reader struct {
	r   io.Reader
	max atomic.Uint32

	buf   []byte // rest or big
	begin int    // what was read and not returned is buf[begin:end]
	end   int
	big   *[bufferSize]byte
	rest  [restSize]byte

	owned  bool
	earned int // the largest frame that has arrived
	err    error

	budget func(n int) (release func(), err error)
	spent  func() // gives back the budget of the last frame
}

// NewReader makes a Reader of frames of at most max bytes (without the
// header); 0 means [DefaultMaxFrame].
func NewReader(r io.Reader, max int) *Reader {
	rd := &Reader{r: r}
	rd.buf = rd.rest[:]
	rd.SetMax(max)
	return rd
}

// Reset makes r, which rests or has failed, a Reader of rd, with the limit that
// it had.
func (r *Reader) Reset(rd io.Reader) {
	r.giveBack()
	r.dropBig()
	r.r, r.err, r.owned, r.earned, r.budget = rd, nil, false, 0, nil
	r.begin, r.end, r.buf = 0, 0, r.rest[:]
}

// Empty reports whether nothing is kept that was read and not returned.
func (r *Reader) Empty() bool { return r.begin == r.end }

// SetMax changes the limit, from the next frame on.
func (r *Reader) SetMax(max int) {
	if max <= 0 {
		max = DefaultMaxFrame
	}
	r.max.Store(uint32(min(max, math.MaxUint32)))
}

// SetBudget has f called before memory for a frame larger than [MaxSmallFrame]
// is taken; it may wait. release is called by the Next after the frame, or when
// the frame does not arrive. An error of f is that of Next.
func (r *Reader) SetBudget(f func(n int) (release func(), err error)) { r.budget = f }

// Next waits for the next frame and returns it without its header. It is valid
// until the next call of Next, unless it is Owned. The error is io.EOF when
// the stream ended between two frames, [io.ErrUnexpectedEOF] when it ended in
// one, and matches [reeve.ErrProtocol] when the length is out of range. After
// an error there is no next frame.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.giveBack()
	frame, err := r.next()
	if err != nil {
		r.giveBack()
		r.err = err
		r.Release()
	}
	return frame, err
}

// Owned reports whether the last frame has memory of its own, which the caller
// may keep. Frames larger than [MaxSmallFrame] do.
func (r *Reader) Owned() bool { return r.owned }

// Buffered tells whether the next Next has something to work on: 0 means that
// it may block, and what was gathered in answer to the frames before should be
// sent first. Otherwise it is the number of bytes that were read and not
// returned: they hold a whole frame, or the begin of one and the last read
// brought as much as it could, so that more is waiting in the stream.
func (r *Reader) Buffered() int {
	have := r.end - r.begin
	switch {
	case have == 0:
		return 0
	case r.end == len(r.buf):
		return have
	case have < HeaderLen || have-HeaderLen < int(binary.BigEndian.Uint32(r.buf[r.begin:])):
		return 0
	}
	return have
}

// Release ends the Reader and gives its buffer back. No frame that is not
// owned is valid any more. It is not needed after an error.
func (r *Reader) Release() {
	if r.err == nil {
		r.err = fmt.Errorf("%w: reader released", reeve.ErrClosed)
	}
	r.giveBack()
	r.begin, r.end = 0, 0
	r.dropBig()
}

func (r *Reader) giveBack() {
	if r.spent != nil {
		r.spent()
		r.spent = nil
	}
}

func (r *Reader) next() ([]byte, error) {
	r.owned = false
	if err := r.fill(HeaderLen); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(r.buf[r.begin:])
	if max := r.max.Load(); n > max {
		return nil, &violation{in: "frame", what: wrongLimit, limit: &reeve.LimitError{
			Kind: reeve.ErrTooLarge, Limit: "frame bytes", Value: int64(n), Max: int64(max),
		}}
	}
	if n < 2 {
		return nil, &violation{in: "frame", what: "shorter than a message"}
	}
	r.begin += HeaderLen
	if n > MaxSmallFrame {
		return r.large(int(n))
	}
	if err := r.fill(int(n)); err != nil {
		return nil, unexpected(err)
	}
	frame := r.buf[r.begin : r.begin+int(n) : r.begin+int(n)]
	r.begin += int(n)
	return frame, nil
}

// fill waits until n bytes are there, at most bufferSize. While nothing is
// there to be kept the small buffer is used: the read that follows is the one
// that waits for the peer.
func (r *Reader) fill(n int) error {
	if r.begin == r.end {
		r.begin, r.end = 0, 0
		r.dropBig()
	}
	for r.end-r.begin < n {
		if r.begin+n > len(r.buf) {
			r.makeRoom()
		}
		m, err := r.read(r.buf[r.end:])
		r.end += m
		if err != nil {
			if r.end > r.begin {
				err = unexpected(err)
			}
			return err
		}
	}
	return nil
}

// makeRoom moves what is there to the begin of a buffer that the frame fits
// into. A frame that does not fit into the small buffer as it lies there shows that
// data flows: time for the big one.
func (r *Reader) makeRoom() {
	from := r.buf[r.begin:r.end]
	if r.big == nil {
		r.big = buffers.Get().(*[bufferSize]byte)
		r.buf = r.big[:]
	}
	r.begin, r.end = 0, copy(r.buf, from)
}

// read is one read that brought something.
func (r *Reader) read(p []byte) (int, error) {
	for range maxIdle {
		n, err := r.r.Read(p)
		if n > 0 {
			return n, nil // an error comes again
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// large reads a frame of n bytes into memory of its own.
func (r *Reader) large(n int) ([]byte, error) {
	if r.budget != nil {
		spent, err := r.budget(n)
		if err != nil {
			return nil, err
		}
		r.spent = spent
	}
	read := r.gather
	if n <= r.earned {
		read = r.readInto
	}
	frame, err := read(n)
	if err != nil {
		return nil, unexpected(err)
	}
	r.owned, r.earned = true, max(r.earned, n)
	return frame, nil
}

// readInto believes the header: the peer has sent as much before.
func (r *Reader) readInto(n int) ([]byte, error) {
	frame := make([]byte, n)
	have := r.takeBuffered(frame)
	for have < n {
		m, err := r.read(frame[have:])
		if err != nil {
			return nil, err
		}
		have += m
	}
	return frame, nil
}

// gather keeps what arrives in buffers from the pool and allocates the frame
// when all of it is there. The first of it is awaited with the small buffer.
func (r *Reader) gather(n int) ([]byte, error) {
	if err := r.fill(1); err != nil {
		return nil, err
	}
	var parts []*[bufferSize]byte
	defer func() {
		for _, p := range parts {
			buffers.Put(p)
		}
	}()
	have := 0
	for have < n {
		if have%bufferSize == 0 {
			parts = append(parts, buffers.Get().(*[bufferSize]byte))
		}
		p := parts[len(parts)-1][have%bufferSize:]
		p = p[:min(len(p), n-have)]
		if m := r.takeBuffered(p); m > 0 {
			have += m
			continue
		}
		m, err := r.read(p)
		if err != nil {
			return nil, err
		}
		have += m
	}
	frame := make([]byte, 0, n)
	for _, p := range parts {
		frame = append(frame, p[:min(bufferSize, n-len(frame))]...)
	}
	return frame, nil
}

// takeBuffered moves what was read already to p, and lets go of the buffer
// when nothing is left there.
func (r *Reader) takeBuffered(p []byte) int {
	n := copy(p, r.buf[r.begin:r.end])
	if r.begin += n; r.begin == r.end {
		r.begin, r.end = 0, 0
		r.dropBig()
	}
	return n
}

func (r *Reader) dropBig() {
	if r.big != nil {
		buffers.Put(r.big)
		r.big = nil
	}
	r.buf = r.rest[:]
}

// unexpected is the error of a stream that ended inside a frame.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
