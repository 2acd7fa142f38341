package worker

import (
	"fmt"
	"maps"
	"slices"

	"github.com/reeveq/reeve"
)

// wants says which tasks the worker takes: those of its handlers' types, all
// with a default handler, and those that ask for its labels.
func (w *Worker) wants() []reeve.GetOption {
	var opts []reeve.GetOption
	if w.fallback == nil {
		opts = append(opts, reeve.ForTypes(slices.Sorted(maps.Keys(w.handlers))...))
	}
	if len(w.cfg.Labels) > 0 {
		opts = append(opts, reeve.HavingLabels(w.cfg.Labels...))
	}
	return opts
}

// checkWants refuses at once what no source would take.
func (w *Worker) checkWants() error {
	if w.fallback == nil && len(w.handlers) > reeve.MaxTypes {
		return invalid("handlers for %d types, want at most %d: register a default handler for the others", len(w.handlers), reeve.MaxTypes)
	}
	o := reeve.NewGetOptions(w.wants()...)
	if err := o.Validate(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}

// nameOf is the name of a source for people.
func nameOf(src Source) string {
	if s, ok := src.(interface{ Name() string }); ok {
		return fmt.Sprintf("queue %q", s.Name())
	}
	return "several queues"
}
