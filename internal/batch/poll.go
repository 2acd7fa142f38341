package batch

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
)

// poll looks for lines that will have no result: dead tasks, and those that
// ended without one.
func (r *run) poll(ctx context.Context) error {
	stats, err := r.cfg.Tasks.Stats(ctx)
	if err != nil {
		return err
	}
	r.polls++
	if err := r.lookForDead(ctx, &stats); err != nil {
		return err
	}
	if stats.Unsettled() > 0 {
		r.idle = 0
	} else {
		r.idle++ // what changed in between shows at the second look
	}
	switch {
	case r.stopped: // what is not begun is dropped, and is not dead for that
		return nil
	case len(r.under) == 0 && r.idle > 1:
		return r.stuck(stats)
	case r.idle > 1 || r.polls%lookEvery == 0:
		return r.lookForLost(ctx, &stats)
	}
	return nil
}

// lookForDead reads the dead tasks that came since the last look.
func (r *run) lookForDead(ctx context.Context, stats *reeve.QueueStats) error {
	n := stats.Dead
	if gone := stats.Purged + stats.Revived + stats.Cancelled + stats.MovedOut; gone != r.deadGone {
		r.deadGone, r.deadSeen = gone, 0 // it may have been the first of them
	}
	r.deadSeen = min(r.deadSeen, n)
	for r.deadSeen < n {
		dead, err := r.cfg.Tasks.Dead(ctx, r.deadSeen, min(n-r.deadSeen, reeve.MaxBatch))
		if err != nil {
			return err
		}
		for i := range dead {
			of, known := r.under[dead[i].ID]
			if !known && r.putting && dead[i].ID > r.lastID {
				return nil // it may be a line whose id is not known yet
			}
			r.deadSeen++
			if !known {
				continue
			}
			delete(r.under, dead[i].ID)
			if err := r.settle(of, reasonText(dead[i].Reason, dead[i].Error)); err != nil {
				return err
			}
		}
		if len(dead) == 0 {
			return nil
		}
	}
	return nil
}

// stuck is the error of a Put that waits although there is nothing left in the
// queue that could end and make room.
func (r *run) stuck(stats reeve.QueueStats) error {
	if !r.putting || stats.WaitingPuts == 0 || stats.Dead == 0 {
		return nil
	}
	return fmt.Errorf("queue %q is full of dead tasks: %d of them hold %d bytes of at most %d (-queue %s,max-bytes=...)",
		stats.Name, stats.Dead, stats.Bytes, stats.MaxBytes, stats.Name)
}

// drained drops what no worker has begun and reports whether the rest has
// ended. The queue is not shut down for that: its workers would end too.
func (r *run) drained(ctx context.Context) (bool, error) {
	waiting := reeve.Filter{States: []reeve.State{reeve.StateReady, reeve.StateDelayed}}
	if _, err := r.cfg.Operator.Purge(ctx, r.cfg.Tasks.Name(), waiting); err != nil {
		return false, err
	}
	tasks, err := r.cfg.Tasks.Stats(ctx)
	if err != nil || tasks.Leased > 0 {
		return false, err
	}
	results, err := r.cfg.Results.Stats(ctx)
	return err == nil && results.Unsettled() == 0, err
}
