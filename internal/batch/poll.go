package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// poll looks for lines that will have no result: dead tasks, and those that
// somebody took and ended without one.
func (r *run) poll(ctx context.Context) error {
	stats, err := r.cfg.Tasks.Stats(ctx)
	if err != nil {
		return err
	}
	if err := r.lookForDead(ctx, stats.Dead); err != nil {
		return err
	}
	if stats.Unsettled() > 0 {
		r.idle = 0
		return nil
	}
	if r.idle++; r.idle < 2 { // what changed in between shows at the second look
		return nil
	}
	if len(r.under) == 0 {
		return r.stuck(stats)
	}
	return r.lookForLost(ctx)
}

// lookForDead reads the dead tasks that came since the last look.
func (r *run) lookForDead(ctx context.Context, n int) error {
	r.deadSeen = min(r.deadSeen, n) // somebody may have taken some away
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
			if err := r.settle(of, reason(&dead[i])); err != nil {
				return err
			}
		}
		if len(dead) == 0 {
			return nil
		}
	}
	return nil
}

// reason is why a task is dead, in one line.
func reason(d *reeve.DeadTask) string {
	text := d.Reason
	if d.Error != "" && !strings.Contains(text, d.Error) {
		text += ": " + d.Error
	}
	return strings.Join(strings.Fields(text), " ")
}

// lookForLost ends the lines that are under way when nobody is at work and no
// result waits: completing a task puts its result in the same step.
func (r *run) lookForLost(ctx context.Context) error {
	stats, err := r.cfg.Results.Stats(ctx)
	if err != nil || stats.Unsettled() > 0 {
		return err
	}
	lost := make([]lineOf, 0, len(r.under))
	for _, of := range r.under {
		lost = append(lost, of)
	}
	slices.SortFunc(lost, func(a, b lineOf) int { return int(a.line - b.line) })
	clear(r.under)
	for _, of := range lost {
		why := fmt.Sprintf("ended without a result in queue %q: do all workers of queue %q have -results %s?",
			r.cfg.Results.Name(), r.cfg.Tasks.Name(), r.cfg.Results.Name())
		if err := r.settle(of, why); err != nil {
			return err
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
	for {
		leases, err := r.cfg.Tasks.TryGet(ctx, reeve.MaxBatch)
		if errors.Is(err, reeve.ErrEmpty) {
			break
		}
		if err != nil {
			return false, err
		}
		for _, l := range leases {
			delete(r.under, l.ID)
			l.Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
		}
	}
	tasks, err := r.cfg.Tasks.Stats(ctx)
	if err != nil || tasks.Leased > 0 {
		return false, err
	}
	results, err := r.cfg.Results.Stats(ctx)
	return err == nil && results.Unsettled() == 0, err
}
