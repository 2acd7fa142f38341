package reeve

import (
	"context"
	"iter"
	"time"
)

// Operator looks at a master's queues and tasks and puts its hand to them. A
// master and a client of one are both an Operator. Methods may be called from
// any number of goroutines; every wait ends with ctx. None but Cancel, Revive,
// Purge, Move and Command changes anything: no attempt, no order, no lease.
//
// Errors that every method may return: [ErrNoSuchQueue], [ErrClosed],
// [ErrInvalid] for an argument out of range.
type Operator interface {
	// Queues returns the numbers of all queues. Its cost does not depend on how
	// many tasks there are.
	Queues(ctx context.Context) ([]QueueStats, error)
	// Types returns the numbers of a queue by task type, those with the most
	// tasks first, at most [MaxTypes]. Of more than 16,384 types it looks at
	// some, and so does Peek.
	Types(ctx context.Context, queue string) ([]TypeStats, error)

	// Task returns what is known of a task, with its whole payload.
	// [ErrNoSuchTask]: it is in no queue, and its outcome is not kept.
	Task(ctx context.Context, id ID) (TaskInfo, error)
	// List returns a page of the tasks of a queue that f means, in the order of
	// their ids.
	List(ctx context.Context, queue string, f Filter, o ListOptions) (Page, error)
	// Peek returns up to max (1 to [MaxBatch]) of the ready tasks of a queue,
	// in the order in which they would be handed over now, with up to payload
	// bytes of each payload ([NoLimit]: all).
	Peek(ctx context.Context, queue string, max, payload int) ([]TaskInfo, error)
	// Explain returns every reason for which a task is not running now.
	// [ErrNoSuchTask].
	Explain(ctx context.Context, id ID) (Explanation, error)

	// Cancel ends a task in whatever state it is: one that waits is not handed
	// over, one that runs has its handler's context end with [ErrCancelled], a
	// dead one is removed. [ErrNoSuchTask] for one that is not there any more;
	// one that was cancelled before is no error while that is remembered.
	Cancel(ctx context.Context, id ID, reason string) error
	// CancelAll cancels the tasks of a queue that f means, and returns how many.
	CancelAll(ctx context.Context, queue string, f Filter, reason string) (int, error)
	// Revive makes dead tasks of a queue that f means ready again, with no
	// attempt counted, and returns how many. [ErrShutdown] in a queue that was
	// shut down: Move them to another.
	Revive(ctx context.Context, queue string, f Filter) (int, error)
	// Purge removes the tasks of a queue that f means and returns how many:
	// dead ones, or with States in f those that wait in the states it names.
	// Leased tasks are not purged; they are cancelled.
	Purge(ctx context.Context, queue string, f Filter) (int, error)
	// Move moves the tasks of a queue that f means, in any state but leased, to
	// another queue, with their ids, and returns how many. It stops when that
	// queue is full: [ErrQueueFull], with the number moved until then, as with
	// [ErrShutdown]. Who waits for the end of one goes on waiting.
	Move(ctx context.Context, from, to string, f Filter) (int, error)

	// Result returns how a task ended. [ErrNotDone]: it has not yet;
	// [ErrNoSuchTask]: it never was, or nothing is kept of it any more.
	Result(ctx context.Context, id ID) (Result, error)
	// Wait waits for the end of a task, or for it to become dead, and returns
	// how it ended, whether that is kept or not. [ErrNoSuchTask] as Result.
	Wait(ctx context.Context, id ID) (Result, error)

	// Workers lists the clients of the master, those that take tasks first.
	Workers(ctx context.Context) ([]WorkerInfo, error)
	// Command has workers carry out a command, waits for their answers, at most
	// for timeout (0: 5 s; at most 1 min), and returns them. A worker that does
	// not answer in time has a report with an Error.
	Command(ctx context.Context, to WorkerSelector, c Command, timeout time.Duration) ([]Report, error)

	// Events follows what happens in the named queues, in all without names,
	// until ctx ends, which ends the loop without an error. Events come from
	// when the loop begins. A reader that is too slow misses some
	// ([Event.Missed]); it never holds up a queue.
	Events(ctx context.Context, queues ...string) iter.Seq2[Event, error]

	// From is a supply from several queues at once. What is wrong with the
	// sources is the error of its methods.
	From(sources ...Source) Supply
}
