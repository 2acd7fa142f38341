package session

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

const (
	// maxGathered bounds what may wait for the connection; then yamux's send
	// loop waits too, and with it everyone who writes.
	maxGathered = 256 << 10

	// largeFrame is the size from which a frame gains nothing by company: it
	// fills a TLS record.
	largeFrame = 16 << 10

	// maxWrite bounds one write to the connection, so that WriteTimeout is a
	// minimum rate of MaxFrame per timeout, whatever has gathered.
	maxWrite = MaxFrame + headerSize
)

// writer stands between yamux, which writes the header and the body of each
// frame apart, and the connection, where every write costs a TLS record and a
// system call. Data frames come from the streams themselves, see frame.
//
// A frame of yamux's is passed on whole. One that answers something (there was a read
// since the last write) is written at once, from yamux's own goroutine: that
// is the shortest way, and nothing else is likely to come soon. So is one that
// is large enough to be worth a write of its own. Small frames that come with
// no read between them are a burst: those are left to a goroutine that lives
// as long as there is something to write, so that what comes while one write
// is in progress leaves with the next. There is no delay anywhere, and an
// idle writer has neither goroutine nor buffer.
type writer struct {
	raw   io.Writer
	below holder         // below raw, if that is TLS and it can; nil: not
	reads *atomic.Uint32 // counted by the reader
	fail  func(error)    // ends the session; never called with mu held
	dog   *watchdog

	// Owned by yamux's send loop, the only caller of Write.
	head      [headerSize]byte // a header whose body is still to come
	holding   bool
	readsSeen uint32

	mu      sync.Mutex // guards the fields below
	changed sync.Cond  // busy, gathered or err has changed
	buf     *[]byte    // whole frames that wait for the connection; nil when there are none
	busy    bool       // somebody writes to the connection
	err     error      // why nothing more is taken
}

func newWriter(raw io.Writer, reads *atomic.Uint32, dog *watchdog, fail func(error)) *writer {
	w := &writer{raw: raw, reads: reads, dog: dog, fail: fail}
	w.changed.L = &w.mu
	if tls, ok := raw.(interface{ NetConn() net.Conn }); ok {
		w.below, _ = tls.NetConn().(holder)
	}
	return w
}

// Write takes what yamux writes: a header, or the body announced by the
// header before it. It keeps no reference to p.
func (w *writer) Write(p []byte) (int, error) {
	if !w.holding && len(p) == headerSize && parseHeader(p).body() > 0 {
		copy(w.head[:], p)
		w.holding = true
		return len(p), nil
	}
	var head []byte
	if w.holding {
		head = w.head[:]
		w.holding = false
	}
	reads := w.reads.Load()
	answer := reads != w.readsSeen
	w.readsSeen = reads

	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.roomLocked(len(head) + len(p)); err != nil {
		return 0, err
	}
	*w.buf = append(append(*w.buf, head...), p...)
	switch {
	case w.busy: // whoever writes takes this along
	case answer || len(p) >= largeFrame:
		w.busy = true
		w.drainLocked()
	default:
		w.busy = true
		go w.drain() // ends with the buffer, or with the connection
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// frame sends a frame that does not come from yamux: at once, if nobody writes
// already. Its sender has gathered what there was to gather. The body is the
// first h.body() bytes of parts; it returns what comes after them.
func (w *writer) frame(h header, parts [][]byte) ([][]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.roomLocked(headerSize + h.body()); err != nil {
		return nil, err
	}
	buf := h.append(*w.buf)
	for left := h.body(); left > 0; {
		n := min(left, len(parts[0]))
		buf = append(buf, parts[0][:n]...)
		if parts[0] = parts[0][n:]; len(parts[0]) == 0 {
			parts = parts[1:]
		}
		left -= n
	}
	*w.buf = buf
	if !w.busy {
		w.busy = true
		w.sendLocked()
		if w.buf != nil && w.err == nil {
			go w.drain() // what others have added is not the caller's to wait for; ends as above
		} else {
			w.idleLocked()
		}
	}
	return parts, w.err
}

// roomLocked waits until n bytes more may wait for the connection, and sees to
// it that there is a buffer.
func (w *writer) roomLocked(n int) error {
	for w.err == nil && w.buf != nil && len(*w.buf)+n > maxGathered {
		w.changed.Wait()
	}
	if w.err == nil && w.buf == nil {
		w.buf = writeBuffers.Get().(*[]byte)
	}
	return w.err
}

// flush waits until everything taken so far, and what came meanwhile, has
// been written.
func (w *writer) flush(ctx context.Context) error {
	wake := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Broadcast()
	})
	defer wake()
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && (w.busy || w.buf != nil) {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.changed.Wait()
	}
	return w.err
}

func (w *writer) drain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drainLocked()
}

// drainLocked writes until nothing is left. The caller holds mu, which is
// released during each write, and has set busy, which is reset at the end.
func (w *writer) drainLocked() {
	for w.err == nil && w.buf != nil {
		w.sendLocked()
	}
	w.idleLocked()
}

// sendLocked writes what there is. The caller holds mu, which is released
// meanwhile, and has set busy.
func (w *writer) sendLocked() {
	out := w.buf
	w.buf = nil
	w.mu.Unlock()
	err := w.send(*out)
	putWriteBuffer(out)
	if err != nil {
		w.fail(err)
	}
	w.mu.Lock()
	if err != nil && w.err == nil {
		w.err = err
	}
	w.changed.Broadcast()
}

func (w *writer) idleLocked() {
	w.busy = false
	w.changed.Broadcast()
}

func (w *writer) send(b []byte) error {
	for len(b) > 0 {
		part := b[:min(len(b), maxWrite)]
		w.dog.start()
		n, err := w.write(part)
		w.dog.stop()
		if err != nil {
			return lost(err)
		}
		b = b[n:]
	}
	return nil
}

// holder is a connection below that of TLS that can gather what is written.
type holder interface {
	Hold()
	Release() error
}

// write is one write to the connection. What takes several TLS records is
// gathered below TLS, which would write each by itself.
func (w *writer) write(b []byte) (int, error) {
	if w.below == nil || len(b) <= largeFrame {
		return w.raw.Write(b)
	}
	w.below.Hold()
	n, err := w.raw.Write(b)
	if e := w.below.Release(); err == nil && e != nil {
		return 0, e
	}
	return n, err
}

// close refuses everything from now on, and wakes whoever waits. It does not
// wait for a write in progress: closing the connection ends that.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = net.ErrClosed
	}
	if w.buf != nil {
		putWriteBuffer(w.buf)
		w.buf = nil
	}
	w.changed.Broadcast()
}

var writeBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 1<<10)
	return &b
}}

func putWriteBuffer(b *[]byte) {
	*b = (*b)[:0]
	writeBuffers.Put(b)
}
