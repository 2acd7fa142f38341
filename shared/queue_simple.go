package shared

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
)

// SimpleQueue is a queue as Python's SimpleQueue: no bound, and nothing to be
// done after a Get. A value that was got is gone, and lost if its client dies
// before it has made use of it. Methods may be called from any number of
// goroutines.
type SimpleQueue[T any] struct{ typed *reeve.TypedQueue[T] }

// NewSimpleQueue declares a queue at d, a *proxy.Client or the *manager.Master: it
// is made unless it exists with the same configuration ([reeve.ErrQueueExists]),
// which must have no MaxLen ([reeve.ErrInvalid]). Values are CBOR unless another
// codec is given.
func NewSimpleQueue[T any](ctx context.Context, d reeve.QueueDeclarer, name string, cfg reeve.QueueConfig, cd ...reeve.Codec) (*SimpleQueue[T], error) {
	if cfg.MaxLen != 0 {
		return nil, fmt.Errorf("%w: QueueConfig.MaxLen is %d, want 0 for a simple queue", reeve.ErrInvalid, cfg.MaxLen)
	}
	q, err := d.DeclareQueue(ctx, name, cfg)
	if err != nil {
		return nil, err
	}
	return SimpleQueueOf[T](q, cd...), nil
}

// SimpleQueueOf is a handle of q.
func SimpleQueueOf[T any](q reeve.Queue, cd ...reeve.Codec) *SimpleQueue[T] {
	return &SimpleQueue[T]{typedQueue[T](q, cd)}
}

// Name is the queue's name.
func (q *SimpleQueue[T]) Name() string { return q.typed.Name() }

// Typed is the queue with all that tasks have.
func (q *SimpleQueue[T]) Typed() *reeve.TypedQueue[T] { return q.typed }

// Put adds v. It never waits for room: [reeve.ErrQueueFull] when the queue has as
// many bytes as it may.
func (q *SimpleQueue[T]) Put(ctx context.Context, v T, opts ...reeve.PutOption) error {
	_, err := q.typed.TryPut(ctx, v, opts...)
	return err
}

// Get waits for a value and takes it out of the queue. When ctx ends, or the
// client is closed, while the value is being taken out, it is returned with the
// error: nobody else may get it. One that the codec cannot read is a
// [*reeve.DecodeError], which holds its lease.
func (q *SimpleQueue[T]) Get(ctx context.Context, opts ...reeve.GetOption) (T, error) {
	opts = untilEmpty(opts)
	return q.take(ctx, func() (*reeve.Item[T], error) { return q.typed.Get(ctx, opts...) })
}

// TryGet is Get that returns [reeve.ErrEmpty] instead of waiting.
func (q *SimpleQueue[T]) TryGet(ctx context.Context, opts ...reeve.GetOption) (T, error) {
	opts = untilEmpty(opts)
	return q.take(ctx, func() (*reeve.Item[T], error) { return q.typed.TryGet(ctx, opts...) })
}

// take gets a value and acks it, or the next one, if another got that meanwhile.
func (q *SimpleQueue[T]) take(ctx context.Context, get func() (*reeve.Item[T], error)) (v T, _ error) {
	for {
		it, err := get()
		if err != nil {
			return v, err
		}
		if err := ctx.Err(); err != nil { // whoever gets an error may not look at the value
			it.Settle(&reeve.Outcome{Verb: reeve.Return}, func(error) {}) // nobody waits for it
			return v, err
		}
		if err = ack(ctx, it.Lease); !errors.Is(err, reeve.ErrLeaseLost) {
			return it.Value, err
		}
	}
}

// Len is how many values can be got now: Python's qsize.
func (q *SimpleQueue[T]) Len(ctx context.Context) (int, error) { return q.typed.Len(ctx) }

// Empty reports whether a Get would wait now.
func (q *SimpleQueue[T]) Empty(ctx context.Context) (bool, error) { return q.typed.Empty(ctx) }
