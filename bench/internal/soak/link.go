package soak

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// link is a TCP proxy between one client and the master, whose connections can
// be made to fail.
type link struct {
	ln net.Listener
	to string

	mu      sync.Mutex // guards the fields below
	conns   map[*net.TCPConn]bool
	stalled time.Time // nothing is passed on before
	slow    time.Time // until then slowRate
	closed  bool

	running sync.WaitGroup
}

const (
	linkBuffer = 32 << 10
	slowRate   = 256 << 10 // bytes a second of a slow link
)

func newLink(to string) (*link, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{ln: ln, to: to, conns: map[*net.TCPConn]bool{}}
	l.running.Go(l.accept)
	return l, nil
}

func (l *link) addr() string { return l.ln.Addr().String() }

func (l *link) accept() {
	for {
		c, err := l.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // no descriptors are left, for now
			continue
		}
		l.running.Go(func() { l.serve(c.(*net.TCPConn)) })
	}
}

// serve passes on both directions of a connection until both have ended, or one
// has failed.
func (l *link) serve(near *net.TCPConn) {
	c, err := net.DialTimeout("tcp", l.to, time.Second)
	if err != nil {
		reset(near)
		return
	}
	far := c.(*net.TCPConn)
	if !l.add(near, far) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { l.pass(near, far) })
	l.pass(far, near)
	back.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	reset(near)
	reset(far)
	delete(l.conns, near)
	delete(l.conns, far)
}

func (l *link) add(near, far *net.TCPConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		reset(near)
		reset(far)
		return false
	}
	l.conns[near], l.conns[far] = true, true
	return true
}

// pass copies until from ends. A failure of either is one of both.
func (l *link) pass(to, from *net.TCPConn) {
	buf := make([]byte, linkBuffer)
	for {
		n, err := from.Read(buf)
		l.wait(n)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if errors.Is(err, io.EOF) {
			_ = to.CloseWrite() // what is on its way arrives
			return
		}
		if err != nil {
			break
		}
	}
	reset(to)
	reset(from)
}

// wait is what a stall, and a slow link, do to n bytes. A stall may be made
// longer meanwhile.
func (l *link) wait(n int) {
	for {
		l.mu.Lock()
		now := time.Now()
		stalled, slow, closed := l.stalled.Sub(now), now.Before(l.slow), l.closed
		l.mu.Unlock()
		switch {
		case closed:
			return
		case stalled > 0:
			time.Sleep(min(stalled, 50*time.Millisecond))
		default:
			if slow {
				time.Sleep(time.Duration(n) * time.Second / slowRate)
			}
			return
		}
	}
}

// cut ends all connections as a broken network does.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		reset(c)
	}
}

// stall passes nothing on for d, slowDown little.
func (l *link) stall(d time.Duration) { l.until(&l.stalled, d) }

func (l *link) slowDown(d time.Duration) { l.until(&l.slow, d) }

func (l *link) until(t *time.Time, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*t = time.Now().Add(d)
}

// heal ends what stall and slowDown began.
func (l *link) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stalled, l.slow = time.Time{}, time.Time{}
}

// close ends the link and waits for its goroutines.
func (l *link) close() {
	_ = l.ln.Close()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cut()
	l.running.Wait()
}

// reset closes c without waiting for what is on its way.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}
