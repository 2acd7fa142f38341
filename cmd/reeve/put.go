package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

// putVerb puts arguments or lines as tasks.
type putVerb struct {
	*session
	spec           taskSpec
	mode           string
	jsonl, ids     bool
	failDuplicates bool
	maxPayload     int64
	batch          int
}

func (t *tool) putCommand() *cli.Command {
	v := &putVerb{session: t.session(), mode: reeve.UniqueUntilDone.String(), maxPayload: 16 << 20, batch: 512}
	return &cli.Command{
		Name: "put", Usage: "put tasks on a queue", ArgsUsage: "QUEUE [PAYLOAD...]",
		Description: `Each PAYLOAD becomes a task; without any, each line of the standard input does
(without its line end). While the queue is full, put waits. The ids of the tasks
are written, one a line; those of lines only with -ids or -json.

A task with a unique key that another one has is not put: the id is that of the
other one, and how many there were is told on the standard error. The exit code is
0 all the same, or 1 with -fail-duplicates.

With -jsonl each line is a JSON object, with the payload as one of payload (a
text), payload_base64, payload_json and payload_cbor (any value, which is put as
JSON or CBOR), and as much of type, priority, delay, at, expires, expire_at,
timeout, attempts, backoff, key, unique, unique_mode, unique_for, labels,
keep_result and blobs as is not to be as the flags say. The values are those of the flags,
times in quotes. Empty lines are left out. It reads what "get -json" writes. A line
that is no task ends put with exit code 65; those before it have been put.

Examples:
  reeve put tasks 'square 12' -timeout 10s
  seq 1000 | reeve put tasks -type square -priority -1
  reeve put pages -unique '{}' -unique-mode for-time < urls
  echo '{"payload_json": {"n": 12}, "key": "a", "delay": "5m"}' | reeve put tasks -jsonl
  reeve put tasks -delay 1h -- -not-a-flag`,
		Flags: v.flags(append(v.spec.flags(&v.mode),
			cmdline.Bool("fail-duplicates", &v.failDuplicates, "exit with 1 if there were duplicates"),
			cmdline.Bool("jsonl", &v.jsonl, "each line of the input is a JSON object"),
			cmdline.Bool("ids", &v.ids, "write the ids of lines, too"),
			cmdline.Size("max-payload", &v.maxPayload, 1, "a line of the input may be `SIZE` long"),
			cmdline.Int("batch", &v.batch, 1, reeve.MaxBatch, "put up to `N` lines in one request"),
		)...),
		Action: v.run,
	}
}

func (v *putVerb) run(ctx context.Context, cmd *cli.Command) error {
	args := cmd.Args().Slice()
	switch {
	case len(args) == 0 || args[0] == "":
		return cmdline.Usagef(cmd, "the name of a queue is needed")
	case len(args) > 1 && v.jsonl:
		return cmdline.Usagef(cmd, "-jsonl is about the lines of the standard input, and there are payloads")
	}
	if err := v.spec.check(cmd, v.mode); err != nil {
		return err
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		var err error
		if v.spec.rules.Blobs, err = v.blobArgs(ctx, m, v.spec.blobs); err != nil {
			return err
		}
		p := &putter{v: v, queue: m.Queue(args[0]), ids: v.ids || v.json || len(args) > 1}
		if err := p.all(ctx, args[1:]); err != nil {
			return err
		}
		if p.duplicates == 0 {
			return nil
		}
		were := "were"
		if p.duplicates == 1 {
			were = "was"
		}
		fmt.Fprintf(v.stderr, "reeve: %d of %d tasks %s there already, and %[3]s not put again\n", p.duplicates, p.put+p.duplicates, were)
		if v.failDuplicates {
			return cmdline.Exit(exitSome)
		}
		return nil
	})
}

// all puts the payloads, or the lines of the input if there are none.
func (p *putter) all(ctx context.Context, payloads []string) error {
	if len(payloads) == 0 {
		return p.lines(ctx, p.v.stdin)
	}
	for _, a := range payloads {
		t := p.v.spec.task([]byte(a))
		if err := t.Validate(); err != nil { // of a key that the payload is in
			return errors.Join(p.flush(ctx), fmt.Errorf("payload %.40q: %w", a, err))
		}
		if err := p.add(ctx, t); err != nil {
			return err
		}
	}
	return p.flush(ctx)
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
		if err := p.addLine(ctx, n, line); err != nil {
			return err
		}
		if b, _ := in.Peek(in.Buffered()); bytes.IndexByte(b, '\n') < 0 {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// addLine adds what the n-th line says.
func (p *putter) addLine(ctx context.Context, n int, line []byte) (err error) {
	t := reeve.Task{}
	switch {
	case !p.v.jsonl:
		t = p.v.spec.task(line)
	case len(bytes.TrimSpace(line)) == 0:
		return nil
	default:
		t, err = parseLine(line, p.v.spec)
	}
	if err == nil {
		err = cmdline.Plain(t.Validate())
	}
	if err != nil {
		return errors.Join(p.flush(ctx), program.Fail(program.ExitData, fmt.Errorf("line %d: %w", n, err)))
	}
	return p.add(ctx, t)
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
