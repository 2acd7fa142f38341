// Package locking has the shared objects that synchronise: locks (plain,
// re-entrant, for readers and writers), semaphores, conditions, events, barriers
// and elections. It keeps no values but the one that a leader shows, writes
// nothing to a journal, and knows no connections: who holds something is a
// [shared.Client] and a number of that client's choice, together an owner.
//
// Rules:
//
//   - One mutex for all objects of a Host (space.mu). A step takes microseconds,
//     a condition and its lock change in one step, and the search for a deadlock
//     sees all locks as they are. No goroutine waits here: a call that waits is a
//     record in a queue.
//   - Whoever comes first is served first (gate.go). Nobody overtakes, not even a
//     reader another reader behind a writer.
//   - Every hold has a token that is greater than that of any hold before, also of
//     earlier lives of the master.
//   - A hold ends with the connection of its client, or, where the object was
//     declared with a grace, when the client has not claimed it by then (away.go).
//     The next one gets it in the same step.
//   - A call may be made again when its connection was lost. Those that make holds
//     are recognised by their number (try), and the others by the Host.
package locking
