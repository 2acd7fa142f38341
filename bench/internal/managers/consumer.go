package managers

import (
	"context"

	"github.com/reeveq/reeve/bench/internal/system"
)

// consumer is a thread that takes items as far as its credit goes. It calls
// task_done as soon as it has one, where it calls it at all: managers have no
// acknowledgement, and nothing else to say when an item is ended.
type consumer struct {
	pipe     *pipe
	client   *client
	prefetch int

	rest  [][]byte // of what came last
	ended int      // items that no credit was given for yet
}

func (in *consumer) Next(ctx context.Context, items []system.Item, max int) ([]system.Item, error) {
	if len(in.rest) == 0 {
		defer in.pipe.bound(ctx)()
		// Cut short here, the next call waits on.
		_, err := in.pipe.r.Peek(1)
		if err == nil {
			in.rest, err = in.pipe.items()
		}
		if err != nil {
			return items, ended(ctx, err)
		}
	}
	n := min(len(in.rest), max)
	for _, payload := range in.rest[:n] {
		items = append(items, system.Item{Payload: payload})
	}
	in.rest = in.rest[n:]
	return items, nil
}

// End gives credit in halves of the prefetch, so that not each item is a message
// to the Python process.
func (in *consumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	if len(results) > 0 {
		if err := in.client.Put(ctx, to, results); err != nil {
			return err
		}
	}
	in.ended += len(items)
	if in.ended < (in.prefetch+1)/2 {
		return nil
	}
	defer in.pipe.bound(ctx)()
	if err := in.pipe.credit(in.ended); err != nil {
		return ended(ctx, err)
	}
	in.ended = 0
	return nil
}

// Flush has nothing to wait for.
func (*consumer) Flush(context.Context) error { return nil }

// Close leaves the thread to its get: the item that comes is lost.
func (in *consumer) Close() error { return in.pipe.Close() }
