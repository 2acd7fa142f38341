package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

// remote hands the commands that come from the master to the worker, which
// there is only some time after the connection.
type remote struct{ w atomic.Pointer[worker.Worker] }

func (r *remote) control(ctx context.Context, c reeve.Command) (*reeve.WorkerStatus, error) {
	w := r.w.Load()
	if w == nil {
		return nil, fmt.Errorf("worker: it is starting: %w", reeve.ErrClosed)
	}
	return w.Control(ctx, c)
}
