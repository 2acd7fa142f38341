// Package transport gives authenticated, encrypted connections for messages,
// without a master: a [Listener] and [Dial], which do what the Listener and
// Client of Python's multiprocessing.connection do. Both sides prove that they
// have the same key (package auth), and then [Conn] carries values, byte
// strings, or, with [Conn.Stream], whatever one likes.
//
// It has no queues, no requests and answers, no reconnecting, and does not
// multiplex: a message is there once or, when the connection is lost, not at
// all, and nobody knows which. Masters and their clients do not use it.
//
// Rules:
//   - Addresses are "host:port" for TCP and "unix:/path" for a Unix socket;
//     connections within a process are made by a [Memory], or by [Pipe].
//   - No message is larger than what its receiver allows; that is told when the
//     connection is made, so that a larger one fails where it is sent.
//   - Whoever waits does so with a ctx. A Recv that is given up has taken
//     nothing; a Send that is given up halfway ends the connection.
//   - Strangers cost a listener nothing it cannot bear: it goes on after port
//     scans, silent clients and wrong keys, and tells of them in its log only.
//   - There is a goroutine per listener and per connection that is being made,
//     and none per Conn.
package transport
