// Package system says what a system is that can be measured: how its server is
// started, and how a client process puts, takes and ends items with it. Each
// system is an adapter in a package of its own; it is not here that work is
// made up or measured, see package workload.
package system

import (
	"context"
	"errors"
	"io"
	"time"
)

// Group says what a system is measured for.
type Group string

const (
	Reeve Group = "reeve" // this project
	Limit Group = "limit" // a bare server: what the machine allows
	Peer  Group = "peer"  // what people would pick instead
)

// ErrAbsent is that a system's program or package is not on this machine. The
// error that wraps it says how it is installed.
var ErrAbsent = errors.New("not on this machine")

// System is one that can be measured, in one way of using it. Its methods are
// safe for concurrent use.
type System interface {
	// Name is the system's name in flags and tables, as "redis-lists".
	Name() string
	// About says in one line what of the system is used, and how.
	About() string
	Group() Group
	// Batch is how many items the adapter puts or takes with one call when the
	// workload leaves it the choice; 1 is one round trip per item.
	Batch() int
	// Start starts the server, on loopback, and returns when it accepts
	// connections. The error wraps ErrAbsent when it is not installed. The ctx
	// bounds the start only.
	Start(ctx context.Context, set Settings) (*Server, error)
	// Dial makes one connection to the server that endpoint names. It is called
	// in client processes, that is not in the one that called Start.
	Dial(ctx context.Context, endpoint string) (Client, error)
}

// Settings is what a workload wants of a server.
type Settings struct {
	Dir     string    // an empty directory of its own, on the disk that is measured
	Durable bool      // what is confirmed survives a power cut: sync before every answer
	Log     io.Writer `json:"-"` // takes what the server prints
	Profile string    // where a server of this project or a limit writes its CPU profile when it stops; empty: nowhere
	// ItemBytes is the largest payload, Backlog the most items that are queued at a time.
	ItemBytes, Backlog int
	Objects            bool     // the clients are used as Objects
	Queues             []string // that are used besides tasks and results
}

// Server is one that runs.
type Server struct {
	Endpoint string // what Dial takes: an address, with whatever else the clients need. It is passed on in the environment, never as an argument
	Version  string // of the program, as it is shown: "7.0.15"
	PID      int    // of the process; its children count as well
	Stop     func() error
	Snapshot func() error // writes what else there is to Settings.Profile, while the clients are there; nil: nothing
}

// Client is one connection. Put may be called by several goroutines at a time.
type Client interface {
	// Put puts payloads in the queue, and returns when the server has confirmed
	// all of them. The list belongs to the adapter from then on; nobody changes
	// the payloads any more, and they may be put again.
	Put(ctx context.Context, queue string, payloads [][]byte) error
	// Consume takes items of a queue, at most prefetch of them unended at a time.
	Consume(ctx context.Context, queue string, prefetch int) (Consumer, error)
	Close() error
}

// Item is one that was taken, and has not been ended.
type Item struct {
	Payload []byte // valid until the item is ended
	Handle  any    // the adapter's own
}

// Consumer takes items. One goroutine uses it.
type Consumer interface {
	// Next waits for at least one item and appends what is there, at most max,
	// to items.
	Next(ctx context.Context, items []Item, max int) ([]Item, error)
	// End acknowledges items, and when results is not nil puts results[i] for
	// items[i] in the queue to: in one step when the system can, else the result
	// first. It may return before the server has confirmed, see Flush.
	End(ctx context.Context, items []Item, to string, results [][]byte) error
	// Flush waits until everything that was ended is confirmed, as far as the
	// system confirms it.
	Flush(ctx context.Context) error
	Close() error
}

// Runner is a System whose library runs the handlers itself: the pipeline
// workload then uses Run where it would use Consume.
type Runner interface {
	// Run takes tasks of queue over one connection, puts what handle returns in
	// results, and returns when ctx ends. ready is called when it takes tasks.
	Run(ctx context.Context, endpoint, queue, results string, handle func(payload []byte) []byte, ready func()) error
}

// Objects is a Client that shares more than queues. The names are the
// adapter's; values have 100 bytes. Safe for concurrent use.
type Objects interface {
	// Call calls a method that returns its argument.
	Call(ctx context.Context) error
	// Lock takes and releases a lock.
	Lock(ctx context.Context) error
	// Set and Get write and read one key of a map.
	Set(ctx context.Context, key string) error
	Get(ctx context.Context, key string) error
}

// ErrUnsupported is that a system has no such thing: a row is left out, and
// said to be.
var ErrUnsupported = errors.New("the system has no such thing")

// StartTimeout is how long a server may take to start, once its program is built.
const StartTimeout = time.Minute

// Built is a System whose program is built from its sources.
type Built interface {
	System
	// Build sees to it that Start has the program. It builds it once in a process.
	Build(ctx context.Context) error
}

// BuildTimeout is how long that may take: with nothing cached, minutes.
const BuildTimeout = 15 * time.Minute

// Served is a System whose server is a part of this program. Its Start runs the
// program once more, see package program.
type Served interface {
	System
	// Serve serves until ctx ends; announce is called once, with the endpoint.
	Serve(ctx context.Context, set Settings, announce func(endpoint string)) error
}
