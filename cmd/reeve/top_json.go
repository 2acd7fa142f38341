package main

import (
	"context"
	"time"

	"github.com/reeveq/reeve"
)

// topLook is one look at the master, as -json writes it.
type topLook struct {
	At      time.Time          `json:"at"`
	Queues  []reeve.QueueStats `json:"queues"`
	Workers []reeve.WorkerInfo `json:"workers"`
	Error   string             `json:"error,omitempty"` // why this look told less
}

// stream writes what top would draw, a line for every look, until ctx ends.
func (v *topVerb) stream(ctx context.Context, op reeve.Operator) error {
	tick := time.NewTicker(v.interval)
	defer tick.Stop()
	for {
		s := v.sample(ctx, op)
		if ctx.Err() != nil {
			return nil
		}
		line := topLook{At: s.at, Queues: s.queues, Workers: s.workers}
		for _, err := range []error{s.err, s.workersErr} {
			if err != nil {
				line.At, line.Error = time.Now(), err.Error()
				break
			}
		}
		if err := writeJSON(v.stdout, line); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
