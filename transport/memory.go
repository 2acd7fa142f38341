package transport

import (
	"context"
	"net"

	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/session/memnet"
)

// Memory is a network within this process: what listens in one Memory can be
// dialled in it, and nowhere else. The zero value is ready for use. Its listeners
// and connections are plain ones, for [NewListener] and Config.Dialer, and for
// manager.Master.Serve and proxy.Config.Dialer just as well.
type Memory struct{ net memnet.Network }

// Listen listens at addr, which may be any text; an empty one gets a free
// address. One that is listened on already is syscall.EADDRINUSE.
func (m *Memory) Listen(addr string) (net.Listener, error) { return m.net.Listen(addr) }

// Dial connects to what listens at addr. It fails with syscall.ECONNREFUSED when
// nothing does, and waits until ctx ends while too many wait to be accepted.
func (m *Memory) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return m.net.DialContext(ctx, "mem", addr)
}

// Pipe makes a connection within this process, and returns both ends. Nobody has
// a key, and nothing is encrypted: what is sent leaves the process nowhere.
// Messages are CBOR, up to [DefaultMaxMessage] bytes. About 64 KiB may be on their
// way before Send waits.
func Pipe() (a, b *Conn) {
	near, far := memnet.Pipe()
	cfg := Config{Codec: codec.CBOR, MaxMessage: DefaultMaxMessage}
	return newConn(near, &cfg, cfg.MaxMessage, nil), newConn(far, &cfg, cfg.MaxMessage, nil)
}

// OneWay is Pipe in one direction: what sender sends, receiver receives, and not
// the other way.
func OneWay() (receiver, sender *Conn) {
	receiver, sender = Pipe()
	receiver.theirs, sender.max = 0, 0
	return receiver, sender
}
