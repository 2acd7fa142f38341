package proxy

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// queue is a name at a client: any number may exist for one queue.
type queue struct{ supply }

// maxName is the longest queue name, in bytes.
const maxName = 255

func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("%w: queue name of %d bytes, want 1 to %d", reeve.ErrInvalid, len(name), maxName)
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("%w: queue name %q is not UTF-8", reeve.ErrInvalid, name)
	}
	return nil
}

// plain is a request that is one message and seldom sent.
type plain struct {
	extra   int // bounds what it takes beyond plainSize: names, lists
	message func(id, low uint64) wire.Message
}

// plainSize is more than all numbers of a plain request take.
const plainSize = 128

func (r *plain) size() int { return plainSize + r.extra }

func (r *plain) encode(b *wire.Builder, id, low uint64) error { return b.Message(r.message(id, low)) }

func (q *queue) Name() string { return q.name }

// ask makes a call with a request of one message.
func (q *queue) ask(ctx context.Context, t traits, message func(id, low uint64) wire.Message) (*call, error) {
	if err := checkName(q.name); err != nil {
		return nil, err
	}
	k := &call{traits: t, req: &plain{extra: len(q.name), message: message}}
	return k, q.c.do(ctx, k)
}

func (q *queue) Stats(ctx context.Context) (reeve.QueueStats, error) {
	if err := checkName(q.name); err != nil {
		return reeve.QueueStats{}, err
	}
	stats, err := q.c.stats(ctx, q.name)
	if err != nil {
		return reeve.QueueStats{}, err
	}
	if len(stats) != 1 {
		return reeve.QueueStats{}, fmt.Errorf("%w: the numbers of %d queues instead of one", reeve.ErrProtocol, len(stats))
	}
	return stats[0], nil
}

func (q *queue) Join(ctx context.Context) error {
	_, err := q.ask(ctx, parks, func(id, low uint64) wire.Message {
		return wire.Join{Req: id, Low: low, Queue: q.name}
	})
	return err
}

func (q *queue) Shutdown(ctx context.Context, immediate bool) error {
	_, err := q.ask(ctx, 0, func(id, low uint64) wire.Message {
		return wire.ShutdownRequest{Req: id, Low: low, Queue: q.name, Immediate: immediate}
	})
	return err
}

func (q *queue) Dead(ctx context.Context, skip, max int) ([]reeve.DeadTask, error) {
	if skip < 0 {
		return nil, fmt.Errorf("%w: Dead after skipping %d, want 0 or more", reeve.ErrInvalid, skip)
	}
	if err := checkCount("tasks of one Dead", max, 1, reeve.MaxBatch); err != nil {
		return nil, err
	}
	k, err := q.ask(ctx, answered, func(id, low uint64) wire.Message {
		return wire.DeadRequest{Req: id, Low: low, Queue: q.name, Skip: uint64(skip), Max: uint64(max)}
	})
	if err != nil {
		return nil, err
	}
	tasks := make([]reeve.DeadTask, len(k.answer.Dead))
	for i := range tasks {
		tasks[i] = k.answer.Dead[i].DeadTask()
	}
	return tasks, nil
}

func (q *queue) Peek(ctx context.Context, max int) ([]reeve.TaskInfo, error) {
	return q.c.Peek(ctx, q.name, max, reeve.NoLimit)
}

func (q *queue) Pause(ctx context.Context, reason string) error {
	if err := checkReason(reason); err != nil {
		return err
	}
	return q.pause(ctx, true, reason)
}

func (q *queue) Resume(ctx context.Context) error { return q.pause(ctx, false, "") }

func (q *queue) pause(ctx context.Context, paused bool, reason string) error {
	if err := checkName(q.name); err != nil {
		return err
	}
	return q.c.do(ctx, &call{traits: mutating, req: &plain{extra: len(q.name) + len(reason), message: func(id, low uint64) wire.Message {
		return wire.Pause{Req: id, Low: low, Queue: q.name, Paused: paused, Reason: reason}
	}}})
}

func checkCount(what string, n, least, most int) error {
	if n < least || n > most {
		return fmt.Errorf("%w: %s: %d, want %d to %d", reeve.ErrInvalid, what, n, least, most)
	}
	return nil
}

var _ reeve.Queue = (*queue)(nil)
