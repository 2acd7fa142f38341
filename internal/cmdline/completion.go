package cmdline

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

// complete writes what may stand at the end of the command line, in the form
// that the library's shell scripts read: one word a line, with its meaning
// after a colon. It is our own because the library offers flags with two
// dashes, which a word begun with one dash does not match.
func complete(_ context.Context, cmd *cli.Command) {
	args := cmd.Args().Slice()
	last := ""
	if len(args) > 0 {
		last = args[len(args)-1]
	}
	out := cmd.Root().Writer
	if !strings.HasPrefix(last, "-") {
		if len(args) == 0 {
			for _, c := range cmd.VisibleCommands() {
				fmt.Fprintf(out, "%s:%s\n", c.Name, firstLine(c.Usage))
			}
		}
		return
	}
	dashes := "-"
	if strings.HasPrefix(last, "--") {
		dashes = "--"
	}
	begun := strings.TrimLeft(last, "-")
	for _, f := range cmd.VisibleFlags() {
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		for _, name := range f.Names() {
			if strings.HasPrefix(name, begun) {
				fmt.Fprintf(out, "%s%s:%s\n", dashes, name, firstLine(doc.GetUsage()))
			}
		}
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.ReplaceAll(s, "`", ""), "\n")
	return s
}
