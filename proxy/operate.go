package proxy

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// A client is an operator of its master: it asks, and passes on the answer.

// question makes a call that changes nothing, and returns its answer.
func (c *Client) question(ctx context.Context, extra int, message func(id, low uint64) wire.Message) (*wire.Answer, error) {
	k := &call{traits: answered, req: &plain{extra: extra, message: message}}
	if err := c.do(ctx, k); err != nil {
		return nil, err
	}
	return k.answer, nil
}

// Types returns the numbers of a queue by task type; see [reeve.Operator].
func (c *Client) Types(ctx context.Context, queue string) ([]reeve.TypeStats, error) {
	if err := checkName(queue); err != nil {
		return nil, err
	}
	a, err := c.question(ctx, len(queue), func(id, low uint64) wire.Message {
		return wire.TypesRequest{Req: id, Low: low, Queue: queue}
	})
	if err != nil {
		return nil, err
	}
	types := make([]reeve.TypeStats, len(a.Types))
	for i, t := range a.Types {
		types[i] = t.TypeStats()
	}
	return types, nil
}

// Task returns what is known of a task; see [reeve.Operator].
func (c *Client) Task(ctx context.Context, id reeve.ID) (reeve.TaskInfo, error) {
	a, err := c.question(ctx, 0, func(req, low uint64) wire.Message {
		return wire.TaskRequest{Req: req, Low: low, ID: id}
	})
	if err != nil {
		return reeve.TaskInfo{}, err
	}
	if len(a.Tasks) != 1 {
		return reeve.TaskInfo{}, fmt.Errorf("%w: %d tasks instead of one", reeve.ErrProtocol, len(a.Tasks))
	}
	return a.Tasks[0].TaskInfo(), nil
}

// List returns a page of the tasks that f means; see [reeve.Operator]. A page
// has about 1 MiB at most, or one task.
func (c *Client) List(ctx context.Context, queue string, f reeve.Filter, o reeve.ListOptions) (reeve.Page, error) {
	if err := checkName(queue); err != nil {
		return reeve.Page{}, err
	}
	if err := checkCount("tasks of a page", o.Max, 0, reeve.MaxBatch); err != nil {
		return reeve.Page{}, err
	}
	filter := wire.FilterOf(&f)
	a, err := c.question(ctx, len(queue)+filterSize(&f), func(id, low uint64) wire.Message {
		return wire.List{Req: id, Low: low, Queue: queue, Filter: filter, After: o.After, Max: uint64(o.Max), Payload: int64(o.Payload)}
	})
	if err != nil {
		return reeve.Page{}, err
	}
	return reeve.Page{Tasks: infosOf(a), Next: a.Next}, nil
}

// Peek returns the tasks that come next; see [reeve.Operator]. It returns
// fewer than max when they have more than about 1 MiB.
func (c *Client) Peek(ctx context.Context, queue string, max, payload int) ([]reeve.TaskInfo, error) {
	if err := checkName(queue); err != nil {
		return nil, err
	}
	if err := checkCount("tasks of one Peek", max, 1, reeve.MaxBatch); err != nil {
		return nil, err
	}
	a, err := c.question(ctx, len(queue), func(id, low uint64) wire.Message {
		return wire.Peek{Req: id, Low: low, Queue: queue, Max: uint64(max), Payload: int64(payload)}
	})
	if err != nil {
		return nil, err
	}
	return infosOf(a), nil
}

func infosOf(a *wire.Answer) []reeve.TaskInfo {
	infos := make([]reeve.TaskInfo, len(a.Tasks))
	for i := range infos {
		infos[i] = a.Tasks[i].TaskInfo()
	}
	return infos
}

// Explain returns why a task does not run; see [reeve.Operator].
func (c *Client) Explain(ctx context.Context, id reeve.ID) (reeve.Explanation, error) {
	a, err := c.question(ctx, 0, func(req, low uint64) wire.Message {
		return wire.Explain{Req: req, Low: low, ID: id}
	})
	if err != nil {
		return reeve.Explanation{}, err
	}
	if a.Explanation == nil {
		return reeve.Explanation{}, fmt.Errorf("%w: an answer without an explanation", reeve.ErrProtocol)
	}
	return a.Explanation.Explanation(), nil
}

// Cancel ends a task in whatever state it is; see [reeve.Operator].
func (c *Client) Cancel(ctx context.Context, id reeve.ID, reason string) error {
	if err := checkReason(reason); err != nil {
		return err
	}
	return c.do(ctx, &call{traits: mutating, req: &plain{extra: len(reason), message: func(req, low uint64) wire.Message {
		return wire.CancelTask{Req: req, Low: low, ID: id, Reason: reason}
	}}})
}

// CancelAll cancels the tasks that f means; see [reeve.Operator].
func (c *Client) CancelAll(ctx context.Context, queue string, f reeve.Filter, reason string) (int, error) {
	if err := checkReason(reason); err != nil {
		return 0, err
	}
	return c.act(ctx, &f, wire.Act{Verb: wire.ActCancel, Queue: queue, Reason: reason})
}

// Revive makes dead tasks ready again; see [reeve.Operator].
func (c *Client) Revive(ctx context.Context, queue string, f reeve.Filter) (int, error) {
	return c.act(ctx, &f, wire.Act{Verb: wire.ActRevive, Queue: queue})
}

// Purge removes tasks; see [reeve.Operator].
func (c *Client) Purge(ctx context.Context, queue string, f reeve.Filter) (int, error) {
	return c.act(ctx, &f, wire.Act{Verb: wire.ActPurge, Queue: queue})
}

// Move moves tasks to another queue; see [reeve.Operator].
func (c *Client) Move(ctx context.Context, from, to string, f reeve.Filter) (int, error) {
	if err := checkName(to); err != nil {
		return 0, err
	}
	return c.act(ctx, &f, wire.Act{Verb: wire.ActMove, Queue: from, To: to})
}

// act has m done to all tasks that f means, and returns to how many it was,
// with an error, too.
func (c *Client) act(ctx context.Context, f *reeve.Filter, m wire.Act) (int, error) {
	if err := checkName(m.Queue); err != nil {
		return 0, err
	}
	m.Filter = wire.FilterOf(f)
	extra := len(m.Queue) + len(m.To) + len(m.Reason) + filterSize(f)
	k := &call{traits: mutating | counted, req: &plain{extra: extra, message: func(id, low uint64) wire.Message {
		m := m
		m.Req, m.Low = id, low
		return m
	}}}
	answered, err := c.ask(ctx, k)
	if !answered {
		return 0, err
	}
	return int(k.first), err
}

// filterSize bounds what a filter takes in a frame.
func filterSize(f *reeve.Filter) int {
	n := 64 + 9*len(f.IDs) + 2*len(f.States) + len(f.Key) + len(f.Unique) + len(f.Error)
	for _, t := range f.Types {
		n += 3 + len(t)
	}
	return n
}

func checkReason(reason string) error {
	if len(reason) > reeve.MaxErrorText {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a reason", Value: int64(len(reason)), Max: reeve.MaxErrorText}
	}
	return nil
}

var _ reeve.Operator = (*Client)(nil)
