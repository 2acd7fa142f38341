package limit

import (
	"encoding/binary"
	"net"
	"sync"
)

const (
	// coalesced is how much a coalescer gathers before a writer has to wait.
	coalesced = 256 << 10
	// uncopied is from where on bytes are written from where they are.
	uncopied = 64 << 10
)

// coalescer gathers what yamux writes to its connection while an earlier write
// is under way: yamux writes the header and the body of each frame by itself.
// It reads in larger pieces, too.
type coalescer struct {
	net.Conn
	in       []byte // only Read uses it: what was read is in[from:to]
	from, to int

	wake chan struct{} // Write sends (never blocks, cap 1), Close closes done; only run receives
	done chan struct{}
	once sync.Once

	mu      sync.Mutex // guards the fields below
	turn    sync.Cond  // of mu: a write has ended
	buf     []byte
	spare   []byte
	body    bool // a frame's header was written last, and its body comes at once
	writing bool
	err     error
}

func newCoalescer(conn net.Conn) *coalescer {
	c := &coalescer{
		Conn: conn, in: make([]byte, smallChunk), wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	c.turn.L = &c.mu
	go c.run() // ends with Close, which yamux calls when its session ends
	return c
}

// Read reads ahead, the more the more there was. yamux alone calls it.
func (c *coalescer) Read(p []byte) (int, error) {
	if c.from == c.to {
		if len(p) >= len(c.in) && c.to < len(c.in) {
			return c.Conn.Read(p)
		}
		if c.to == len(c.in) && c.to < largeChunk {
			c.in = make([]byte, 2*len(c.in))
		}
		n, err := c.Conn.Read(c.in)
		c.from, c.to = 0, n
		if err != nil {
			return 0, err
		}
	}
	n := copy(p, c.in[c.from:c.to])
	c.from += n
	return n, nil
}

// Write keeps p, or writes it when it is large. It blocks while there is much
// to write already. An error is that of an earlier write. p is a whole header
// of yamux, of 12 bytes, whose type 0 has a body; or the body.
func (c *coalescer) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && c.writing && (len(c.buf) >= coalesced || len(p) >= uncopied) {
		c.turn.Wait()
	}
	if c.err != nil {
		return 0, c.err
	}
	c.body = !c.body && p[1] == 0 && binary.BigEndian.Uint32(p[8:]) > 0
	if len(p) >= uncopied {
		c.writeLocked(p)
		return len(p), c.err
	}
	c.buf = append(c.buf, p...)
	if !c.body && !c.writing {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	return len(p), nil
}

// run writes what was gathered, each time when the writers have gone to wait.
func (c *coalescer) run() {
	for {
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
		c.mu.Lock()
		for len(c.buf) > 0 && !c.writing && c.err == nil {
			c.writeLocked(nil)
		}
		c.mu.Unlock()
	}
}

// writeLocked writes what was gathered and then p. It lets go of mu meanwhile.
func (c *coalescer) writeLocked(p []byte) {
	buf := c.buf
	c.buf, c.spare = c.spare[:0], nil
	c.writing = true
	c.mu.Unlock()
	var err error
	if tcp, ok := c.Conn.(*net.TCPConn); ok && len(p) > 0 {
		_, err = (&net.Buffers{buf, p}).WriteTo(tcp)
	} else {
		if len(buf) > 0 {
			_, err = c.Conn.Write(buf)
		}
		if len(p) > 0 && err == nil {
			_, err = c.Conn.Write(p)
		}
	}
	c.mu.Lock()
	c.spare, c.writing = buf[:0], false
	if err != nil {
		c.err = err
	}
	c.turn.Broadcast()
}

// Close closes the connection; what was not written yet is lost.
func (c *coalescer) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}
