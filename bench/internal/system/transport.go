package system

import (
	"context"
	"time"
)

// Transport is a System without queues: bytes and who reads them. Its Dial
// returns ErrUnsupported.
type Transport interface {
	System
	// Connect makes so many streams to the server, in one connection where the
	// transport can, and tells how they are closed.
	Connect(ctx context.Context, endpoint string, streams int) (Streams, error)
}

// Traffic is what goes over streams.
type Traffic string

const (
	PingPong Traffic = "pingpong" // a message there and back, then the next
	Window   Traffic = "window"   // as many messages under way as a window has, gathered at both ends
	Writes   Traffic = "writes"   // messages one way, each in a write of its own
	Gathered Traffic = "gathered" // messages one way, 64 KiB of them in a write
	Bulk     Traffic = "bulk"     // bytes one way
)

const (
	MessageBytes  = 104       // a message, with its length in front
	PieceBytes    = 256 << 10 // of Bulk, in one write
	WindowTraffic = 512       // messages of Window under way
)

// Streams is what Connect made.
type Streams interface {
	// Carry has n messages of the traffic go, or pieces, divided among the
	// streams, and returns when the last one was read at its end. Of PingPong it
	// returns how long each took.
	Carry(ctx context.Context, traffic Traffic, n int) ([]time.Duration, error)
	Close() error
}
