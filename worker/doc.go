// Package worker is the runtime around a queue: it takes tasks, runs the
// handler of each one's type, and ends the leases as the handlers say. It
// drains on request, survives panics and handlers that never return, and keeps
// finished results until the master has answered.
//
// It opens no connection and keeps no lease alive: it works on any [Source],
// and what stands behind that does both. It has no queue of its own either:
// unless Config.Prefetch says otherwise, a task that no handler could start at
// once is not taken.
//
// Rules:
//
//   - A [Worker] runs once. Handlers are registered before Run.
//   - The context of a handler ends when its attempt cannot count any more;
//     [context.Cause] says why: [reeve.ErrLeaseLost], [reeve.ErrCancelled]
//     (which matches the former, too), [reeve.ErrTimeout] or [ErrDraining]. It
//     also ends when the handler has returned.
//   - Delivery is at least once. A handler may run again for a task it has run
//     before, and, when it ignores its context, at the same time as elsewhere.
//   - A handler that goes on for Config.CancelGrace after its context ended is
//     given up: the lease is ended without it, its slot is filled anew, and
//     what it returns in the end is discarded. Go cannot end its goroutine, so
//     it is counted as stuck until it returns.
//   - A worker announces the types of its handlers and its labels: the master
//     hands it no other tasks. One that comes nevertheless, from a source that
//     knows no types, is a failed attempt ([reeve.ErrNoHandler]).
//
// What a handler returns decides what becomes of its task:
//
//	nil error                what it returned is the result: it goes to the result queue,
//	                         and is kept by the task's id if task or queue say so
//	nil error and no result  done (HandleAck; a nil payload without a result queue)
//	Permanent(err)           dead at once, whatever attempts are left
//	Discard(err)             ended without success and without a dead letter
//	Skip                     done, without a result: there was nothing to do
//	RetryAfter(err, d)       failed attempt; handed over again after d, or dead if it was the last
//	RetryAfter(nil, d)       snoozed: handed over again after d, no attempt is used up
//	any other error, panic   failed attempt; handed over again after the task's backoff
//	                         (queue's, if it has none), or dead if it was the last
//
// Errors may be wrapped; of several in one error the first in this table
// counts. They are heard also when the context has ended, as long as the lease
// stands. Any other error counts as timed out then ([reeve.ErrTimeout]), or as
// given back without using up an attempt ([ErrDraining]). When the lease is
// lost or its task cancelled, nothing that is returned has an effect.
package worker
