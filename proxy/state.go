package proxy

import "time"

// State is what a client's connection has become. One of Connected and Err is
// set.
type State struct {
	// Connected: a master has welcomed this client.
	Connected bool
	Addr      string // of the master
	Epoch     uint64 // of the master
	// Resumed: the master remembers this client from before.
	Resumed bool
	// Err is why there is no connection: it was lost, or an attempt failed.
	Err error
	// Rejected: the master does not share the key, or is none of this version.
	// Attempts go on, slowly, but somebody has to do something.
	Rejected bool
	// Retry is the pause before the next attempt.
	Retry time.Duration
}
