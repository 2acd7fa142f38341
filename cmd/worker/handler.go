package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/command"
	"github.com/reeveq/reeve/internal/demo"
	"github.com/reeveq/reeve/worker"
)

type handleFunc = func(context.Context, *reeve.Task) ([]byte, error)

// handler is what is run for each task, and what ends all runs at once.
func (o *options) handler() (handleFunc, func(), error) {
	if o.argv == nil {
		return func(ctx context.Context, t *reeve.Task) ([]byte, error) {
			return demo.Run(ctx, t.Type, t.Payload)
		}, func() {}, nil
	}
	if len(o.argv) == 0 {
		return nil, nil, errors.New("-- must be followed by a command")
	}
	r, err := command.New(command.Config{Args: o.argv, Env: os.Environ(), MaxOutput: o.maxOutput, KillAfter: o.killAfter})
	if err != nil {
		return nil, nil, fmt.Errorf("cannot run %q: %w", o.argv[0], err)
	}
	return func(ctx context.Context, t *reeve.Task) ([]byte, error) {
		out, err := r.Run(ctx, commandTask(ctx, t))
		if err != nil {
			return nil, verdict(err)
		}
		return out, nil
	}, r.Kill, nil
}

func commandTask(ctx context.Context, t *reeve.Task) command.Task {
	queue, _ := worker.QueueFrom(ctx)
	c := command.Task{
		ID: t.ID.String(), Queue: queue, Type: t.Type,
		Attempt: t.Attempt, Priority: t.Priority, Payload: t.Payload,
	}
	if t.Rules != nil {
		c.Key = t.Rules.Key
		for _, ref := range t.Rules.Blobs {
			c.Blobs = append(c.Blobs, ref.String())
		}
	}
	return c
}

// register has w run handle for the types that -type says. Without it a command
// is for all types, and the demo is for those of its functions and for tasks
// without a type: others are left to workers that know them.
func (o *options) register(w *worker.Worker, handle handleFunc) {
	types := o.types
	switch {
	case types != nil:
	case o.argv != nil:
		w.HandleDefaultFunc(handle)
		return
	default:
		types = append(demo.Names(), "")
	}
	for _, t := range types {
		w.HandleFunc(t, handle)
	}
}
