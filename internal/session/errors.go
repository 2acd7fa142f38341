package session

import "errors"

// What Session.Err and the calls on a session's streams give once the session
// has ended; test with errors.Is. Fail adds causes of its caller's own.
var (
	// ErrClosed: Close was called at this end.
	ErrClosed = errors.New("session: closed")

	// ErrLost: the connection ended or failed. A peer that closes its
	// session looks like this too: saying goodbye is left to the layer
	// above. It wraps what the connection reported.
	ErrLost = errors.New("session: connection lost")

	// ErrWriteTimeout: a write to the connection took longer than
	// Config.WriteTimeout.
	ErrWriteTimeout = errors.New("session: peer takes no more data")

	// ErrProtocol: the peer broke the rules of yamux or of this package, or
	// went beyond a limit.
	ErrProtocol = errors.New("session: protocol violation")
)

// What ends one stream and leaves the session alone.
var (
	// ErrStreamClosed: the stream was closed at this end.
	ErrStreamClosed = errors.New("session: stream closed")

	// ErrStreamReset: the stream was given up by the peer.
	ErrStreamReset = errors.New("session: stream reset by peer")

	// ErrKindTaken: Open was asked for a second Control or Calls stream.
	ErrKindTaken = errors.New("session: there is already a stream of this kind")
)
