// Package wire is the protocol reeve/1 as bytes: the messages, the frames that
// carry them and the table of error codes. docs/PROTOCOL.md is its
// specification.
//
// It knows no socket, keeps no session and starts no goroutine. What a message
// means is decided by its users: the master's side in package manager, the
// client's in package proxy.
//
// A frame is a length (uint32, big endian, of what follows) and a message: the
// type and one map with unsigned integer keys, both CBOR. The few messages
// that come by the thousand ([PutFrame], [CompleteFrame], [AckFrame],
// [ConfirmFrame], [DeliverFrame], [CallFrame], [ReturnFrame]) are written by
// [Builder] and read by their Decode methods without allocating; all others go
// through [Append] and [Decode], which use the CBOR library in a strict mode.
// Both sides obey the same limits, and whatever breaks them is an error that
// matches [reeve.ErrProtocol]; nothing is allocated on the word of a header.
//
// Ownership: what a Decode method returns aliases the frame it read, except
// for texts.
package wire

import "github.com/reeveq/reeve"

// Version is the protocol's version, in Hello and Welcome.
const Version = 1

// Proto is the protocol's name in the ALPN list of the TLS handshake.
const Proto = "reeve/1"

// The first byte that the opener of a stream writes.
const (
	StreamControl byte = 1 // opened by the client, once
	StreamCalls   byte = 2 // opened by the client, once
	StreamBulk    byte = 3 // one way: each side opens its own when it needs one
)

// HeaderLen is the length of a frame's length.
const HeaderLen = 4

// Sizes of frames and messages.
const (
	// MaxSmallFrame is the largest frame (without its header) that travels on
	// the calls stream; a larger one goes on the sender's bulk stream.
	MaxSmallFrame = 64 << 10
	// Overhead is more than everything in a frame with one task that is not
	// payload, the longest names, keys and labels included: a frame limit has to
	// exceed the payload limit by it.
	Overhead = 8 << 10
	// MaxName is the longest queue name, task type or label in bytes.
	MaxName = 255
	// MaxEntries bounds the tasks, entries or ranges of one frame.
	MaxEntries = reeve.MaxBatch
	// DefaultMaxFrame is what a [Reader] and a [Builder] allow before they are
	// told something else. It is enough for the handshake and all small frames.
	DefaultMaxFrame = MaxSmallFrame
)

// Limits of every message, whatever its type.
const (
	maxNesting = 8       // maps and arrays in each other, the message's map included
	maxArray   = 1 << 16 // elements of one array
	maxPairs   = 256     // pairs of one map
)
