package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

// resultVerb tells how a task ended.
type resultVerb struct{ *session }

func (t *tool) resultCommand() *cli.Command {
	v := &resultVerb{t.session()}
	return &cli.Command{
		Name: "result", Usage: "write the result of a task that has ended", ArgsUsage: "ID",
		Description: `Writes what the handler returned, as a line, if the outcome of the task is kept:
put -keep-result, or its queue, says for how long. A task that is done without a
result gives an empty line.
The exit code is 1 if the task ended otherwise (dead, cancelled, expired, discarded
or purged; the reason is on the standard error), 75 if it has not ended, and 66 if
nothing is known of it. With -json, an object is written for every task that has
ended.

Example:
  reeve result 0000000000000c05`,
		Flags: v.flags(), Action: v.run,
	}
}

func (v *resultVerb) run(ctx context.Context, cmd *cli.Command) error {
	id, err := oneID(cmd)
	if err != nil {
		return err
	}
	return v.operate(ctx, cmd, func(ctx context.Context, op reeve.Operator) error {
		r, err := op.Result(ctx, id)
		if errors.Is(err, reeve.ErrNotDone) {
			return program.Fail(exitNotNow, fmt.Errorf("task %v has not ended yet: \"reeve wait %[1]v\" waits for it, \"reeve why %[1]v\" tells what it waits for", id))
		}
		if err != nil {
			return explained(err, id)
		}
		return v.writeResult(&r)
	})
}

// writeResult writes how a task ended, and is the error of one that is not
// done.
func (s *session) writeResult(r *reeve.Result) error {
	if s.json {
		if err := writeJSON(s.stdout, newResultJSON(r)); err != nil {
			return err
		}
		return badEnd(r)
	}
	if err := badEnd(r); err != nil {
		return err
	}
	_, err := s.stdout.Write(append(bytes.TrimSuffix(r.Payload, []byte("\n")), '\n'))
	return outputError(err)
}

// badEnd is nil for a task that is done, otherwise it tells what happened.
func badEnd(r *reeve.Result) error {
	if r.State == reeve.StateDone {
		return nil
	}
	text := fmt.Sprintf("task %v is %v", r.ID, r.State)
	cause, last := reasonOf(r.Reason, r.Error)
	for _, s := range []string{cause, last} {
		if s != "" {
			text += ": " + s
		}
	}
	return program.Fail(exitNoResult, &taskError{text})
}

// reasonOf is why a task ended, and its last error as far as that is not the
// reason: a reason may hold the begin of it, which nobody needs twice.
func reasonOf(reason, last string) (cause, err string) {
	cause, begin, ok := strings.Cut(reason, "; last: ")
	switch {
	case ok && strings.HasPrefix(last, begin):
		return cause, last
	case strings.HasPrefix(last, reason):
		return "", last
	}
	return reason, last
}
