package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/reeveq/reeve/bench/internal/soak"
)

const soakHelp = `usage: go run . soak [flags]

Has a master with a journal work while it, its workers and all connections fail
at random, and tells whether anything was lost and whether anything grew. The
report is Markdown. The exit code is 1 when something was lost, wrong or grew;
the directory with the journal and what the processes said is left then.

flags:
`

// errSoak is that the report is a bad one.
var errSoak = errors.New("soak: failed, see the report")

// soakMain runs the soak as args say. The report goes to stdout, how it goes to
// stderr. It ends with ctx, after what was begun is done.
func soakMain(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	if slices.Equal(append([]string{"soak"}, args...), soak.WorkerArgs()) {
		return soak.Worker(ctx)
	}
	cfg := soak.Config{Log: stderr}
	var output, jsonFile string
	fs := flag.NewFlagSet("soak", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, soakHelp); fs.PrintDefaults() }
	fs.DurationVar(&cfg.For, "for", 10*time.Minute, "have things fail for `TIME`")
	fs.Uint64Var(&cfg.Seed, "seed", 0, "the seed of the faults; 0: a new one, which is printed")
	fs.IntVar(&cfg.Workers, "workers", 4, "worker processes")
	fs.IntVar(&cfg.Producers, "producers", 3, "clients that put")
	fs.IntVar(&cfg.Rate, "rate", 2000, "tasks put a second, bursts apart")
	fs.StringVar(&cfg.Dir, "dir", "", "keep everything in the empty `DIR`; without: a temporary one, which goes when all is well")
	fs.StringVar(&output, "o", "", "write the report to `FILE`")
	fs.StringVar(&jsonFile, "json", "", "write it as JSON with all samples to `FILE`")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("soak: it takes no arguments, but flags: %q", fs.Arg(0))
	}
	temporary := cfg.Dir == ""
	if temporary {
		if cfg.Dir, err = os.MkdirTemp("", "reeve-soak-"); err != nil {
			return fmt.Errorf("soak: %w", err)
		}
	} else if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return fmt.Errorf("soak: %w", err)
	}
	report, err := soak.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if err := writeSoak(report, output, jsonFile, stdout); err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("%w; everything is in %s", errSoak, cfg.Dir)
	}
	if temporary {
		return os.RemoveAll(cfg.Dir)
	}
	return nil
}

// writeSoak writes a report where it is wanted.
func writeSoak(report *soak.Report, output, jsonFile string, stdout io.Writer) error {
	if jsonFile != "" {
		text, err := json.MarshalIndent(report, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(jsonFile, append(text, '\n'), 0o644); err != nil {
			return fmt.Errorf("soak: -json: %w", err)
		}
	}
	if output == "" {
		return report.Markdown(stdout)
	}
	f, err := os.Create(output)
	if err != nil {
		return fmt.Errorf("soak: -o: %w", err)
	}
	return errors.Join(report.Markdown(f), f.Close())
}
