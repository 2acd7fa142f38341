package shared

import (
	"context"
	"fmt"
	"math"

	"github.com/reeveq/reeve"
)

// PriorityQueue is a [JoinableQueue] that hands out the value with the lowest key
// first, as Python's PriorityQueue; of those with one key, that which was put
// first. The key is worked out where a value is put, and may be any that an int32
// can be.
type PriorityQueue[T any] struct {
	*JoinableQueue[T]
	key func(T) int
}

// NewPriorityQueue declares a queue as [NewJoinableQueue] does. key is called by
// Put, from any goroutine.
func NewPriorityQueue[T any](ctx context.Context, d reeve.QueueDeclarer, name string, cfg reeve.QueueConfig, key func(T) int, cd ...reeve.Codec) (*PriorityQueue[T], error) {
	q, err := NewJoinableQueue[T](ctx, d, name, cfg, cd...)
	if err != nil {
		return nil, err
	}
	return &PriorityQueue[T]{q, key}, nil
}

// PriorityQueueOf is a handle of q. Who only gets needs no key: a
// [JoinableQueueOf] q does.
func PriorityQueueOf[T any](q reeve.Queue, key func(T) int, cd ...reeve.Codec) *PriorityQueue[T] {
	return &PriorityQueue[T]{JoinableQueueOf[T](q, cd...), key}
}

// Put adds v. It waits while the queue is full. [reeve.ErrInvalid] when v's key is
// out of range; a priority among opts means nothing.
func (q *PriorityQueue[T]) Put(ctx context.Context, v T, opts ...reeve.PutOption) error {
	opts, err := q.prioritized(v, opts)
	if err != nil {
		return err
	}
	return q.JoinableQueue.Put(ctx, v, opts...)
}

// TryPut is Put that returns [reeve.ErrQueueFull] instead of waiting.
func (q *PriorityQueue[T]) TryPut(ctx context.Context, v T, opts ...reeve.PutOption) error {
	opts, err := q.prioritized(v, opts)
	if err != nil {
		return err
	}
	return q.JoinableQueue.TryPut(ctx, v, opts...)
}

// prioritized adds v's priority to opts: tasks of a higher one go first.
func (q *PriorityQueue[T]) prioritized(v T, opts []reeve.PutOption) ([]reeve.PutOption, error) {
	key := q.key(v)
	if key < math.MinInt32 || key > math.MaxInt32 {
		return nil, fmt.Errorf("%w: key %d of a value for queue %q, want %d to %d", reeve.ErrInvalid, key, q.Name(), math.MinInt32, math.MaxInt32)
	}
	return append(opts[:len(opts):len(opts)], reeve.WithPriority(^int32(key))), nil // all of them, the other way round
}
