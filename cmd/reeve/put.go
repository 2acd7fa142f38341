package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

// putVerb puts arguments or lines as tasks.
type putVerb struct {
	*session
	typ            string
	delay, timeout time.Duration
	maxPayload     int64
	batch          int
}

func (t *tool) putCommand() *cli.Command {
	v := &putVerb{session: t.session(), maxPayload: 16 << 20, batch: 512}
	return &cli.Command{
		Name: "put", Usage: "put tasks on a queue", ArgsUsage: "QUEUE [PAYLOAD...]",
		Description: `Each PAYLOAD becomes a task; without any, each line of the standard input does
(without its line end). While the queue is full, put waits. The ids of the tasks
are written with -json; without, nothing is.

Examples:
  reeve put tasks 'square 12' -timeout 10s
  seq 1000 | reeve put tasks -type square
  reeve put tasks -delay 1h -- -not-a-flag`,
		Flags: v.flags(
			cmdline.String("type", &v.typ, "the handler of `NAME` is to run the tasks"),
			cmdline.Duration("delay", &v.delay, 0, "hand the tasks over not before `TIME` has passed"),
			cmdline.Duration("timeout", &v.timeout, 0, "one attempt may run for `TIME`; 0: the queue's"),
			cmdline.Size("max-payload", &v.maxPayload, 1, "a line of the input may be `SIZE` long"),
			cmdline.Int("batch", &v.batch, 1, reeve.MaxBatch, "put up to `N` lines in one request"),
		),
		Action: v.run,
	}
}

func (v *putVerb) run(ctx context.Context, cmd *cli.Command) error {
	args := cmd.Args().Slice()
	if len(args) == 0 || args[0] == "" {
		return cmdline.Usagef(cmd, "the name of a queue is needed")
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		p := &putter{v: v, queue: m.Queue(args[0])}
		if len(args) == 1 {
			return p.lines(ctx, v.stdin)
		}
		for _, a := range args[1:] {
			if err := p.add(ctx, []byte(a)); err != nil {
				return err
			}
		}
		return p.flush(ctx)
	})
}

// putter puts payloads in batches.
type putter struct {
	v     *putVerb
	queue reeve.Queue
	tasks []reeve.Task
	bytes int
	put   int // tasks so far
}

// batchBytes bounds a batch of several tasks.
const batchBytes = 1 << 20

func (p *putter) add(ctx context.Context, payload []byte) error {
	if len(p.tasks) == p.v.batch || p.bytes+len(payload) > batchBytes {
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	p.tasks = append(p.tasks, reeve.Task{Payload: payload})
	p.bytes += len(payload)
	return nil
}

func (p *putter) flush(ctx context.Context) error {
	tasks := p.tasks
	p.tasks, p.bytes = nil, 0
	if len(tasks) == 0 {
		return nil
	}
	err := p.send(ctx, tasks)
	if err != nil && p.put > 0 {
		return fmt.Errorf("after %d tasks were put: %w", p.put, err)
	}
	return err
}

// send puts tasks, in smaller requests if the queue cannot take so many at a
// time.
func (p *putter) send(ctx context.Context, tasks []reeve.Task) error {
	ids, err := p.queue.Put(ctx, tasks, reeve.WithType(p.v.typ), reeve.WithDelay(p.v.delay), reeve.WithTimeout(p.v.timeout))
	if half := len(tasks) / 2; half > 0 && errors.Is(err, reeve.ErrTooLarge) {
		if err := p.send(ctx, tasks[:half]); err != nil {
			return err
		}
		return p.send(ctx, tasks[half:])
	}
	if err != nil {
		return err
	}
	p.put += len(ids)
	if !p.v.json {
		return nil
	}
	for _, id := range ids {
		if err := writeJSON(p.v.stdout, struct {
			ID reeve.ID `json:"id"`
		}{id}); err != nil {
			return err
		}
	}
	return nil
}

// lines puts each line of r. What has come is put before more is waited for.
func (p *putter) lines(ctx context.Context, r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, err := p.line(in)
		switch {
		case errors.Is(err, io.EOF):
			return p.flush(ctx)
		case err != nil:
			code := program.ExitNoInput
			if errors.Is(err, reeve.ErrTooLarge) {
				code = program.ExitData
			}
			return errors.Join(p.flush(ctx), program.Fail(code, fmt.Errorf("line %d: %w", n, err)))
		}
		if err := p.add(ctx, line); err != nil {
			return err
		}
		if b, _ := in.Peek(in.Buffered()); bytes.IndexByte(b, '\n') < 0 {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// line reads a line of at most maxPayload bytes; io.EOF when there is none.
func (p *putter) line(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case err == nil:
			line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
		case errors.Is(err, bufio.ErrBufferFull) && int64(len(line)) <= p.v.maxPayload+1:
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
		if int64(len(line)) > p.v.maxPayload {
			return nil, &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "line bytes", Value: -1, Max: p.v.maxPayload, Set: "-max-payload"}
		}
		return line, nil
	}
}
