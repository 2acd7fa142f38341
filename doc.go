// Package reeve is the vocabulary of Reeve, a master that hosts named task
// queues and workers on any machine that take tasks and put results.
//
// It holds the types, the small interfaces and every error that the other
// packages share, and the thin typed view [TypedQueue] over the byte-level
// [Queue]. It starts no goroutine, opens no connection and imports nothing but
// the standard library: a master is made by package manager, a connection to
// one by package proxy, a worker by package worker.
//
// The words, each with one meaning everywhere:
//
//   - A task is the unit of work: a payload, opaque to everything but the
//     user's codec, and a few fields that say how to treat it.
//   - Put adds a task. Get takes one as a lease: the task comes back by itself
//     when the process that holds it dies, disconnects or falls silent.
//   - A lease ends by Ack (done), Complete (done, and the result is put on
//     another queue in the same step, or kept by the task's id), Skip (done:
//     there was nothing to do), Nack (failed: again, after its backoff or a
//     delay), Snooze (again later, nothing failed), Return (never started: back
//     to the front, nothing counted), Bury (dead, kept aside with the reason)
//     or Discard (ended without success, nothing kept aside).
//   - An attempt is one hand-over of a task. Task id and attempt together are
//     the token that fences a late holder: only the latest attempt may end
//     the lease, any other gets [ErrLeaseLost].
package reeve
