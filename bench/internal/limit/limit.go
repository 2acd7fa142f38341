// Package limit says what the machine allows: a queue server that does nothing
// but move batches between connections, over each layer that this project
// stands on, the bare transports themselves, and the bare disk. What this project takes more
// than these is the price of its promises.
//
// The queue server has credits, acknowledgements, results and confirmations;
// it has no authentication, leases that come back, limits, priorities or disk,
// and it trusts its clients. It is as fast as we know how to make it by plain
// means: deliveries are pushed, messages are gathered until the reader would
// block, and written by the goroutine that read.
package limit

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
)

// batch is how many items are put or taken with one call: as many as this
// project's fastest use takes.
const batch = 256

// Systems are the queue server over every stack and codec, every stack with
// nothing on it, and the disk.
func Systems() []system.System {
	return []system.System{
		floor{"floor-tcp", TCP, fixed{}},
		floor{"floor-tls", TLS, fixed{}},
		floor{"floor-yamux", Coalesced, fixed{}},
		floor{"floor-yamux-cbor", Coalesced, reflected{}},
		floor{"floor-yamux-cbor-tls", CoalescedTLS, reflected{}},
		raw{"raw-tcp", TCP},
		raw{"raw-tls", TLS},
		raw{"raw-yamux", Yamux},
		raw{"raw-yamux-coalesced", Coalesced},
		raw{"raw-yamux-coalesced-tls", CoalescedTLS},
		disk{},
	}
}

// floor is the queue server over one stack, with one codec.
type floor struct {
	name  string
	stack Stack
	codec codec
}

func (f floor) Name() string { return f.name }

func (f floor) About() string {
	return fmt.Sprintf("a bare queue server over %s, %s", f.stack.About(), f.codec.about())
}

func (f floor) Group() system.Group { return system.Limit }

func (f floor) Batch() int { return batch }

func (f floor) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	if set.Durable {
		return nil, fmt.Errorf("%s keeps items in memory: %w", f.name, system.ErrUnsupported)
	}
	return start(ctx, f, set)
}

func (f floor) Dial(ctx context.Context, endpoint string) (system.Client, error) {
	link, err := f.stack.Dial(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	conn, err := link.Open(ctx)
	if err != nil {
		_ = link.Close()
		return nil, err
	}
	return newClient(link, conn, f.codec), nil
}

// Serve serves until ctx ends.
func (f floor) Serve(ctx context.Context, set system.Settings, announce func(endpoint string)) error {
	s := newServer(f.codec)
	return profiled(set.Profile, func() error { return f.stack.Serve(ctx, announce, s.serve) })
}

// start starts the server of s, which is a part of this program.
func start(ctx context.Context, s system.Served, set system.Settings) (*system.Server, error) {
	server, err := program.Self(ctx, s, set)
	if err != nil {
		return nil, err
	}
	server.Version = runtime.Version()
	return server, nil
}

// profiled does it, and writes a CPU profile of that to a file of this name, if
// there is one.
func profiled(name string, do func() error) error {
	if name == "" {
		return do()
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return do()
}

var _ system.Served = floor{}
