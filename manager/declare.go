package manager

import (
	"cmp"
	"context"

	"github.com/reeveq/reeve"
)

// DeclareQueue makes a queue, as a client does; see [reeve.QueueDeclarer]. Unlike
// [Master.Queue] it never configures a queue anew that came from the journal, and
// it waits until what it did is durable.
func (m *Master) DeclareQueue(ctx context.Context, name string, c reeve.QueueConfig) (reeve.Queue, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	if err := m.declare(name, c); err != nil {
		return nil, err
	}
	return newLocalQueue(m.local, name), m.local.durable(ctx)
}

// declare makes a queue for whoever asks for it while the master runs: one that
// came from the journal stays as it is, whether or not somebody has used it.
func (m *Master) declare(name string, c reeve.QueueConfig) error {
	_, _ = m.engine.Lookup(name) // it is used as it is from now on
	_, err := m.engine.Declare(name, c)
	return err
}

// DeleteQueue deletes a queue; see [reeve.QueueDeclarer].
func (m *Master) DeleteQueue(ctx context.Context, name string, force bool) error {
	if err := m.usable(ctx); err != nil {
		return err
	}
	return cmp.Or(m.engine.Delete(name, force), m.local.durable(ctx))
}

var _ reeve.QueueDeclarer = (*Master)(nil)
