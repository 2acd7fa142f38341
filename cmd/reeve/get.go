package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// getVerb writes the payloads of tasks.
type getVerb struct {
	*session
	n      int
	ack    bool
	block  bool
	max    time.Duration
	types  []string
	labels []string
	writer *bufio.Writer
}

func (t *tool) getCommand() *cli.Command {
	v := &getVerb{session: t.session(), n: 1, writer: bufio.NewWriterSize(t.stdout, 64<<10)}
	return &cli.Command{
		Name: "get", Usage: "write the payloads of tasks, one a line", ArgsUsage: "QUEUE",
		Description: `Takes up to N tasks and writes their payloads, each as one line: a payload that
ends with a line end gets no second one.
With -ack the tasks are done then, each after it has been written; without, they
go back to where they were and nothing has changed, except that others could not
take them in between. When there are fewer than N, get ends with those there are.

Examples:
  reeve get results -n 100 -ack
  reeve get results -n 100 -ack -block     wait for all 100
  reeve get tasks -n 5 -json               borrow the next five ("peek" only looks)
  reeve get tasks -type video -label gpu -block`,
		Flags: v.flags(
			cmdline.Int("n", &v.n, 1, 1<<31-1, "get up to `N` tasks"),
			cmdline.Bool("ack", &v.ack, "mark the tasks done"),
			cmdline.Bool("block", &v.block, "wait until there have been N tasks"),
			cmdline.Duration("max-wait", &v.max, 0, "with -block, wait no longer than `TIME`; 0: as long as it takes"),
			cmdline.List("type", &v.types, checkTypes, "get tasks of type `NAME` only; more than one can be given"),
			cmdline.Labels("label", &v.labels, "get tasks too that are for workers with `LABEL`; more than one can be given"),
		),
		Action: v.run,
	}
}

func (v *getVerb) run(ctx context.Context, cmd *cli.Command) error {
	queue, err := oneQueue(cmd)
	if err != nil {
		return err
	}
	if v.max > 0 && !v.block {
		return cmdline.Usagef(cmd, "-max-wait needs -block")
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		q := m.Queue(queue)
		wait := ctx
		if v.block && v.max > 0 {
			var cancel context.CancelFunc
			wait, cancel = context.WithTimeout(ctx, v.max)
			defer cancel()
		}
		return v.get(ctx, wait, q)
	})
}

// get takes and writes up to n tasks. wait bounds the waiting for more.
func (v *getVerb) get(ctx, wait context.Context, q reeve.Queue) error {
	var kept []*reeve.Lease // to be given back
	defer func() {
		slices.Reverse(kept) // each takes the front of the queue
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnWait)
		defer cancel()
		_ = endAll(back, kept, reeve.Return) // the end of the session does it too
	}()
	for left := v.n; left > 0; {
		leases, err := v.take(ctx, wait, q, min(left, reeve.MaxBatch))
		if errors.Is(err, reeve.ErrEmpty) {
			return nil
		}
		if err != nil {
			return err
		}
		left -= len(leases)
		if !v.ack {
			kept = append(kept, leases...)
		}
		if err := v.write(leases); err != nil {
			if v.ack {
				kept = append(kept, leases...)
			}
			return err
		}
		if v.ack {
			if err := endAll(ctx, leases, reeve.Ack); err != nil {
				return err
			}
		}
	}
	return nil
}

// take is TryGet, or Get when the user wants to wait.
func (v *getVerb) take(ctx, wait context.Context, q reeve.Queue, n int) ([]*reeve.Lease, error) {
	var wanted []reeve.GetOption
	if len(v.types) > 0 {
		wanted = append(wanted, reeve.ForTypes(v.types...))
	}
	if len(v.labels) > 0 {
		wanted = append(wanted, reeve.HavingLabels(v.labels...))
	}
	if !v.block {
		return q.TryGet(ctx, n, wanted...)
	}
	leases, err := q.Get(wait, n, wanted...)
	if err != nil && wait.Err() != nil && ctx.Err() == nil || errors.Is(err, reeve.ErrShutdown) {
		return nil, reeve.ErrEmpty // as many as there were
	}
	return leases, err
}

func (v *getVerb) write(leases []*reeve.Lease) error {
	for _, l := range leases {
		if v.json {
			if err := writeJSON(v.writer, newTaskJSON(l)); err != nil {
				return err
			}
			continue
		}
		_, _ = v.writer.Write(bytes.TrimSuffix(l.Payload, []byte("\n")))
		_ = v.writer.WriteByte('\n') // Flush has the first error
	}
	return outputError(v.writer.Flush())
}

// returnWait bounds the wait for a master that has gone meanwhile.
const returnWait = 5 * time.Second

// endAll ends the leases in order, without waiting in between, and waits for
// all answers.
func endAll(ctx context.Context, leases []*reeve.Lease, verb reeve.Verb) error {
	answers := make(chan error, len(leases))
	for _, l := range leases {
		l.Settle(&reeve.Outcome{Verb: verb}, func(err error) { answers <- err })
	}
	var first error
	for range leases {
		select {
		case err := <-answers:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return first
}

// taskJSON is a task as -json shows it.
type taskJSON struct {
	ID       reeve.ID        `json:"id"`
	Type     string          `json:"type,omitempty"`
	Priority int32           `json:"priority,omitempty"`
	Attempt  uint32          `json:"attempt"`
	Source   reeve.ID        `json:"source,omitempty"`
	PutAt    time.Time       `json:"put_at"`
	Key      string          `json:"key,omitempty"`
	Blobs    []reeve.BlobRef `json:"blobs,omitempty"`
	payloadJSON
}

func newTaskJSON(l *reeve.Lease) taskJSON {
	t := taskJSON{
		ID: l.ID, Type: l.Type, Priority: l.Priority, Attempt: l.Attempt, Source: l.Source, PutAt: l.PutAt,
		payloadJSON: newPayloadJSON(l.Payload),
	}
	if l.Rules != nil {
		t.Key, t.Blobs = l.Rules.Key, l.Rules.Blobs
	}
	return t
}
