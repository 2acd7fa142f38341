// Package manager is the master: it hosts named queues, accepts authenticated
// clients and carries out their requests.
//
// It does not know what a lease or an attempt is (internal/queue does), nor how
// a connection is secured (auth) or multiplexed (internal/session). It stands
// between: one session per connected client, which turns frames into calls of
// the engine and what the engine tells into frames.
//
// A program that hosts a master uses the queues it declared through the same
// interfaces as its clients, [reeve.Queue] and [reeve.Operator].
//
// Goroutines: per connection the two of its transport, and others only while
// there is something to read or to write, or while a client looks at much or
// has something done to many tasks; per master the engine's clock and one that
// looks after silent sessions. None per request or task.
package manager
