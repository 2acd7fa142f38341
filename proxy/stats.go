package proxy

import (
	"context"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// Stats are the numbers of a client at one moment.
type Stats struct {
	Connected  bool
	Addr       string // of the master, when connected
	Epoch      uint64
	Connects   uint64 // connections so far
	Waiting    int    // calls that have not been asked yet
	Unanswered int    // requests without an answer
	Leases     int    // leases that stand
	Consumers  int
	BytesIn    uint64 // of messages, over all connections
	BytesOut   uint64
	Batches    uint64 // writes that BytesOut took, large requests apart
}

// Stats returns the client's numbers. It asks nobody.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{
		Connected: c.link != nil, Epoch: c.epoch, Connects: c.traffic.connects.Load(),
		Unanswered: c.pending.n + len(c.calling.byID) + len(c.waiting.byID), Leases: c.leases.n, Consumers: len(c.consumers),
		BytesIn: c.traffic.in.Load(), BytesOut: c.traffic.out.Load(), Batches: c.traffic.batches.Load(),
	}
	for lane := range c.lanes {
		s.Waiting += c.lanes[lane].n
	}
	if c.link != nil {
		s.Addr = c.link.addr
	}
	return s
}

// Queues returns the numbers of all queues of the master.
func (c *Client) Queues(ctx context.Context) ([]reeve.QueueStats, error) { return c.stats(ctx, "") }

func (c *Client) stats(ctx context.Context, queue string) ([]reeve.QueueStats, error) {
	a, err := c.question(ctx, len(queue), func(id, low uint64) wire.Message {
		return wire.StatsRequest{Req: id, Low: low, Queue: queue}
	})
	if err != nil {
		return nil, err
	}
	stats := make([]reeve.QueueStats, len(a.Queues))
	for i, s := range a.Queues {
		stats[i] = s.QueueStats()
	}
	return stats, nil
}
