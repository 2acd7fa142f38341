package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/reeveq/reeve/bench/internal/goal"
)

const goalsHelp = `usage: go run . goals -json FILE [-o FILE]

Writes which of this project's goals an earlier run has reached, in Markdown. A
goal whose figures are not in the run is not measured.

flags:
`

// goals writes what an earlier run says of the goals.
func goals(_ context.Context, args []string, stdout, stderr io.Writer) error {
	run, to, err := earlier("goals", goalsHelp, "write to `FILE` (default: the standard output)", args, stderr)
	if err != nil {
		return err
	}
	if to == "" {
		return goal.Table(stdout, run)
	}
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("goals: %w", err)
	}
	return errors.Join(goal.Table(f, run), f.Close())
}
