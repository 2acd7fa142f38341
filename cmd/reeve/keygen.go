package main

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

func (t *tool) keygenCommand() *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name: "keygen", Usage: "make an authkey that cannot be guessed", ArgsUsage: "[NAME]",
		Description: `Writes a new key, which is kept nowhere else. NAME, by default "worker", is the
key's id: it is in logs and no secret; 1 to 32 of a-z 0-9 . _ -

Example:
  (umask 077; reeve keygen > reeve.key)
  master -addr :5000 -authkey-file reeve.key`,
		Flags: []cli.Flag{cmdline.Bool("json", &asJSON, "write JSON")},
		Action: func(_ context.Context, cmd *cli.Command) error {
			name := "worker"
			switch cmd.Args().Len() {
			case 0:
			case 1:
				name = cmd.Args().First()
			default:
				return cmdline.Usagef(cmd, "one name is enough")
			}
			_, text, err := auth.GenerateKey(name)
			if err != nil {
				return cmdline.Usagef(cmd, "%w", err)
			}
			if asJSON {
				return writeJSON(t.stdout, map[string]string{"id": name, "key": text})
			}
			_, err = fmt.Fprintln(t.stdout, text)
			return outputError(err)
		},
	}
}
