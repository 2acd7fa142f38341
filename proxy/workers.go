package proxy

import (
	"context"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// Workers lists the clients of the master; see [reeve.Operator]. Of thousands
// it asks in several requests: those that come or go meanwhile may be missing.
func (c *Client) Workers(ctx context.Context) ([]reeve.WorkerInfo, error) {
	var infos []reeve.WorkerInfo
	for after := uint64(0); ; {
		a, err := c.question(ctx, 0, func(id, low uint64) wire.Message {
			return wire.WorkersRequest{Req: id, Low: low, After: after}
		})
		if err != nil {
			return nil, err
		}
		for i := range a.Workers {
			infos = append(infos, a.Workers[i].WorkerInfo())
		}
		next := uint64(a.Next)
		if next == 0 {
			break
		}
		if next <= after {
			return nil, fmt.Errorf("%w: a list that does not go on", reeve.ErrProtocol)
		}
		after = next
	}
	wire.SortWorkers(infos)
	return infos, nil
}

// Command has workers carry out a command; see [reeve.Operator]. When the
// connection is lost before the answer, they may be told twice.
func (c *Client) Command(ctx context.Context, to reeve.WorkerSelector, cmd reeve.Command, timeout time.Duration) ([]reeve.Report, error) {
	if err := checkCount("Command.Concurrency", cmd.Concurrency, 0, reeve.MaxSlots); err != nil {
		return nil, err
	}
	if err := checkCount("workers of one Command", len(to.IDs), 0, wire.MaxEntries); err != nil {
		return nil, err
	}
	if err := reeve.CheckLabels(to.Labels); err != nil {
		return nil, err
	}
	extra := len(cmd.Do) + 9*len(to.IDs) + reeve.MaxLabels*(3+255)
	k := &call{traits: answered | parks, req: &plain{extra: extra, message: func(id, low uint64) wire.Message {
		return wire.CommandRequest{Req: id, Low: low, IDs: to.IDs, Labels: to.Labels,
			Kind: string(cmd.Do), Concurrency: uint64(cmd.Concurrency), Timeout: timeout}
	}}}
	if err := c.do(ctx, k); err != nil {
		return nil, err
	}
	reports := make([]reeve.Report, len(k.answer.Reports))
	for i := range reports {
		reports[i] = k.answer.Reports[i].Report()
	}
	return reports, nil
}
