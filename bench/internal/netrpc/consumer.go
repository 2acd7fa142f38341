package netrpc

import (
	"context"
	"net/rpc"

	"github.com/reeveq/reeve/bench/internal/system"
)

// pending is how many results may be on their way.
const pending = 4 * batch

// consumer keeps as many items asked for as it may hold. One goroutine uses it.
type consumer struct {
	client *client
	queue  string
	most   int // items of one call

	credit int            // items that may be asked for
	asked  int            // calls under way
	taken  chan *rpc.Call // those that were answered
	rest   [][]byte       // of the last answer

	putting int // results on their way
	put     chan *rpc.Call
}

// ask asks for as much as the credit allows, in full calls while some are under way.
func (in *consumer) ask() {
	for in.credit >= in.most || in.credit > 0 && in.asked == 0 {
		n := min(in.most, in.credit)
		if in.client.chunked {
			in.client.rpc.Go("Queues.GetMany", Want{in.queue, n}, new([][]byte), in.taken)
		} else {
			in.client.rpc.Go("Queues.Get", in.queue, new([]byte), in.taken)
		}
		in.credit -= n
		in.asked++
	}
}

func (in *consumer) Next(ctx context.Context, items []system.Item, max int) ([]system.Item, error) {
	max += len(items)
	for none := true; len(items) < max; none = false {
		if len(in.rest) > 0 {
			n := min(len(in.rest), max-len(items))
			for _, payload := range in.rest[:n] {
				items = append(items, system.Item{Payload: payload})
			}
			in.rest = in.rest[n:]
			continue
		}
		var call *rpc.Call
		if none {
			select {
			case call = <-in.taken:
			case <-ctx.Done():
				return items, ctx.Err()
			}
		} else {
			select {
			case call = <-in.taken:
			default:
				return items, nil
			}
		}
		if call.Error != nil {
			return items, call.Error
		}
		in.asked--
		switch reply := call.Reply.(type) {
		case *[]byte:
			items = append(items, system.Item{Payload: *reply})
		case *[][]byte:
			in.rest = *reply
			in.credit += call.Args.(Want).Most - len(*reply)
			in.ask()
		}
	}
	return items, nil
}

// End only gives credit back: a server that has a channel for a queue has
// forgotten the items.
func (in *consumer) End(ctx context.Context, items []system.Item, to string, results [][]byte) error {
	for len(results) > 0 {
		n := min(len(results), batch)
		if in.putting+n > pending {
			if err := in.Flush(ctx); err != nil {
				return err
			}
		}
		in.putting += in.client.send(to, results[:n], in.put)
		results = results[n:]
	}
	in.credit += len(items)
	in.ask()
	return nil
}

// Flush waits until the results are in their queue.
func (in *consumer) Flush(ctx context.Context) error {
	if err := await(ctx, in.put, in.putting); err != nil {
		return err
	}
	in.putting = 0
	return nil
}

// Close leaves the calls that are under way: what comes for them is lost.
func (in *consumer) Close() error { return nil }
