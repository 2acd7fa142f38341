// Package memnet is a network in memory, for tests and for what package transport
// connects within a process: listeners, dialling, and connections that behave
// like TCP and can be made to fail in TCP's ways: cut after a number of bytes,
// reset, or stalled without a sign.
//
// It is not fast, has no packets, no datagrams and no latency, and knows
// nothing of what is sent over it.
//
// All waiting is on condition variables and channels, and all time is the
// time package's, so everything here works inside a testing/synctest bubble:
// a goroutine in Read, Write, Accept or Dial is durably blocked.
package memnet

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

// backlog is the number of connections that may wait in a Listener for Accept.
const backlog = 128

// Network is a set of addresses that can be listened on and dialled. The zero
// value is an empty network, ready for use. Its methods may be called from
// any goroutine.
type Network struct {
	mu        sync.Mutex // guards the fields below
	listeners map[string]*Listener
	conns     []*Conn // the dialling ends of the open connections
	lastPort  int
	dark      bool
}

// Listen makes a listener at an address, which may be any text. An empty
// address, or one that ends in ":0", gets a free port. An address already
// listened on is refused with syscall.EADDRINUSE; it is free again once its
// listener is closed.
func (n *Network) Listen(address string) (*Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if address == "" {
		address = "mem:0"
	}
	if host, port, err := net.SplitHostPort(address); err == nil && port == "0" {
		n.lastPort++
		address = net.JoinHostPort(host, strconv.Itoa(n.lastPort))
	}
	if n.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: Addr(address), Err: syscall.EADDRINUSE}
	}
	l := &Listener{
		net:     n,
		addr:    Addr(address),
		waiting: make(chan *Conn, backlog),
		closed:  make(chan struct{}),
	}
	if n.listeners == nil {
		n.listeners = make(map[string]*Listener)
	}
	n.listeners[address] = l
	return l, nil
}

// DialContext connects to a listener of this network. The name of the network
// is not looked at, so that the method fits wherever net.Dialer.DialContext
// does. It fails with syscall.ECONNREFUSED when nobody listens at the address,
// and waits until ctx ends while the network is dark or the backlog is full.
func (n *Network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	c, err := n.dial(ctx, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: Addr(address), Err: err}
	}
	return c, nil
}

func (n *Network) dial(ctx context.Context, address string) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n.mu.Lock()
	l, dark := n.listeners[address], n.dark
	n.lastPort++
	from := Addr("mem:" + strconv.Itoa(n.lastPort))
	n.mu.Unlock()
	switch {
	case dark:
		<-ctx.Done()
		return nil, ctx.Err()
	case l == nil:
		return nil, syscall.ECONNREFUSED
	}
	near, far := pair(from, l.addr)
	near.net = n
	select {
	case l.waiting <- far:
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.mu.Lock()
	n.conns = append(n.conns, near)
	n.mu.Unlock()
	select {
	case <-l.closed: // Close may have emptied the backlog before far got there
		l.drain()
	default:
	}
	return near, nil
}

// Conns returns the dialling ends of all connections made by DialContext
// that have not been closed at that end, oldest first. Their other ends are
// had with Peer.
func (n *Network) Conns() []*Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.conns)
}

// BlackHole stalls every open connection, as Conn.BlackHole does, and lets
// every dial wait, until Heal.
func (n *Network) BlackHole() {
	n.mu.Lock()
	n.dark = true
	n.mu.Unlock()
	for _, c := range n.Conns() {
		c.BlackHole()
	}
}

// Heal ends what BlackHole began. A dial that began in the dark still waits
// for its context.
func (n *Network) Heal() {
	n.mu.Lock()
	n.dark = false
	n.mu.Unlock()
	for _, c := range n.Conns() {
		c.Heal()
	}
}

func (n *Network) forget(c *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = slices.DeleteFunc(n.conns, func(o *Conn) bool { return o == c })
}

// Listener is a net.Listener in memory.
type Listener struct {
	net     *Network
	addr    Addr
	waiting chan *Conn
	once    sync.Once
	closed  chan struct{}
}

// Listen makes a listener on a network of its own: the short form for a test
// that needs one address only, dialled with Listener.Dial.
func Listen() *Listener {
	l, err := new(Network).Listen("")
	if err != nil {
		panic(fmt.Sprintf("memnet: a new network refused its first listener: %v", err))
	}
	return l
}

// Accept waits for a connection. It fails with net.ErrClosed once the
// listener is closed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
	default:
		select {
		case c := <-l.waiting:
			return c, nil
		case <-l.closed:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: network, Addr: l.addr, Err: net.ErrClosed}
}

// Close frees the address and resets the connections that nobody accepted.
// Accepted ones go on.
func (l *Listener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.listeners, string(l.addr))
		l.net.mu.Unlock()
		close(l.closed)
		l.drain()
	})
	return nil
}

func (l *Listener) drain() {
	for {
		select {
		case c := <-l.waiting:
			c.Reset()
		default:
			return
		}
	}
}

// Addr returns the address listened on.
func (l *Listener) Addr() net.Addr { return l.addr }

// Network returns the network the listener belongs to.
func (l *Listener) Network() *Network { return l.net }

// Dial connects to the listener, as DialContext of its network does.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	return l.net.DialContext(ctx, network, string(l.addr))
}

const network = "mem"

// Addr is an address of a Network.
type Addr string

// Network returns "mem".
func (Addr) Network() string { return network }

func (a Addr) String() string { return string(a) }

var (
	_ net.Listener = (*Listener)(nil)
	_ net.Addr     = Addr("")
)
