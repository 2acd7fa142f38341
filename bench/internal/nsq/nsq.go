// Package nsq measures NSQ as a queue: nsqd with a topic for each queue and one
// channel on it, and the official Go client. nsqlookupd, which finds servers,
// has no part in it.
//
// NSQ confirms what is published and no acknowledgement (FIN), and a task is
// acknowledged only after its result was confirmed. When nsqd syncs every
// message it still forgets after a power cut what was delivered and not
// acknowledged.
package nsq

import (
	"context"

	"github.com/nsqio/go-nsq"

	"github.com/reeveq/reeve/bench/internal/system"
)

const (
	// batch is how many items a workload puts or takes at a time.
	batch = 256
	// channel is where the items of every topic are taken from.
	channel = "all"
)

// Systems are the ways of using NSQ that are measured.
func Systems() []system.System { return []system.System{queue{}} }

type queue struct{}

func (queue) Name() string { return "nsq" }
func (queue) About() string {
	return "go-nsq: MPUB of up to 256, sent asynchronously, a consumer with max-in-flight, FIN per task"
}
func (queue) Group() system.Group { return system.Peer }
func (queue) Batch() int          { return batch }

func (queue) Build(ctx context.Context) error {
	_, err := build(ctx)
	return err
}

func (queue) Start(ctx context.Context, set system.Settings) (*system.Server, error) {
	return start(ctx, set)
}

// Dial does not connect yet: the library has a connection for what is
// published, made when it is first needed, and one for each consumer.
func (queue) Dial(_ context.Context, endpoint string) (system.Client, error) {
	p, err := nsq.NewProducer(endpoint, config())
	if err != nil {
		return nil, err
	}
	p.SetLoggerLevel(nsq.LogLevelError)
	return &client{addr: endpoint, producer: p}, nil
}

var _ system.Built = queue{}
