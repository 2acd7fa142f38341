// Package proxy is the client: [Dial] connects to a master, and the queues it
// gives out by name are used as if they were local.
//
// It knows one session at a time and nothing of how the master works. It hosts
// no queue, runs no handler (package worker does, over what this package
// gives) and never decides about a task: it asks, and passes on the answer.
//
// Rules:
//
//   - One connection per [Client], whatever number of queues, consumers and
//     goroutines use it; a [reeve.Queue] from it is a name and no more.
//   - A lost connection is not an error of a call. Calls wait until it is back,
//     bounded by their ctx; requests that were not answered are asked again
//     under the same id, and the master carries each out once.
//   - Leases outlive a lost connection when the master has not given the task
//     to somebody else: they are claimed as soon as it is back. The end of a
//     lease is kept until the master has answered it.
//   - Everything is bounded: requests on their way by the master's window,
//     bytes not yet written by a few megabytes, ends of leases by the slots
//     and Gets they came from. Callers wait; nothing is dropped but what is
//     only of interest while it is new: events that nobody takes, and progress
//     that is told faster than it is passed on.
//   - All state is guarded by one mutex ([Client].mu), held for steps that
//     neither block nor call out. The goroutines are those of the connection,
//     and one while a command of an operator is carried out; no call has one.
package proxy
