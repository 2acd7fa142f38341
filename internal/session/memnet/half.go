package memnet

import (
	"io"
	"math"
	"net"
	"sync"
	"time"
)

// capacity bounds what is on the way in one direction.
const capacity = 64 << 10

const never = math.MaxInt // a number of bytes no test sends

// half is one direction of a connection: a bounded buffer between the one
// end's Write and the other's Read. Bytes enter at the writer and count as
// sent; those beyond stallAt or cutAt never reach the reader.
type half struct {
	mu   sync.Mutex // guards the fields below
	cond sync.Cond  // something below has changed

	buf   []byte // on the way: the bytes from position taken up to position sent
	taken int
	sent  int

	stallAt int // bytes from this position on wait, as does the end of the stream
	cutAt   int // the connection breaks when this position has been sent
	onCut   func()

	writerGone bool // the writer has closed: the reader gets the rest and io.EOF
	readerGone bool // the reader has closed: nothing more is taken
	broken     bool // reset: both ends fail
	wasCut     bool // as broken, but the reader may have what was sent before

	readEnd, writeEnd deadline
}

func newHalf() *half {
	h := &half{stallAt: never, cutAt: never}
	h.cond.L = &h.mu
	return h
}

// read is Conn.Read for the end this half leads to.
func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		arrived := min(h.sent, h.stallAt) - h.taken
		switch {
		case h.readerGone:
			return 0, net.ErrClosed
		case h.broken:
			return 0, errReset
		case h.readEnd.over():
			return 0, errTimeout
		case len(p) == 0:
			return 0, nil
		case arrived > 0:
			n := copy(p, h.buf[:arrived])
			h.buf = h.buf[n:]
			h.taken += n
			h.cond.Broadcast()
			return n, nil
		case h.stallAt <= h.sent:
			// Neither bytes nor an end come through.
		case h.wasCut:
			return 0, errReset
		case h.writerGone:
			return 0, io.EOF
		}
		h.cond.Wait()
	}
}

// write is Conn.Write for the end this half comes from.
func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	written := 0
	for {
		stalled := h.stallAt <= h.sent // the reader's end is not known here then
		switch {
		case h.writerGone:
			return written, net.ErrClosed
		case h.broken, h.wasCut:
			return written, errReset
		case h.readerGone && !stalled:
			return written, errPipe
		case h.writeEnd.over():
			return written, errTimeout
		case len(p) == 0:
			return written, nil
		}
		n := min(len(p), capacity-len(h.buf), h.cutAt-h.sent)
		if n > 0 {
			h.buf = append(h.buf, p[:n]...)
			h.sent += n
			written += n
			p = p[n:]
			h.cond.Broadcast()
		}
		if h.sent == h.cutAt {
			h.wasCut = true
			h.cond.Broadcast()
			h.mu.Unlock()
			h.onCut() // takes the other half's lock, whose own cut may want this one
			h.mu.Lock()
			continue
		}
		if n == 0 {
			h.cond.Wait()
		}
	}
}

// closeReader reports false if the reader was closed before.
func (h *half) closeReader() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readerGone {
		return false
	}
	h.readerGone = true
	h.readEnd.stop()
	h.cond.Broadcast()
	return true
}

func (h *half) closeWriter() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writerGone = true
	h.writeEnd.stop()
	h.cond.Broadcast()
}

func (h *half) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = true
	h.buf = nil
	h.sent = h.taken
	h.cond.Broadcast()
}

// stall holds back everything from n bytes after what has been sent, and with
// n = 0 also what the reader has not taken yet.
func (h *half) stall(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.sent + n
	if n == 0 {
		at = h.taken
	}
	h.stallAt = min(h.stallAt, at)
	h.cond.Broadcast()
}

func (h *half) heal() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stallAt = never
	h.cond.Broadcast()
}

// cut breaks this half after n more bytes and then calls also, without a lock.
func (h *half) cut(n int, also func()) {
	h.mu.Lock()
	h.cutAt = h.sent + n
	h.onCut = also
	h.wasCut = n == 0
	h.cond.Broadcast()
	h.mu.Unlock()
	if n == 0 {
		also()
	}
}

func (h *half) setReadDeadline(t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readerGone {
		return net.ErrClosed
	}
	h.readEnd.set(h, t)
	return nil
}

func (h *half) setWriteDeadline(t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writerGone {
		return net.ErrClosed
	}
	h.writeEnd.set(h, t)
	return nil
}

// deadline is a moment after which calls fail. The half's mutex guards it.
type deadline struct {
	at     time.Time // zero: never
	passed bool      // the timer has said so
	timer  *time.Timer
	round  int // tells a timer that was stopped too late that it is not meant any more
}

// over does not rely on the timer alone: of two that are due at the same
// moment one comes first.
func (d *deadline) over() bool {
	return d.passed || !d.at.IsZero() && !time.Now().Before(d.at)
}

func (d *deadline) set(h *half, t time.Time) {
	d.stop()
	d.at, d.passed = t, false
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		d.passed = true
		h.cond.Broadcast()
		return
	}
	round := d.round
	d.timer = time.AfterFunc(left, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.round == round {
			d.passed = true
			h.cond.Broadcast()
		}
	})
}

func (d *deadline) stop() {
	d.round++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
