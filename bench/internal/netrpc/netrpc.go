// Package netrpc measures what a Go programmer writes first: a server of net/rpc
// with a channel for each queue. It promises little: there are no
// acknowledgements, and what a client asked for when it went away is lost.
package netrpc

import (
	"context"
	"fmt"
	"net"
	"net/rpc"
	"runtime"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

// batch is how many calls are under way, or how many items one call has.
const batch = 100

// Systems are the ways of using it.
func Systems() []system.System {
	return []system.System{rpcSystem{}, rpcSystem{chunked: true}}
}

type rpcSystem struct {
	chunked bool // many items a call
}

func (s rpcSystem) Name() string {
	if s.chunked {
		return "net-rpc-chunked"
	}
	return "net-rpc"
}

func (s rpcSystem) About() string {
	if s.chunked {
		return fmt.Sprintf("net/rpc (gob) with a channel a queue, %d items a call, no acknowledgement", batch)
	}
	return fmt.Sprintf("net/rpc (gob) with a channel a queue, one item a call, %d calls under way, no acknowledgement", batch)
}

func (rpcSystem) Group() system.Group { return system.Peer }

func (rpcSystem) Batch() int { return batch }

func (s rpcSystem) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	if set.Durable {
		return nil, fmt.Errorf("net/rpc keeps nothing on disk: %w", system.ErrUnsupported)
	}
	server, err := program.Self(ctx, s, set)
	if err != nil {
		return nil, err
	}
	server.Version = runtime.Version()
	return server, nil
}

func (rpcSystem) Serve(ctx context.Context, set system.Settings, announce func(string)) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(ln.Addr().String())
	return serve(ctx, ln, set.Backlog)
}

func (s rpcSystem) Dial(ctx context.Context, endpoint string) (system.Client, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", endpoint)
	if err != nil {
		return nil, err
	}
	return &client{rpc: rpc.NewClient(c), chunked: s.chunked}, nil
}

var _ system.Served = rpcSystem{}
