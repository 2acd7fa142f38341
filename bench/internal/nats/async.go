package nats

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// asyncPublisher publishes with the library's PublishAsync: each item is
// confirmed, and synced, by itself.
type asyncPublisher struct {
	link *link
	js   jetstream.JetStream

	mu  sync.Mutex // guards err
	err error      // the first
}

func newAsyncPublisher(l *link) (*asyncPublisher, error) {
	p := &asyncPublisher{link: l}
	var err error
	p.js, err = jetstream.New(l.conn,
		jetstream.WithPublishAsyncMaxPending(windowItems),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, _ *nats.Msg, err error) { p.fail(err) }))
	return p, err
}

func (p *asyncPublisher) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *asyncPublisher) publish(queue string, payloads [][]byte) error {
	for _, data := range payloads {
		if _, err := p.js.PublishAsync(queue, data); err != nil {
			return err
		}
	}
	return nil
}

func (p *asyncPublisher) wait(ctx context.Context) error {
	select {
	case <-p.js.PublishAsyncComplete():
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.err
	case <-p.link.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

var _ publisher = (*asyncPublisher)(nil)
