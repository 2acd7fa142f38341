package reeve

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// TypedQueue is a [Queue] of values of type T, turned into payloads and back
// by a codec. It has no state of its own: any number may exist for one queue,
// and all its methods may be called from any number of goroutines. What each
// waits for and returns is said at the method of [Queue] it stands for.
type TypedQueue[T any] struct {
	q     Queue
	codec Codec
}

// NewTypedQueue makes the typed view of q. Use proxy.QueueOf or
// manager.QueueOf, which choose a codec.
func NewTypedQueue[T any](q Queue, c Codec) *TypedQueue[T] {
	return &TypedQueue[T]{q: q, codec: c}
}

// Name is the queue's name.
func (q *TypedQueue[T]) Name() string { return q.q.Name() }

// Raw is the queue at the level of bytes.
func (q *TypedQueue[T]) Raw() Queue { return q.q }

// Codec is the codec of the payloads.
func (q *TypedQueue[T]) Codec() Codec { return q.codec }

// Consume asks for a standing supply of leases; see [Queue.Consume].
func (q *TypedQueue[T]) Consume(ctx context.Context, slots int, opts ...GetOption) (Consumer, error) {
	return q.q.Consume(ctx, slots, opts...)
}

// Put adds v and returns the task's id. It waits while the queue is full. For
// a duplicate it returns the id of the earlier task, and a [*DuplicateError].
func (q *TypedQueue[T]) Put(ctx context.Context, v T, opts ...PutOption) (ID, error) {
	b, err := q.marshal(v)
	if err != nil {
		return 0, err
	}
	ids, err := q.q.Put(ctx, []Task{{Payload: b}}, opts...)
	if len(ids) == 0 {
		return 0, err
	}
	return ids[0], err
}

// TryPut is Put that returns [ErrQueueFull] instead of waiting for room.
func (q *TypedQueue[T]) TryPut(ctx context.Context, v T, opts ...PutOption) (ID, error) {
	return q.Put(ctx, v, append(opts[:len(opts):len(opts)], NoWait())...)
}

// PutMany adds all values in order, or none, in one request of at most
// [MaxBatch] tasks.
func (q *TypedQueue[T]) PutMany(ctx context.Context, vs []T, opts ...PutOption) ([]ID, error) {
	tasks := make([]Task, len(vs))
	for i, v := range vs {
		b, err := q.marshal(v)
		if err != nil {
			return nil, err
		}
		tasks[i].Payload = b
	}
	return q.q.Put(ctx, tasks, opts...)
}

// Get waits for a task and leases it. A payload that the codec cannot read is
// a [*DecodeError], which holds the lease.
func (q *TypedQueue[T]) Get(ctx context.Context, opts ...GetOption) (*Item[T], error) {
	return one(q.items(q.q.Get(ctx, 1, opts...)))
}

// TryGet is Get that returns [ErrEmpty] instead of waiting.
func (q *TypedQueue[T]) TryGet(ctx context.Context, opts ...GetOption) (*Item[T], error) {
	return one(q.items(q.q.TryGet(ctx, 1, opts...)))
}

// GetMany waits for at least one task and leases up to max. When payloads
// cannot be read, the error is a [*DecodeError] with the lease of the first,
// the others of them go back to the queue, and the items are those that could
// be read.
func (q *TypedQueue[T]) GetMany(ctx context.Context, max int, opts ...GetOption) ([]*Item[T], error) {
	return q.items(q.q.Get(ctx, max, opts...))
}

// Items leases one task after another until ctx ends or the queue is shut down
// and empty, which both end the loop without an error. A task is held until it
// is settled; one that is unsettled when the next is asked for is kept and is
// the loop's to settle later. An item that cannot be decoded comes as a
// [*DecodeError] and the loop goes on, any other error is the last.
func (q *TypedQueue[T]) Items(ctx context.Context, opts ...GetOption) iter.Seq2[*Item[T], error] {
	return func(yield func(*Item[T], error) bool) {
		for {
			it, err := q.Get(ctx, opts...)
			var undecoded *DecodeError
			switch {
			case err == nil, errors.As(err, &undecoded):
			case ctx.Err() != nil, errors.Is(err, ErrShutdown):
				return
			default:
				yield(nil, err)
				return
			}
			if !yield(it, err) {
				return
			}
		}
	}
}

// Len is how many tasks may be handed over now.
func (q *TypedQueue[T]) Len(ctx context.Context) (int, error) {
	s, err := q.q.Stats(ctx)
	return s.Ready, err
}

// Empty reports whether a Get would wait now.
func (q *TypedQueue[T]) Empty(ctx context.Context) (bool, error) {
	n, err := q.Len(ctx)
	return n == 0, err
}

// Cap is how many tasks may wait in the queue; 0: any number, as far as its bytes
// have a bound.
func (q *TypedQueue[T]) Cap(ctx context.Context) (int, error) {
	s, err := q.q.Stats(ctx)
	return s.MaxLen, err
}

// Peek returns up to max of the values that would be handed over next; see
// [Queue.Peek]. It ends before one that the codec cannot read, which is an error
// if it is the first.
func (q *TypedQueue[T]) Peek(ctx context.Context, max int) ([]T, error) {
	tasks, err := q.q.Peek(ctx, max)
	if err != nil {
		return nil, err
	}
	values := make([]T, 0, len(tasks))
	for i := range tasks {
		var v T
		if err := q.codec.Unmarshal(tasks[i].Payload, &v); err != nil {
			if i == 0 {
				return nil, fmt.Errorf("reeve: task %v of queue %q is not readable as %s: %w", tasks[i].ID, q.Name(), q.codec.Name(), err)
			}
			break
		}
		values = append(values, v)
	}
	return values, nil
}

// Full reports whether a Put of an empty payload would wait or be refused now.
func (q *TypedQueue[T]) Full(ctx context.Context) (bool, error) {
	s, err := q.q.Stats(ctx)
	full := s.MaxLen > 0 && s.Ready+s.Delayed >= s.MaxLen || s.MaxBytes >= 0 && s.Bytes > s.MaxBytes-TaskOverhead
	return full, err
}

// Stats returns the queue's numbers.
func (q *TypedQueue[T]) Stats(ctx context.Context) (QueueStats, error) { return q.q.Stats(ctx) }

// Join waits until every task is settled; see [Queue.Join].
func (q *TypedQueue[T]) Join(ctx context.Context) error { return q.q.Join(ctx) }

// Shutdown ends the queue for producers; see [Queue.Shutdown].
func (q *TypedQueue[T]) Shutdown(ctx context.Context, immediate bool) error {
	return q.q.Shutdown(ctx, immediate)
}

// Encode makes the payload of v, which must be a T. It is what lets an item of
// one queue be completed into another; see [Item.Complete].
func (q *TypedQueue[T]) Encode(v any) ([]byte, error) {
	t, ok := v.(T)
	if !ok {
		return nil, fmt.Errorf("%w: queue %q takes %T, not %T", ErrInvalid, q.Name(), *new(T), v)
	}
	return q.marshal(t)
}

func (q *TypedQueue[T]) marshal(v T) ([]byte, error) {
	b, err := q.codec.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("reeve: encode %T as %s for queue %q: %w", v, q.codec.Name(), q.Name(), err)
	}
	return b, nil
}

func (q *TypedQueue[T]) items(leases []*Lease, err error) ([]*Item[T], error) {
	if err != nil {
		return nil, err
	}
	items := make([]*Item[T], 0, len(leases))
	var back []*Lease
	for _, l := range leases {
		it := &Item[T]{Lease: l}
		e := q.codec.Unmarshal(l.Payload, &it.Value)
		switch {
		case e == nil:
			items = append(items, it)
		case err == nil:
			err = &DecodeError{Lease: l, Codec: q.codec.Name(), Err: e}
		default:
			back = append(back, l)
		}
	}
	for _, l := range slices.Backward(back) { // each goes to the front
		l.Settle(&Outcome{Verb: Return}, nil)
	}
	return items, err
}

func one[T any](items []*Item[T], err error) (*Item[T], error) {
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// Item is a leased task with its value.
type Item[T any] struct {
	*Lease
	Value T
}

// Destination is a queue that values can be completed into: a [*TypedQueue].
type Destination interface {
	Name() string
	Encode(v any) ([]byte, error)
}

// Complete acks the task and puts v on the queue out, in one step: both happen
// or neither. v must be of out's type ([ErrInvalid]). It waits while out is
// full; the lease stands meanwhile.
func (it *Item[T]) Complete(ctx context.Context, out Destination, v any) error {
	b, err := out.Encode(v)
	if err != nil {
		return err
	}
	return it.Lease.Complete(ctx, out.Name(), Task{Payload: b})
}

// DecodeError tells that a task's payload could not be read. Its lease stands:
// Bury it, or Nack it for a consumer that may know better.
type DecodeError struct {
	Lease *Lease
	Codec string
	Err   error
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("reeve: task %v of queue %q is not readable as %s: %v", e.Lease.ID, e.Lease.Queue(), e.Codec, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }
