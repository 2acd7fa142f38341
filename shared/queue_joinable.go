package shared

import (
	"context"
	"fmt"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// JoinableQueue is a queue as Python's Queue and JoinableQueue: Get hands out
// values, and TaskDone says that the work on one of them is finished, which is
// what Join waits for. A value that was got and not done is leased: when its
// client dies, it comes back to the queue, and somebody else gets it.
//
// Methods may be called from any number of goroutines. Every wait ends with ctx,
// whose error then is the result. [reeve.ErrNoSuchQueue] says that there is no
// such queue, and after [JoinableQueue.Shutdown] it is [reeve.ErrShutdown], at
// once for a Put, and for a Get when nothing is left.
type JoinableQueue[T any] struct {
	typed *reeve.TypedQueue[T]

	mu  sync.Mutex     // guards the field below
	got []*reeve.Lease // of this handle, not done, in the order of the Gets
}

// NewJoinableQueue declares a queue at d, a *proxy.Client or the *manager.Master:
// it is made unless it exists with the same configuration ([reeve.ErrQueueExists]).
// Values are CBOR unless another codec is given.
func NewJoinableQueue[T any](ctx context.Context, d reeve.QueueDeclarer, name string, cfg reeve.QueueConfig, cd ...reeve.Codec) (*JoinableQueue[T], error) {
	q, err := d.DeclareQueue(ctx, name, cfg)
	if err != nil {
		return nil, err
	}
	return JoinableQueueOf[T](q, cd...), nil
}

// NewLifoQueue declares a queue that hands out what was put last first, as Python's
// LifoQueue.
func NewLifoQueue[T any](ctx context.Context, d reeve.QueueDeclarer, name string, cfg reeve.QueueConfig, cd ...reeve.Codec) (*JoinableQueue[T], error) {
	cfg.LIFO = true
	return NewJoinableQueue[T](ctx, d, name, cfg, cd...)
}

// JoinableQueueOf is a handle of q, whatever its order.
func JoinableQueueOf[T any](q reeve.Queue, cd ...reeve.Codec) *JoinableQueue[T] {
	return &JoinableQueue[T]{typed: typedQueue[T](q, cd)}
}

// typedQueue is q with the codec that was given, or the usual one.
func typedQueue[T any](q reeve.Queue, cd []reeve.Codec) *reeve.TypedQueue[T] {
	use := codec.CBOR
	for _, c := range cd {
		use = c
	}
	return reeve.NewTypedQueue[T](q, use)
}

// Name is the queue's name.
func (q *JoinableQueue[T]) Name() string { return q.typed.Name() }

// Typed is the queue with all that tasks have.
func (q *JoinableQueue[T]) Typed() *reeve.TypedQueue[T] { return q.typed }

// Put adds v. It waits while the queue is full.
func (q *JoinableQueue[T]) Put(ctx context.Context, v T, opts ...reeve.PutOption) error {
	_, err := q.typed.Put(ctx, v, opts...)
	return err
}

// TryPut is Put that returns [reeve.ErrQueueFull] instead of waiting, as Python's
// put_nowait.
func (q *JoinableQueue[T]) TryPut(ctx context.Context, v T, opts ...reeve.PutOption) error {
	_, err := q.typed.TryPut(ctx, v, opts...)
	return err
}

// Get waits for a value. One that the codec cannot read is a [*reeve.DecodeError],
// which holds its lease, and which TaskDone does not count.
func (q *JoinableQueue[T]) Get(ctx context.Context, opts ...reeve.GetOption) (T, error) {
	return q.take(q.typed.Get(ctx, untilEmpty(opts)...))
}

// TryGet is Get that returns [reeve.ErrEmpty] instead of waiting, as Python's
// get_nowait.
func (q *JoinableQueue[T]) TryGet(ctx context.Context, opts ...reeve.GetOption) (T, error) {
	return q.take(q.typed.TryGet(ctx, untilEmpty(opts)...))
}

func untilEmpty(opts []reeve.GetOption) []reeve.GetOption {
	return append(opts[:len(opts):len(opts)], reeve.UntilEmpty())
}

func (q *JoinableQueue[T]) take(it *reeve.Item[T], err error) (v T, _ error) {
	if err != nil {
		return v, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.got = append(q.got, it.Lease)
	return it.Value, nil
}

// TaskDone says that the work on one of the values that were got through this
// handle is finished: on the first of those that are not done. There is none:
// [reeve.ErrTooManyDone]. [reeve.ErrLeaseLost] says that it was taken for lost
// meanwhile, and came back to the queue. With a ctx that has ended nothing is
// done; when it ends while TaskDone waits for the master, the value is done all
// the same.
func (q *JoinableQueue[T]) TaskDone(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	if len(q.got) == 0 {
		q.mu.Unlock()
		return fmt.Errorf("%w: in queue %q", reeve.ErrTooManyDone, q.Name())
	}
	l := q.got[0]
	q.got[0] = nil
	if q.got = q.got[1:]; len(q.got) == 0 {
		q.got = nil
	}
	q.mu.Unlock()
	return ack(ctx, l)
}

// ack acks l, whether or not ctx has ended, which ends the wait for the answer.
func ack(ctx context.Context, l *reeve.Lease) error {
	answer := make(chan error, 1)
	l.Settle(&reeve.Outcome{Verb: reeve.Ack}, func(err error) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Join waits until every value that was put is done.
func (q *JoinableQueue[T]) Join(ctx context.Context) error { return q.typed.Join(ctx) }

// Len is how many values can be got now: Python's qsize.
func (q *JoinableQueue[T]) Len(ctx context.Context) (int, error) { return q.typed.Len(ctx) }

// Empty reports whether a Get would wait now.
func (q *JoinableQueue[T]) Empty(ctx context.Context) (bool, error) { return q.typed.Empty(ctx) }

// Full reports whether a Put would wait now.
func (q *JoinableQueue[T]) Full(ctx context.Context) (bool, error) { return q.typed.Full(ctx) }

// Cap is how many values may wait in the queue; 0: there is no bound.
func (q *JoinableQueue[T]) Cap(ctx context.Context) (int, error) { return q.typed.Cap(ctx) }

// Peek returns up to max of the values that would be got next.
func (q *JoinableQueue[T]) Peek(ctx context.Context, max int) ([]T, error) {
	return q.typed.Peek(ctx, max)
}

// Shutdown ends the queue, as Python's shutdown: Puts fail with
// [reeve.ErrShutdown] at once, those that wait, too. Gets go on until nothing is
// left. With immediate nothing is: what is in the queue is dropped and counts as
// done, which may let Joins go. What was got is to be done either way.
func (q *JoinableQueue[T]) Shutdown(ctx context.Context, immediate bool) error {
	return q.typed.Shutdown(ctx, immediate)
}
