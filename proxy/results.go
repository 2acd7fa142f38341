package proxy

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// Result returns how a task ended; see [reeve.Operator].
func (c *Client) Result(ctx context.Context, id reeve.ID) (reeve.Result, error) {
	return c.result(ctx, id, false)
}

// Wait waits for the end of a task; see [reeve.Operator]. When the task ends
// while there is no connection, and its outcome is not kept, the answer is
// [reeve.ErrNoSuchTask].
func (c *Client) Wait(ctx context.Context, id reeve.ID) (reeve.Result, error) {
	return c.result(ctx, id, true)
}

func (c *Client) result(ctx context.Context, id reeve.ID, wait bool) (reeve.Result, error) {
	t := answered
	if wait {
		t |= parks
	}
	k := &call{traits: t, req: &plain{message: func(req, low uint64) wire.Message {
		return wire.ResultRequest{Req: req, Low: low, ID: id, Wait: wait}
	}}}
	if err := c.do(ctx, k); err != nil {
		return reeve.Result{}, err
	}
	if k.answer.Result == nil {
		return reeve.Result{}, fmt.Errorf("%w: an answer without a result", reeve.ErrProtocol)
	}
	return k.answer.Result.Result(), nil
}
