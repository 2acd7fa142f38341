package reeve

import "context"

// QueueDeclarer makes and deletes queues while the master runs. A master and a
// client of one are both a QueueDeclarer. Methods may be called from any number
// of goroutines, and wait, until ctx ends, only for what they do to be durable, if
// the master keeps a journal: when ctx ends before, it may have been done.
type QueueDeclarer interface {
	// DeclareQueue makes the queue name, unless there is one that is configured
	// like this, and returns the handle of it. It may be called any number of
	// times, also by several at once. [ErrQueueExists] when there is one with
	// another configuration, which stays as it is; [ErrInvalid] names what is out of
	// range of the name or of c; a [*LimitError] says that there are as many queues
	// as the master allows.
	DeclareQueue(ctx context.Context, name string, c QueueConfig) (Queue, error)

	// DeleteQueue deletes the queue name, with its dead tasks, results and unique
	// keys. What waits in it ends with [ErrNoSuchQueue]: Puts, Gets, consumers and
	// Joins; handles of it do nothing else until a queue of that name is declared
	// again, which is another one. Without force a queue that has tasks is left
	// alone: [ErrNotEmpty]. With it they are purged, and their holders lose the
	// leases ([ErrLeaseLost]). [ErrNoSuchQueue].
	DeleteQueue(ctx context.Context, name string, force bool) error
}
