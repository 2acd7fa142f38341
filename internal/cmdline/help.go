package cmdline

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

// The library has one layout, of its own, for all commands that have others
// below them and are not the program.
func init() {
	cli.ShowSubcommandHelp = func(cmd *cli.Command) error {
		cli.HelpPrinter(cmd.Root().Writer, cmd.CustomHelpTemplate, cmd)
		return nil
	}
}

// helpTemplate lays out the help of cmd. The flags are written here and now,
// so that the defaults are shown and not what was set, and so that those the
// library adds look like ours.
func helpTemplate(cmd *cli.Command, root bool) string {
	var flags strings.Builder
	for _, f := range cmd.VisibleFlags() {
		flags.WriteString("\n" + describe(f))
	}
	flags.WriteString("\n  -h, -help\n      show this help")
	if root {
		flags.WriteString("\n  -version\n      show the version")
	}
	// What the texts hold is text, whatever it looks like.
	text := strings.ReplaceAll(flags.String(), "{{", `{{"{{"}}`)
	return helpHead + "Flags:" + text + "\n"
}

const helpHead = `{{.FullName}} - {{.Usage}}

Usage:
  {{if .UsageText}}{{.UsageText}}{{else}}{{.FullName}} [flags]{{if .VisibleCommands}} COMMAND{{end}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}{{end}}
{{if .Description}}
{{.Description | trim}}
{{end}}{{if .VisibleCommands}}
Commands:{{range .VisibleCommands}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}
{{end}}
`

// describe writes a flag as the help shows it: its name, what its value is (the
// back-quoted word of the usage text) and, below, what it does.
func describe(f cli.Flag) string {
	doc, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	usage := doc.GetUsage()
	value := ""
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		if name, after, ok := strings.Cut(rest, "`"); ok {
			value, usage = name, before+name+after
		}
	}
	line := "  -" + f.Names()[0]
	if value != "" {
		line += " " + value
	}
	line += "\n      " + strings.ReplaceAll(usage, "\n", "\n      ")
	switch def := strings.Trim(doc.GetValue(), `"`); {
	case value == "" || def == "" || def == "0" || def == "0s":
		return line // none, or what the usage text explains
	default:
		return line + fmt.Sprintf(" (default %s)", def)
	}
}
