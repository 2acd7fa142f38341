package proxy

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// DeclareQueue makes a queue at the master; see [reeve.QueueDeclarer].
func (c *Client) DeclareQueue(ctx context.Context, name string, cfg reeve.QueueConfig) (reeve.Queue, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	full := cfg.WithDefaults()
	if err := full.Validate(); err != nil {
		return nil, fmt.Errorf("queue %q: %w", name, err)
	}
	text, err := json.Marshal(&cfg)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", reeve.ErrInvalid, err)
	}
	if err := c.callQueues(ctx, "declare", name, string(text)); err != nil {
		return nil, err
	}
	return c.Queue(name), nil
}

// DeleteQueue deletes a queue of the master; see [reeve.QueueDeclarer].
// [reeve.ErrOutcomeUnknown]: the connection was lost, the master was restarted
// meanwhile, and it has a queue of that name, which may be another one.
func (c *Client) DeleteQueue(ctx context.Context, name string, force bool) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.callQueues(ctx, "delete", name, force)
}

// callQueues calls a method of the master's service for queues.
func (c *Client) callQueues(ctx context.Context, method string, args ...any) error {
	b, err := codec.CBOR.Marshal(args)
	if err != nil {
		return fmt.Errorf("%w: %v", reeve.ErrInvalid, err)
	}
	_, err = c.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: "$queues"}, Method: method, Args: b})
	return err
}

var _ reeve.QueueDeclarer = (*Client)(nil)
