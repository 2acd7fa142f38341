package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
)

// putter puts tasks in batches.
type putter struct {
	v     *putVerb
	queue reeve.Queue
	ids   bool // they are written
	tasks []reeve.Task
	bytes int

	put, duplicates int // tasks so far
}

// batchBytes bounds a batch of several tasks.
const batchBytes = 1 << 20

func (p *putter) add(ctx context.Context, t reeve.Task) error {
	size := len(t.Payload)
	if t.Rules != nil {
		size += len(t.Rules.Key) + len(t.Rules.Unique)
	}
	if len(p.tasks) == p.v.batch || p.bytes+size > batchBytes {
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	p.tasks = append(p.tasks, t)
	p.bytes += size
	return nil
}

func (p *putter) flush(ctx context.Context) error {
	tasks := p.tasks
	p.tasks, p.bytes = nil, 0
	if len(tasks) == 0 {
		return nil
	}
	err := p.send(ctx, tasks)
	if errors.Is(err, reeve.ErrJournalFull) {
		err = fmt.Errorf("%w: workers go on, and puts work again as soon as there is space on its disk", err)
	}
	if err != nil && p.put > 0 {
		return fmt.Errorf("after %d tasks were put: %w", p.put, err)
	}
	return err
}

// send puts tasks, in smaller requests if the queue cannot take so many at a
// time.
func (p *putter) send(ctx context.Context, tasks []reeve.Task) error {
	ids, err := p.queue.Put(ctx, tasks)
	if duplicate, ok := errors.AsType[*reeve.DuplicateError](err); ok {
		return p.tell(ids, duplicate.Tasks)
	}
	if err == nil {
		return p.tell(ids, nil)
	}
	// Tasks with unique keys are put each on its own.
	if e := p.tell(ids, nil); e != nil {
		return e
	}
	rest := make([]reeve.Task, 0, len(tasks))
	for i := range tasks {
		if i >= len(ids) || ids[i] == 0 {
			rest = append(rest, tasks[i])
		}
	}
	if half := len(rest) / 2; half > 0 && errors.Is(err, reeve.ErrTooLarge) {
		if err := p.send(ctx, rest[:half]); err != nil {
			return err
		}
		return p.send(ctx, rest[half:])
	}
	return err
}

// tell counts and writes the ids of tasks that were put, and of those that were
// there already: duplicates are their places.
func (p *putter) tell(ids []reeve.ID, duplicates []int) error {
	p.duplicates += len(duplicates)
	there := make(map[int]bool, len(duplicates))
	for _, i := range duplicates {
		there[i] = true
	}
	for i, id := range ids {
		earlier := there[i]
		switch {
		case earlier:
		case id == 0:
			continue
		default:
			p.put++
		}
		if !p.ids {
			continue
		}
		if err := p.write(id, earlier); err != nil {
			return err
		}
	}
	return nil
}

func (p *putter) write(id reeve.ID, earlier bool) error {
	if !p.v.json {
		_, err := fmt.Fprintln(p.v.stdout, id)
		return outputError(err)
	}
	return writeJSON(p.v.stdout, struct {
		ID        reeve.ID `json:"id"`
		Duplicate bool     `json:"duplicate,omitempty"`
	}{id, earlier})
}
