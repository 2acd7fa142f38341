package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

// waitVerb waits for the ends of tasks.
type waitVerb struct {
	*session
	timeout time.Duration
}

func (t *tool) waitCommand() *cli.Command {
	v := &waitVerb{session: t.session()}
	return &cli.Command{
		Name: "wait", Usage: "wait until tasks have ended, and write their results", ArgsUsage: "ID...",
		Description: `Waits for all of the tasks and writes what their handlers returned, each as a
line, in the order of the ids. One that becomes dead has ended too. An outcome
that is not kept is told all the same, if the wait began before it.
The exit code is 1 if a task ended otherwise than well (the reason is on the
standard error), 75 if one has not ended in time, and 66 if nothing is known of
one; of several, that of the first counts. With -json, an object is written for
every task that has ended.

Examples:
  reeve wait 0000000000000c05 -timeout 1m
  reeve wait $(reeve put tasks 'square 12' 'square 13')`,
		Flags: v.flags(cmdline.Duration("timeout", &v.timeout, 0, "wait no longer than `TIME`; 0: as long as it takes")), Action: v.run,
	}
}

func (v *waitVerb) run(ctx context.Context, cmd *cli.Command) error {
	args := cmd.Args().Slice()
	if len(args) < 1 || len(args) > reeve.MaxBatch {
		return cmdline.Usagef(cmd, "the ids of 1 to %d tasks are needed", reeve.MaxBatch)
	}
	ids := make([]reeve.ID, len(args))
	for i, a := range args {
		id, err := parseID(a)
		if err != nil {
			return cmdline.Usagef(cmd, "%w", err)
		}
		ids[i] = id
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error { return v.await(ctx, op, ids) })
}

// outcome is what a wait for one task gave.
type outcome struct {
	result reeve.Result
	err    error
}

// await waits for all tasks at once and writes what they gave in order.
func (v *waitVerb) await(ctx context.Context, op reeve.Operator, ids []reeve.ID) error {
	wait, cancel := context.WithTimeout(ctx, cmp.Or(v.timeout, reeve.MaxTime))
	var waits sync.WaitGroup
	defer waits.Wait()
	defer cancel()
	outcomes := make([]chan outcome, len(ids))
	for i, id := range ids {
		answer := make(chan outcome, 1)
		outcomes[i] = answer
		waits.Go(func() { // ends with wait
			r, err := op.Wait(wait, id)
			answer <- outcome{r, err}
		})
	}
	var failed failures
	for i, id := range ids {
		o := <-outcomes[i]
		if o.err == nil {
			o.err = v.writeResult(&o.result)
		}
		var own *taskError
		switch {
		case o.err == nil:
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case wait.Err() != nil && errors.Is(o.err, wait.Err()):
			failed.add(v.tool, program.Fail(exitNotNow, fmt.Errorf("task %v has not ended within %v", id, v.timeout)))
		case errors.Is(o.err, reeve.ErrNoSuchTask):
			failed.add(v.tool, noSuchTask(id))
		case errors.As(o.err, &own):
			failed.add(v.tool, o.err)
		default:
			return o.err
		}
	}
	return failed.err()
}
