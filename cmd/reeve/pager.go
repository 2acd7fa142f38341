package main

import (
	"context"
	"fmt"
	"io"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// pager is the flags of the verbs that list tasks, and how they write them.
type pager struct {
	n       int
	all     bool
	after   idList
	payload int64
}

func newPager() pager { return pager{n: 20, payload: 80} }

func (p *pager) flags() []cli.Flag {
	return []cli.Flag{
		cmdline.Int("n", &p.n, 1, 1<<31-1, "show up to `N` tasks"),
		cmdline.Bool("all", &p.all, "show all tasks, however many there are"),
		cmdline.Flag("after", &p.after, "go on after the task with `ID`"),
		cmdline.Size("payload", &p.payload, 0, "show up to `SIZE` of each payload"),
	}
}

// check refuses flags that contradict each other.
func (p *pager) check(cmd *cli.Command) error {
	switch {
	case p.all && cmd.IsSet("n"):
		return cmdline.Usagef(cmd, "-n and -all are both set, want one")
	case len(p.after) > 1:
		return cmdline.Usagef(cmd, "-after: want one id")
	case p.payload > 1<<30:
		return cmdline.Usagef(cmd, "-payload %s: want at most 1GiB", cmdline.FormatSize(p.payload))
	}
	return nil
}

// pageSize is how many tasks are asked for at a time.
const pageSize = 512

// list writes the tasks of a queue that f means, with write, page by page, and
// returns where the list goes on; 0: it does not.
func (p *pager) list(ctx context.Context, op reeve.Operator, queue string, f reeve.Filter, write func([]reeve.TaskInfo) error) (reeve.ID, error) {
	o := reeve.ListOptions{Payload: int(p.payload)}
	if len(p.after) > 0 {
		o.After = p.after[0]
	}
	for left := p.n; ; {
		o.Max = pageSize
		if !p.all {
			o.Max = min(left, pageSize)
		}
		page, err := op.List(ctx, queue, f, o)
		if err != nil {
			return 0, err
		}
		left -= len(page.Tasks)
		if len(page.Tasks) > 0 {
			if err := write(page.Tasks); err != nil {
				return 0, err
			}
		}
		if page.Next == 0 || left <= 0 && !p.all {
			return page.Next, nil
		}
		o.After = page.Next
	}
}

// tellMore says how to see what comes after a part of a list.
func tellMore(w io.Writer, next reeve.ID) {
	if next != 0 {
		fmt.Fprintf(w, "reeve: there may be more: -after %v shows them, -all shows everything\n", next)
	}
}

// writeTasksJSON writes each task as a line of JSON.
func writeTasksJSON(w io.Writer, tasks []reeve.TaskInfo) error {
	for i := range tasks {
		if err := writeJSON(w, newInfoJSON(&tasks[i])); err != nil {
			return err
		}
	}
	return nil
}

// oneQueue is the name of the queue that is the only argument.
func oneQueue(cmd *cli.Command) (string, error) {
	if cmd.Args().Len() != 1 || cmd.Args().First() == "" {
		return "", cmdline.Usagef(cmd, "the name of one queue is needed")
	}
	return cmd.Args().First(), nil
}
