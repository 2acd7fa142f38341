package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

// actVerb is a verb that does something to tasks: to those with the ids that
// are its arguments, or to those of one queue that filters mean.
type actVerb struct {
	*session
	filters
	all  bool
	done string // what the tasks are then: "cancelled"
	one  func(context.Context, reeve.Operator, reeve.ID) error
	many func(ctx context.Context, op reeve.Operator, queue string, f reeve.Filter) (int, error)
}

const tasksMeant = "ID... | QUEUE (FILTER... | -all)"

func (v *actVerb) allFlag(usage string) cli.Flag { return cmdline.Bool("all", &v.all, usage) }

func (v *actVerb) run(ctx context.Context, cmd *cli.Command) error {
	args := cmd.Args().Slice()
	switch {
	case len(args) == 0:
		return cmdline.Usagef(cmd, "which tasks? Give their ids, or a queue with a filter or -all")
	case v.all && v.given():
		return cmdline.Usagef(cmd, "-all stands alone, without filters")
	case v.all || v.given():
		queue, err := oneQueue(cmd)
		if err != nil {
			return cmdline.Usagef(cmd, "with a filter or -all, the name of one queue is needed; more ids are given with -id")
		}
		return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
			n, err := v.many(ctx, op, queue, v.filter())
			return v.tell(n, err)
		})
	}
	ids := make([]reeve.ID, len(args))
	for i, a := range args {
		id, err := parseID(a)
		if err != nil {
			return cmdline.Usagef(cmd, "%w; for the tasks of a queue of that name, give a filter or -all too", err)
		}
		ids[i] = id
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error { return v.each(ctx, op, ids) })
}

// each does it to one after another. A task that it cannot be done to does not
// keep it from the next.
func (v *actVerb) each(ctx context.Context, op reeve.Operator, ids []reeve.ID) error {
	done := 0
	var failed failures
	for _, id := range ids {
		err := v.one(ctx, op, id)
		var own *taskError
		switch {
		case err == nil:
			done++
		case errors.Is(err, reeve.ErrNoSuchTask):
			failed.add(v.tool, noSuchTask(id))
		case errors.As(err, &own):
			failed.add(v.tool, err)
		default:
			return v.tell(done, err)
		}
	}
	return v.tell(done, failed.err())
}

// tell says how many tasks it was done to, before whatever else is to be said.
func (v *actVerb) tell(n int, err error) error {
	if err != nil && n == 0 {
		return err
	}
	return errors.Join(v.count(n, v.done), err)
}

// count writes a number of tasks.
func (s *session) count(n int, done string) error {
	if s.json {
		return writeJSON(s.stdout, struct {
			Count int `json:"count"`
		}{n})
	}
	_, err := fmt.Fprintf(s.stdout, "%s %s\n", plural(n, "task"), done)
	return outputError(err)
}

// taskError is why something cannot be done to one task.
type taskError struct{ text string }

func (e *taskError) Error() string { return e.text }

// wrongState is the error of a task that is not in a state in which it can be
// done, with the cure.
func wrongState(t *reeve.TaskInfo, cure string) error {
	return program.Fail(exitNotNow, &taskError{fmt.Sprintf("task %v is %v: %s", t.ID, t.State, cure)})
}

// failures collects the errors of single tasks, which are told at once.
type failures struct{ code int }

func (f *failures) add(t *tool, err error) {
	fmt.Fprintf(t.stderr, "reeve: %s\n", printable(err.Error()))
	if f.code == 0 {
		f.code = program.ExitCode(err)
	}
}

// err is nil without any failure, otherwise the exit code of the first.
func (f *failures) err() error {
	if f.code == 0 {
		return nil
	}
	return cmdline.Exit(f.code)
}

// Exit codes of what is known of single tasks.
const (
	exitNoTask   = program.ExitNoInput  // nothing is known of it
	exitNotNow   = program.ExitTryAgain // it is in another state
	exitNoResult = program.ExitDead     // it has ended, and not well
)

// noSuchTask is the error of an id of which the master knows nothing.
func noSuchTask(id reeve.ID) error {
	return program.Fail(exitNoTask, fmt.Errorf("there is no task %v: it never was, or it has ended and its outcome was not kept (put -keep-result keeps it)", id))
}

// explained is err in words for the task it is about.
func explained(err error, id reeve.ID) error {
	if errors.Is(err, reeve.ErrNoSuchTask) {
		return noSuchTask(id)
	}
	return err
}

// oneID is the id that is the only argument.
func oneID(cmd *cli.Command) (reeve.ID, error) {
	if cmd.Args().Len() != 1 {
		return 0, cmdline.Usagef(cmd, "the id of one task is needed")
	}
	id, err := parseID(cmd.Args().First())
	if err != nil {
		return 0, cmdline.Usagef(cmd, "%w", err)
	}
	return id, nil
}
