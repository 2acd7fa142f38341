// Package queue is the engine: tasks, their states, and time. It hosts named
// queues and gives out leases; every rule about what may happen to a task is
// here, once.
//
// It knows no connections and no bytes on a wire. Whoever holds leases is a
// [Holder]; what the engine has to tell it goes through the holder's [Sink],
// and the result of a request through a [Replier], because a request may have
// to wait (a put into a full queue) and no goroutine waits for it here.
//
// Rules:
//
//   - One record per task, in exactly one state, and the list or heap it stands
//     in is that state (state.go has the legal transitions).
//   - One mutex per queue. A step over two queues takes both, in the order of
//     their creation. Nothing blocks, and nobody is called who may block or
//     call back, while one is held.
//   - Work is done by the goroutine that asks. The only goroutine of the engine
//     is the clock, which sleeps until the next due time.
//   - With a journal, every change is recorded by the step that makes it
//     (note.go), and what must not be told before it is durable is told then, by
//     the goroutine that writes the journal (section.go, tell.go); it cleans the
//     journal, too (clean.go). Another one, while there is something to do, reads
//     payloads that are not in memory (pager.go). What was recorded becomes
//     queues again in recover.go and plant.go.
//   - A lease lives as long as its holder is heard of: a holder's silence is one
//     timer per queue, not one per task. Who is silent for that long is given
//     nothing until it is heard of. Deadlines of single tasks (delay, run time)
//     stand in the queue's heap.
//   - Every request is answered once, unless its holder was released before.
//   - Times are nanoseconds of the monotonic clock since the engine started.
package queue
