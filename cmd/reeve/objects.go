package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/shared"
	"github.com/urfave/cli/v3"
)

// objectsVerb lists shared objects.
type objectsVerb struct{ *session }

func (t *tool) objectsCommand() *cli.Command {
	v := &objectsVerb{session: t.session()}
	return &cli.Command{
		Name: "objects", Usage: "list the shared objects",
		UsageText: "reeve objects [flags]\n  reeve objects COMMAND [flags] ...",
		Description: `A name of #0000000000000001 is that of an object without one, which is deleted when
nobody refers to it any more: REFS counts the clients that do, FIRST names one of
them. OWNER is who declared it. With -json, each is an object in a line of its own.

Examples:
  reeve objects
  reeve objects methods scores
  reeve objects delete scores`,
		Commands: []*cli.Command{t.objectMethodsCommand(), t.objectDeleteCommand()},
		Flags:    v.flags(), Action: v.run,
	}
}

func (v *objectsVerb) run(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() {
		return cmdline.Usagef(cmd, "unknown command %q; there are: methods, delete", cmd.Args().First())
	}
	return v.with(ctx, cmd, func(ctx context.Context, m master) error {
		list, err := shared.Objects(ctx, m)
		if err != nil {
			return err
		}
		if v.json {
			return writeLines(v.stdout, list)
		}
		out := bufio.NewWriter(v.stdout)
		w, now := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0), time.Now()
		fmt.Fprintln(w, "NAME\tTYPE\tSTATE\tAGE\tOWNER\tREFS\tFIRST\tKEPT")
		for i := range list {
			o := &list[i]
			kept := "memory"
			if o.Durable {
				kept = "journal"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(o.Ref.String()), printable(o.Ref.Type), orDash(printable(o.Text)),
				span(now.Sub(o.Made)), orDash(printable(o.Owner)), refs(o), orDash(printable(strings.Join(o.Holders[:min(1, len(o.Holders))], ""))), kept)
		}
		w.Flush()
		return outputError(out.Flush())
	})
}

// refs is how many clients refer to an object; those with a name need none.
func refs(o *reeve.ObjectInfo) string {
	if o.Ref.Name != "" {
		return "-"
	}
	return fmt.Sprint(o.Refs)
}

// objectRef reads how an object is named: by name, or by #ID. Only the master
// knows which of its lives it lives: the object is looked for.
func objectRef(ctx context.Context, m master, name string) (reeve.Ref, error) {
	if !strings.HasPrefix(name, "#") {
		return reeve.Ref{Name: name}, nil
	}
	list, err := shared.Objects(ctx, m)
	if err != nil {
		return reeve.Ref{}, err
	}
	for i := range list {
		if list[i].Ref.Name == "" && list[i].Ref.String() == name {
			return list[i].Ref, nil
		}
	}
	return reeve.Ref{}, fmt.Errorf("%w: %s", reeve.ErrNoSuchObject, name)
}

// objectMethodsVerb lists what can be called.
type objectMethodsVerb struct{ *session }

func (t *tool) objectMethodsCommand() *cli.Command {
	v := &objectMethodsVerb{session: t.session()}
	return &cli.Command{
		Name: "methods", Usage: "list the methods of a shared object", ArgsUsage: "NAME",
		Description: "Methods that only read are marked with r.\n\nExamples:\n  reeve objects methods scores",
		Flags:       v.flags(),
		Action:      func(ctx context.Context, cmd *cli.Command) error { return v.withObject(ctx, cmd, v.list) },
	}
}

func (v *objectMethodsVerb) list(ctx context.Context, x *shared.Object) error {
	list, err := x.Methods(ctx)
	if err != nil {
		return err
	}
	if v.json {
		return writeLines(v.stdout, list)
	}
	out := bufio.NewWriter(v.stdout)
	for i := range list {
		mark := " "
		if list[i].Reads {
			mark = "r"
		}
		text := list[i].Signature
		if text == "" {
			text = list[i].Name
		}
		fmt.Fprintf(out, "%s %s\n", mark, printable(text))
	}
	return outputError(out.Flush())
}

func (t *tool) objectDeleteCommand() *cli.Command {
	s := t.session()
	return &cli.Command{
		Name: "delete", Usage: "delete a shared object", ArgsUsage: "NAME",
		Description: "Whoever waits at it, or calls it later, is told that it is gone.\n\nExamples:\n  reeve objects delete scores",
		Flags:       s.flags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return s.withObject(ctx, cmd, func(ctx context.Context, x *shared.Object) error { return x.Delete(ctx) })
		},
	}
}

// withObject is with, for the verbs of one object, which the command line names.
func (s *session) withObject(ctx context.Context, cmd *cli.Command, f func(context.Context, *shared.Object) error) error {
	if cmd.Args().Len() != 1 || cmd.Args().First() == "" {
		return cmdline.Usagef(cmd, "want the name of one object")
	}
	return s.with(ctx, cmd, func(ctx context.Context, m master) error {
		ref, err := objectRef(ctx, m, cmd.Args().First())
		if err != nil {
			return err
		}
		return f(ctx, shared.ObjectAt(m, ref))
	})
}
