package session

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// queueTimeouts is how many WriteTimeouts a frame may wait for its turn. A
// connection may be slow without being dead, and a frame's turn comes after
// all that has gathered and a frame of each other stream, while the watchdog
// sees to it that the connection moves at all.
const queueTimeouts = 4

const (
	// maxGathered bounds what may wait for the connection; then everyone who
	// writes waits.
	maxGathered = 256 << 10

	maxRecord = 16 << 10 // of TLS

	// maxWrite bounds one write to the connection, so that WriteTimeout is a
	// minimum rate of MaxFrame per timeout, whatever has gathered.
	maxWrite = MaxFrame + headerSize
)

// writer passes frames on to the connection, where every write costs a TLS
// record and a system call.
//
// A frame with a body is written at once, by who sends it, if nobody writes
// already: that is the shortest way, and its sender has gathered what there was
// to gather. All others are left to a goroutine that lives as long as there is
// something to write: what comes while one write is in progress leaves with the
// next, and a stream's opening with the byte that follows it. There is no delay
// anywhere, and an idle writer has neither goroutine nor buffer.
type writer struct {
	raw      io.Writer
	below    holder      // below raw, if that is TLS and it can; nil: not
	fail     func(error) // ends the session; never called with mu held
	dog      *watchdog
	patience time.Duration   // how long a frame may wait for its turn
	running  *sync.WaitGroup // has the goroutine that drains

	mu      sync.Mutex // guards the fields below
	changed sync.Cond  // busy, buf or err has changed
	buf     *[]byte    // whole frames that wait for the connection; nil when there are none
	busy    bool       // somebody writes to the connection
	err     error      // why nothing more is taken
}

func (w *writer) init(s *Session) {
	w.raw, w.fail, w.running = s.raw, s.Fail, &s.running
	w.patience = queueTimeouts * s.cfg.WriteTimeout
	w.dog = newWatchdog(s.clock, s.cfg.WriteTimeout, func() { s.Fail(ErrWriteTimeout) })
	w.changed.L = &w.mu
	if tls, ok := s.raw.(interface{ NetConn() net.Conn }); ok {
		w.below, _ = tls.NetConn().(holder)
	}
}

// frame passes a frame on. Its body is the first bytes of parts, to which it
// keeps no reference; it returns what comes after them. It waits while too much
// waits for the connection.
func (w *writer) frame(h header, parts [][]byte) ([][]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if size := headerSize + h.body(); !w.fitsLocked(size) {
		w.awaitLocked(size)
	}
	if w.err != nil {
		return nil, w.err
	}
	parts = w.addLocked(h, parts)
	if w.busy {
		return parts, nil
	}
	w.busy = true
	if h.body() > 0 {
		w.writeLocked()
	}
	w.goOnLocked()
	return parts, w.err
}

// post passes a frame without a body on and never waits, so that whoever reads may
// call it. The answer to a ping is left out when there is no room. A grant is not:
// the peer has sent a part of its window for each.
func (w *writer) post(h header) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || h.kind == typePing && !w.fitsLocked(headerSize) {
		return
	}
	w.addLocked(h, nil)
	if !w.busy {
		w.busy = true
		w.goOnLocked()
	}
}

// room is how many bytes a frame may have that need not wait for others.
func (w *writer) room() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.buf == nil {
		return maxGathered - headerSize
	}
	return max(0, maxGathered-headerSize-len(*w.buf))
}

func (w *writer) addLocked(h header, parts [][]byte) [][]byte {
	if w.buf == nil {
		w.buf = writeBuffers.Get().(*[]byte)
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
	return parts
}

// goOnLocked has the rest written by a goroutine: it may be what others have
// added, for which the caller need not wait. The caller has set busy.
func (w *writer) goOnLocked() {
	if w.err == nil && w.buf != nil {
		w.running.Add(1)
		go w.drain() // ends with the buffer, or with the connection
		return
	}
	w.idleLocked()
}

// fitsLocked reports whether a frame of that size need not wait.
func (w *writer) fitsLocked(size int) bool {
	return w.err != nil || w.buf == nil || len(*w.buf)+size <= maxGathered
}

// awaitLocked waits until a frame of that size need not wait any more.
func (w *writer) awaitLocked(size int) {
	late := time.AfterFunc(w.patience, func() { w.fail(ErrWriteTimeout) })
	defer late.Stop()
	for !w.fitsLocked(size) {
		w.changed.Wait()
	}
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

// drain writes until nothing is left.
func (w *writer) drain() {
	defer w.running.Done()
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && w.buf != nil {
		w.writeLocked()
	}
	w.idleLocked()
}

func (w *writer) idleLocked() {
	w.busy = false
	w.changed.Broadcast()
}

// writeLocked writes what has gathered. The caller holds mu, which is released
// meanwhile, and has set busy.
func (w *writer) writeLocked() {
	out := w.buf
	w.buf = nil
	w.changed.Broadcast() // there is room
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
	if w.below == nil || len(b) <= maxRecord {
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
