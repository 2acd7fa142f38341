package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/dump"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/journal/file"
	"github.com/urfave/cli/v3"
)

// dumpVerb writes a journal as JSON.
type dumpVerb struct {
	*tool
	queue string
}

func (t *tool) journalDumpCommand() *cli.Command {
	v := &dumpVerb{tool: t}
	return &cli.Command{
		Name: "dump", Usage: "write a journal as lines of JSON", ArgsUsage: "DIR",
		Description: `Each line is a record, as object: what happened to a task, a queue or a client, in its
order, with the number and the time of its frame. The first line says that it is a
dump, the last one how many records there are. "reeve journal restore" makes a
journal of it, unless it has one queue only.
A file that the standard output is sent to becomes one that only you may read:
payloads are in it.

Examples:
  reeve journal dump /var/lib/reeve > journal.jsonl
  reeve journal dump /var/lib/reeve -queue tasks | grep '"record":"put"'`,
		Flags:  []cli.Flag{cmdline.Flag("queue", textValue{&v.queue, 255}, "write the records of `QUEUE` only")},
		Action: v.run,
	}
}

func (v *dumpVerb) run(ctx context.Context, cmd *cli.Command) error {
	dir, err := oneDir(cmd)
	if err != nil {
		return err
	}
	return stoppable(ctx, func(ctx context.Context) error {
		if _, err := file.Stat(dir); err != nil {
			return journalError(dir, err) // and no empty file
		}
		if err := keepPrivate(v.stdout); err != nil {
			return outputError(err)
		}
		out := &witness{w: v.stdout}
		report, records, err := v.dump(ctx, dir, out)
		switch {
		case out.err != nil:
			return outputError(out.err)
		case err != nil:
			return journalError(dir, fmt.Errorf("the dump is incomplete: %w", err))
		case v.queue != "" && records == 0:
			return program.Fail(program.ExitConfig, fmt.Errorf("the journal has no queue %q", v.queue))
		case report.Held:
			fmt.Fprintf(v.stderr, "reeve: %s\n", inUse(report.PID))
		}
		return nil
	})
}

func (v *dumpVerb) dump(ctx context.Context, dir string, out *witness) (file.Report, int64, error) {
	w, err := dump.NewWriter(out, v.queue)
	if err != nil {
		return file.Report{}, 0, err
	}
	report, err := file.Scan(ctx, dir, w.Frame)
	if err != nil {
		return report, 0, errors.Join(err, w.Flush())
	}
	return report, w.Records(), w.Close()
}
