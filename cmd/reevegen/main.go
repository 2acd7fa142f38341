// Command reevegen writes typed handles for objects of a program's own: from an
// interface, as it is registered with manager.Register, a type with a method for
// each of its methods, which calls that of the object.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/reeveq/reeve/internal/program"
	"github.com/urfave/cli/v3"
)

func main() {
	os.Exit(run(context.Background(), os.Args, cmdline.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

const description = `It is called by go generate, from a line in the package that has the interface:

  //go:generate go run github.com/reeveq/reeve/cmd/reevegen -type Scores

ScoresOf(client, "scores") is then a *ScoresStub, which works wherever the object
is reached. Its methods take a ctx first and return an error last, also where those
of the interface do not; where all do, a *ScoresStub is a Scores. Interfaces that
name each other as arguments or results, which are objects then, belong into one
call: -type Bank,Account.

A line //reeve:reads in the comment of a method says that it changes nothing, so
that a call is made again when its answer was lost. The master says it, too, by
manager.Reads.

PACKAGE is a directory; without it, the current one.`

// run is the program. It returns the exit code.
func run(ctx context.Context, args []string, std cmdline.IO) int {
	var names, output string
	root := &cli.Command{
		Name:        "reevegen",
		Usage:       "write typed handles for objects of your own",
		UsageText:   "reevegen -type NAME[,NAME...] [flags] [PACKAGE]",
		Description: description,
		Flags: []cli.Flag{
			cmdline.String("type", &names, "write handles for the interfaces `NAME[,NAME...]`"),
			cmdline.String("output", &output, "write to `FILE`, in the directory of the package; -: standard output; the default is\nthe first name in lower case and _stub.go"),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Len() > 1 {
				return cmdline.Usagef(cmd, "unexpected argument %q", cmd.Args().Get(1))
			}
			list, err := splitNames(names)
			if err != nil {
				return cmdline.Usagef(cmd, "%w", err)
			}
			j := &job{dir: cmd.Args().First(), names: list, output: output}
			text, err := j.generate(ctx)
			if err != nil {
				return cmdline.Usagef(cmd, "%w", err)
			}
			if output == "-" {
				_, err = std.Out.Write(text)
			} else {
				err = os.WriteFile(j.path(), text, 0o644)
			}
			return program.Fail(program.ExitOutput, err)
		},
	}
	return cmdline.Run(ctx, root, args, std, program.ExitCode)
}

// splitNames reads -type.
func splitNames(s string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		switch {
		case s == "":
			return nil, fmt.Errorf("-type is needed: the interfaces for which handles are written")
		case !isExportedName(name):
			return nil, fmt.Errorf("-type: %q is no name of an exported type", name)
		}
		for _, other := range names {
			if other == name {
				return nil, fmt.Errorf("-type names %s twice", name)
			}
		}
		names = append(names, name)
	}
	return names, nil
}

// job is one run of the program.
type job struct {
	dir    string // of the package; empty: here
	names  []string
	output string
}

// path is where the handles go.
func (j *job) path() string {
	name := j.output
	if name == "" || name == "-" {
		name = strings.ToLower(j.names[0]) + "_stub.go"
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(j.dir, name)
}

// generate returns the text of the file.
func (j *job) generate(ctx context.Context) ([]byte, error) {
	src, err := load(ctx, j.dir, j.path())
	if err != nil {
		return nil, err
	}
	stubs, err := src.stubs(j.names)
	if err != nil {
		return nil, err
	}
	return write(src.pkg.Types, "-type "+strings.Join(j.names, ","), stubs)
}
