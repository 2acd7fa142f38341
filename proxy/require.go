package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// require checks that the master has what Config.Require names.
func (c *Client) require(ctx context.Context) error {
	if len(c.cfg.Require) == 0 {
		return nil
	}
	stats, err := c.Queues(ctx)
	if err != nil {
		return err
	}
	queues := make([]string, len(stats))
	for i, s := range stats {
		queues[i] = s.Name
	}
	var missing, objects []string
	for _, name := range c.cfg.Require {
		if slices.Contains(queues, name) {
			continue
		}
		_, err := c.callService(ctx, "methods", true, reeve.Ref{Name: name})
		unknown, ok := errors.AsType[*reeve.NoSuchNameError](err)
		switch {
		case ok:
			objects = unknown.Known
		case errors.Is(err, reeve.ErrUnsupported): // a master that has queues only
		case err != nil:
			return err
		default:
			continue
		}
		missing = append(missing, name)
	}
	if missing == nil {
		return nil
	}
	return &missingError{queue: reeve.NoSuchQueueError{Name: missing[0], Known: queues}, object: reeve.NoSuchNameError{Name: missing[0], Known: objects}, names: missing}
}

// missingError says that a master does not have what Config.Require names. It is
// a [*reeve.NoSuchQueueError] and a [*reeve.NoSuchNameError]: which of them was
// meant the name does not tell.
type missingError struct {
	queue  reeve.NoSuchQueueError
	object reeve.NoSuchNameError
	names  []string
}

func (e *missingError) Error() string {
	return fmt.Sprintf("proxy: the master has no queue and no shared object named %s; its queues: %s; its objects: %s",
		quoted(e.names), listed(e.queue.Known), listed(e.object.Known))
}

func (e *missingError) Unwrap() []error { return []error{&e.queue, &e.object} }

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, name := range names {
		q[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(q, ", ")
}

func listed(names []string) string {
	const most = 64 // there may be thousands
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return fmt.Sprintf("%s, and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
