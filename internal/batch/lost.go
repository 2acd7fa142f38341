package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// lost is a line under way whose task has ended.
type lost struct {
	lineOf
	id   reeve.ID
	done bool   // that much is kept
	why  string // empty: not known, and there may be a result
}

// lookForLost ends the lines whose tasks have ended without a result, whatever
// else is in the queue meanwhile. A task that is completed puts its result in
// the same step: if the task is gone, its result is there, or there is none.
func (r *run) lookForLost(ctx context.Context, stats *reeve.QueueStats) error {
	ends := stats.Done + stats.Buried + stats.Discarded + stats.Cancelled + stats.Expired + stats.Purged + stats.Dropped
	if ends == r.ends && r.idle == 0 && stats.MovedOut == 0 { // those that were moved end elsewhere
		return nil
	}
	r.ends = ends
	var found []lost
	for id, of := range r.under {
		l := lost{lineOf: of, id: id}
		ended, err := r.ended(ctx, &l)
		if err != nil {
			return err
		}
		if ended {
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		return nil
	}
	coming, err := r.coming(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b lost) int { return cmp.Compare(a.line, b.line) })
	for _, l := range found {
		if coming[l.id] {
			r.ends = 0 // somebody else may take it: look again
			continue
		}
		if l.why == "" {
			l.why = r.withoutResult(stats, l.done)
		}
		delete(r.under, l.id)
		if err := r.settle(l.lineOf, l.why); err != nil {
			return err
		}
	}
	return nil
}

// ended reports whether the task of l has ended, and notes why as far as that
// is told.
func (r *run) ended(ctx context.Context, l *lost) (bool, error) {
	info, err := r.cfg.Operator.Task(ctx, l.id)
	if errors.Is(err, reeve.ErrNoSuchTask) { // or it was on its way to another queue
		info, err = r.cfg.Operator.Task(ctx, l.id)
	}
	switch {
	case errors.Is(err, reeve.ErrNoSuchTask):
		return true, nil
	case err != nil:
		return false, err
	case info.State == reeve.StateDead:
		l.why = reasonText(info.Reason, info.Error)
		return true, nil
	case info.State == reeve.StateDone:
		l.done = true
	case info.State.Ended():
		l.why = reasonText(info.State.String()+": "+info.Reason, info.Error)
	}
	return info.State.Ended(), nil
}

// coming lists the lines whose results are in the queue of results.
func (r *run) coming(ctx context.Context) (map[reeve.ID]bool, error) {
	ids := map[reeve.ID]bool{}
	living := reeve.Filter{States: []reeve.State{reeve.StateReady, reeve.StateDelayed, reeve.StateLeased}}
	for page := (reeve.Page{}); ; {
		var err error
		page, err = r.cfg.Operator.List(ctx, r.cfg.Results.Name(), living, reeve.ListOptions{After: page.Next, Max: reeve.MaxBatch})
		if err != nil {
			return nil, err
		}
		for i := range page.Tasks {
			ids[page.Tasks[i].Source] = true
		}
		if page.Next == 0 {
			return ids, nil
		}
	}
}

// withoutResult says what may have become of a task of which nothing is kept:
// what tasks of the queue have come to since the run began. One that is done
// can only have been skipped.
func (r *run) withoutResult(stats *reeve.QueueStats, done bool) string {
	var kinds []string
	for _, kind := range []struct {
		name        string
		first, last uint64
	}{
		{"skipped", r.first.Skipped, stats.Skipped}, {"discarded", r.first.Discarded, stats.Discarded},
		{"cancelled", r.first.Cancelled, stats.Cancelled}, {"expired", r.first.Expired, stats.Expired}, {"purged", r.first.Purged, stats.Purged},
	} {
		if kind.last > kind.first && (!done || kind.name == "skipped") {
			kinds = append(kinds, kind.name)
		}
	}
	results := r.cfg.Results.Name()
	if len(kinds) > 0 {
		return fmt.Sprintf("ended without a result in queue %q: %s", results, strings.Join(kinds, " or "))
	}
	return fmt.Sprintf("ended without a result in queue %q: do all workers of queue %q have -results %s?", results, r.cfg.Tasks.Name(), results)
}

// reasonText is why there is no result, in one line.
func reasonText(text, err string) string {
	if err != "" && !strings.Contains(text, err) {
		text += ": " + err
	}
	return strings.TrimSuffix(strings.Join(strings.Fields(text), " "), ":")
}
