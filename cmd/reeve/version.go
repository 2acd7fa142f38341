package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

func (t *tool) versionCommand() *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name: "version", Usage: "show the version",
		Flags: []cli.Flag{cmdline.Bool("json", &asJSON, "write JSON")},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := cmdline.NoArgs(cmd); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(t.stdout, map[string]string{"version": cmdline.Version(), "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(t.stdout, "reeve version %s (%s)\n", cmdline.Version(), runtime.Version())
			return outputError(err)
		},
	}
}
