package main

import (
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// taskSpec is what the flags, or a line of the input, say of a task beyond its
// payload.
type taskSpec struct {
	typ            string
	priority       int
	delay, timeout time.Duration
	rules          reeve.Rules
	// Of the flags: the keys, in which {} stands for the payload.
	key, unique string
	blobs       []string // references, and files as @FILE
}

// flags are the command line's. mode has the name of the unique mode.
func (s *taskSpec) flags(mode *string) []cli.Flag {
	r := &s.rules
	return []cli.Flag{
		cmdline.String("type", &s.typ, "the handler of `NAME` is to run the tasks"),
		cmdline.Int("priority", &s.priority, math.MinInt32, math.MaxInt32, "of the tasks that wait, those of higher priority `N` go first"),
		cmdline.Duration("delay", &s.delay, 0, "hand the tasks over not before `TIME` has passed"),
		cmdline.Flag("at", timeValue{&r.At}, "hand the tasks over not before `TIME`: 18:30, 2030-01-31 18:30 or 2030-01-31T18:30:00Z"),
		cmdline.Duration("expires", &r.Expiry, 1, "drop tasks of which no attempt has begun within `TIME`"),
		cmdline.Flag("expire-at", timeValue{&r.ExpireAt}, "drop tasks of which no attempt has begun before `TIME`"),
		cmdline.Duration("timeout", &s.timeout, 0, "one attempt may run for `TIME`; 0: the queue's"),
		cmdline.Int("attempts", &r.Attempts, 1, reeve.MaxAttempts, "`N` failed attempts make a task dead; by default the queue's"),
		cmdline.Flag("backoff", backoffValue{&r.Backoff}, "wait for `FIRST[..MAX][xFACTOR][~JITTER]` after a failed attempt, as 1s, 1s..10m or\n1s..10mx1.5; by default the queue's"),
		cmdline.Flag("key", textValue{&s.key, reeve.MaxKey}, "tasks with the same `KEY` run one after another; {} in it is the payload"),
		cmdline.Flag("unique", textValue{&s.unique, reeve.MaxKey}, "put no task while there is one with the same `KEY`; {} in it is the payload"),
		cmdline.Choice("unique-mode", mode, []string{"until-done", "until-start", "for-time"}, "the unique key is taken `MODE`: until-done, until-start or for-time"),
		cmdline.Duration("unique-for", &r.UniqueFor, 1, "the unique key is taken for `TIME`, whatever becomes of the task; without it, for-time is as long\nas the queue lives"),
		cmdline.Labels("label", &r.Labels, "the tasks are for workers with `LABEL`; more than one can be given"),
		cmdline.Flag("keep-result", keepValue{&r.KeepResult}, "outcome and result can be asked for during `TIME` after the end; or none; by default the queue's"),
		blobFlag(&s.blobs),
	}
}

// check finishes what the flags say and refuses what does not fit together.
func (s *taskSpec) check(cmd *cli.Command, mode string) error {
	r := &s.rules
	switch {
	case s.delay > 0 && !r.At.IsZero():
		return cmdline.Usagef(cmd, "-delay and -at are both set, want one")
	case r.Expiry > 0 && !r.ExpireAt.IsZero():
		return cmdline.Usagef(cmd, "-expires and -expire-at are both set, want one")
	case s.unique == "" && cmd.IsSet("unique-mode"):
		return cmdline.Usagef(cmd, "-unique-mode needs -unique KEY")
	case s.unique == "" && r.UniqueFor > 0:
		return cmdline.Usagef(cmd, "-unique-for needs -unique KEY")
	case r.UniqueFor > 0 && cmd.IsSet("unique-mode") && mode != "for-time":
		return cmdline.Usagef(cmd, "-unique-for goes with -unique-mode for-time, not with %s", mode)
	}
	if s.unique != "" {
		if r.UniqueFor > 0 {
			mode = "for-time"
		}
		var err error
		if r.UniqueMode, err = reeve.ParseUniqueMode(mode); err != nil {
			return cmdline.Usagef(cmd, "%w", err)
		}
	}
	whole := *s
	whole.key, whole.unique = strings.ReplaceAll(s.key, "{}", ""), strings.ReplaceAll(s.unique, "{}", "-")
	task := whole.task(nil)
	if err := task.Validate(); err != nil {
		return cmdline.Usagef(cmd, "%w", cmdline.Plain(err))
	}
	return nil
}

// task makes the task with a payload. Tasks share what their rules refer to.
func (s *taskSpec) task(payload []byte) reeve.Task {
	t := reeve.Task{Payload: payload, Type: s.typ, Priority: int32(s.priority), Delay: s.delay, Timeout: s.timeout}
	r := s.rules
	if s.key != "" {
		r.Key = strings.ReplaceAll(s.key, "{}", string(payload))
	}
	if s.unique != "" {
		r.Unique = strings.ReplaceAll(s.unique, "{}", string(payload))
	}
	if !reflect.ValueOf(r).IsZero() {
		t.Rules = &r
	}
	return t
}
