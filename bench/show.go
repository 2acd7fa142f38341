package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/reeveq/reeve/bench/internal/report"
)

const tableHelp = `usage: go run . table -json FILE [-o FILE]

Writes the tables of an earlier run, in Markdown.

flags:
`

const chartHelp = `usage: go run . chart -json FILE -o FILE

Draws the chart of an earlier run, as SVG or PNG by the ending of the file.

flags:
`

// showTable writes the tables of an earlier run.
func showTable(_ context.Context, args []string, stdout, stderr io.Writer) error {
	run, to, err := earlier("table", tableHelp, "write to `FILE` (default: the standard output)", args, stderr)
	if err != nil {
		return err
	}
	if to == "" {
		return report.Table(stdout, run)
	}
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("table: %w", err)
	}
	return errors.Join(report.Table(f, run), f.Close())
}

// showChart draws the chart of an earlier run.
func showChart(_ context.Context, args []string, _, stderr io.Writer) error {
	run, to, err := earlier("chart", chartHelp, "draw in `FILE`, which ends in .svg or .png", args, stderr)
	if err != nil {
		return err
	}
	if to == "" {
		return errors.New("chart: want -o FILE")
	}
	return report.Chart(to, run)
}

// earlier reads the run that args name, and where it is to be shown.
func earlier(command, help, usage string, args []string, stderr io.Writer) (run *report.Run, to string, err error) {
	fs := flag.NewFlagSet(command, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, help); fs.PrintDefaults() }
	from := fs.String("json", "", "read the run from `FILE`, as run -json wrote it")
	fs.StringVar(&to, "o", "", usage)
	if err := fs.Parse(args); err != nil {
		return nil, "", flag.ErrHelp // it has told what is wrong
	}
	if fs.NArg() > 0 || *from == "" {
		return nil, "", fmt.Errorf("%s: want -json FILE, and no arguments", command)
	}
	f, err := os.Open(*from)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", command, err)
	}
	defer f.Close()
	run, err = report.ReadJSON(f)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %s: %w", command, *from, err)
	}
	return run, to, nil
}
