package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/reeveq/reeve"
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
A file that the standard output is sent to becomes one that only you may read.

Example:
  reeve keygen > reeve.key
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
				return cmdline.Usagef(cmd, "%s", strings.TrimPrefix(err.Error(), reeve.ErrKey.Error()+": "))
			}
			if err := keepPrivate(t.stdout); err != nil {
				return outputError(err)
			}
			if asJSON {
				return writeJSON(t.stdout, map[string]string{"id": name, "key": text})
			}
			_, err = fmt.Fprintln(t.stdout, text)
			return outputError(err)
		},
	}
}

// keepPrivate takes a file that w is away from everybody but its owner, before
// there is a key in it: a shell makes files that others may read, and a master
// does not take a key from such a one.
func keepPrivate(w io.Writer) error {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return nil // nothing to take away, or nothing that has a mode
	}
	return f.Chmod(0o600)
}
