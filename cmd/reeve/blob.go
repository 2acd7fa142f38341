package main

import (
	"bufio"
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/shared"
	"github.com/urfave/cli/v3"
)

func (t *tool) blobCommand() *cli.Command {
	return &cli.Command{
		Name: "blob", Usage: "put, get and list large values",
		Description: `A blob is a large value that is put once and named by its content. It lives as long
as a task names it, or a program has it open, and a minute longer: what "reeve blob
put" has put goes after that minute, unless a task has been put that names it.
"reeve put -blob @FILE" does both at once.

Examples:
  reeve blob put model.bin
  reeve put tasks 'train' -blob @model.bin
  reeve blob get REF > model.bin
  reeve blob ls`,
		Commands: []*cli.Command{t.blobPutCommand(), t.blobGetCommand(), t.blobLsCommand()},
	}
}

// blobLsVerb lists blobs.
type blobLsVerb struct{ *session }

func (t *tool) blobLsCommand() *cli.Command {
	v := &blobLsVerb{t.session()}
	return &cli.Command{
		Name: "ls", Usage: "list the blobs",
		Description: `TASKS counts the tasks and kept results that name a blob, CLIENTS the programs that
have it open. GOES is when it is removed if nothing does. With -json, each is an
object in a line of its own.`,
		Flags: v.flags(), Action: v.run,
	}
}

func (v *blobLsVerb) run(ctx context.Context, cmd *cli.Command) error {
	if err := cmdline.NoArgs(cmd); err != nil {
		return err
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		out := bufio.NewWriter(v.stdout)
		w, now := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0), time.Now()
		if !v.json {
			fmt.Fprintln(w, "BLOB\tSIZE\tAGE\tTASKS\tCLIENTS\tGOES")
		}
		for i, err := range shared.Blobs(m).All(ctx) {
			if err != nil {
				return err
			}
			if v.json {
				err = writeJSON(out, &i)
			} else {
				goes := "-"
				if !i.Until.IsZero() {
					goes = "in " + span(i.Until.Sub(now))
				}
				_, err = fmt.Fprintf(w, "%v\t%s\t%s\t%d\t%d\t%s\n", i.Ref, roundSize(i.Ref.Size), span(now.Sub(i.Made)), i.Tasks, i.Clients, goes)
			}
			if err != nil {
				return err
			}
		}
		w.Flush()
		return outputError(out.Flush())
	})
}

// oneBlob is the reference that is the only argument.
func oneBlob(cmd *cli.Command) (reeve.BlobRef, error) {
	if cmd.Args().Len() != 1 || cmd.Args().First() == "" {
		return reeve.BlobRef{}, cmdline.Usagef(cmd, "the reference of one blob is needed, as \"reeve blob put\" writes it")
	}
	ref, err := reeve.ParseBlobRef(cmd.Args().First())
	if err != nil {
		return ref, cmdline.Usagef(cmd, "%w", cmdline.Plain(err))
	}
	return ref, nil
}
