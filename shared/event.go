package shared

import (
	"context"

	"github.com/reeveq/reeve"
)

// Event is a handle of a flag that can be waited for.
type Event struct{ *Object }

// EventConfig configures an event. There is nothing to be said about one.
type EventConfig struct{}

// NewEvent declares an event; see [NewLock].
func NewEvent(ctx context.Context, o reeve.Objects, name string, cfg EventConfig) (*Event, error) {
	x, err := declare(ctx, o, "event", name, cfg, false)
	if err != nil {
		return nil, err
	}
	return &Event{x}, nil
}

// EventOf is the event of that name; see [ObjectOf].
func EventOf(o reeve.Objects, name string) *Event { return EventAt(o, reeve.Ref{Name: name}) }

// EventAt is the event that ref names.
func EventAt(o reeve.Objects, ref reeve.Ref) *Event { return &Event{typed(o, ref, "event")} }

// Set sets the flag. All who wait go on.
func (e *Event) Set(ctx context.Context) error { return e.call(ctx, "set", 0, nil) }

// Clear takes the flag back.
func (e *Event) Clear(ctx context.Context) error { return e.call(ctx, "clear", 0, nil) }

// IsSet reports whether the flag is set.
func (e *Event) IsSet(ctx context.Context) (bool, error) {
	var set bool
	err := e.call(ctx, "is_set", reads, &set)
	return set, err
}

// Wait blocks until the flag is set, at once if it is, or until ctx ends. While the
// connection is lost it goes on waiting, and may miss a Set with a Clear behind it.
func (e *Event) Wait(ctx context.Context) error { return e.call(ctx, "wait", reads|waits, nil) }
