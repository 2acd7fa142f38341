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
//     [context.Cause] says why: [reeve.ErrLeaseLost], [reeve.ErrTimeout] or
//     [ErrDraining]. It also ends when the handler has returned.
//   - Delivery is at least once. A handler may run again for a task it has run
//     before, and, when it ignores its context, at the same time as elsewhere.
//   - A handler that goes on for Config.CancelGrace after its context ended is
//     given up: the lease is ended without it, its slot is filled anew, and
//     what it returns in the end is discarded. Go cannot end its goroutine, so
//     it is counted as stuck until it returns.
package worker
