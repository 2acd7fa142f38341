package cmdline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v3"
)

// UsageError is a command line that cannot be run as it is written.
type UsageError struct {
	Command string // the full name of the command: "reeve put"
	Err     error
}

func (e *UsageError) Error() string { return e.Err.Error() }

func (e *UsageError) Unwrap() error { return e.Err }

// Usagef makes the error of a command line that cannot be run, in cmd.
func Usagef(cmd *cli.Command, format string, args ...any) error {
	return &UsageError{Command: cmd.FullName(), Err: fmt.Errorf(format, args...)}
}

// IO is what a program reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// Run runs the program root with args (args[0] is its name and is ignored) and
// returns its exit code. An error is written to the standard error in one
// line, those that need a hint with the hint; exitCode gives the code of the
// errors that are not a [UsageError], whose code is 2. It returns when the
// command's action has.
func Run(ctx context.Context, root *cli.Command, args []string, std IO, exitCode func(error) int) int {
	dress(root)
	root.Reader, root.Writer, root.ErrWriter = std.In, std.Out, std.Err
	root.EnableShellCompletion = true
	root.ConfigureShellCompletionCommand = func(c *cli.Command) {
		c.Hidden = false
		c.Usage = "write the completion script for a shell"
		dress(c)
	}
	root.Version = Version()
	err := root.Run(ctx, append([]string{root.Name}, args[min(1, len(args)):]...))
	var usage *UsageError
	var quiet silent
	switch {
	case err == nil:
		return 0
	case errors.As(err, &quiet):
		return quiet.ExitCode()
	case errors.As(err, &usage):
		fmt.Fprintf(std.Err, "%s: %s\nTry '%s -help'.\n", usage.Command, oneLine(err), usage.Command)
		return 2
	}
	fmt.Fprintf(std.Err, "%s: %s\n", root.Name, strings.TrimPrefix(oneLine(err), root.Name+": "))
	return exitCode(err)
}

// silent is an exit code whose reason was told already.
type silent int

func (s silent) Error() string { return fmt.Sprintf("exit code %d", int(s)) }
func (s silent) ExitCode() int { return int(s) }

// Exit is the error of an action that has told its reason already: the program
// exits with code and writes nothing more.
func Exit(code int) error { return silent(code) }

// oneLine keeps an error to one line: a text that came over the network or
// from a file name may hold anything.
func oneLine(err error) string {
	s := strings.TrimSpace(err.Error())
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f:
			return '?'
		}
		return r
	}, s)
}

// dress gives cmd and the commands below it the common face.
func dress(cmd *cli.Command) {
	// A "help" sub-command would take the place of an argument that reads "help".
	cmd.HideHelpCommand = true
	cmd.OnUsageError = usageError
	// The library would end the process by itself otherwise.
	cmd.ExitErrHandler = func(context.Context, *cli.Command, error) {}
	cmd.ShellComplete = complete
	if cmd.Action == nil && len(cmd.Commands) > 0 {
		cmd.Action = needsCommand
	}
	cmd.CustomHelpTemplate = helpTemplate(cmd, false)
	cmd.CustomRootCommandHelpTemplate = helpTemplate(cmd, true)
	for _, c := range cmd.Commands {
		dress(c)
	}
}

func usageError(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		text = "unknown flag -" + name
		if near := nearest(name, cmd); near != "" {
			text += " (did you mean -" + near + "?)"
		}
	} else if name, ok := strings.CutPrefix(text, "flag needs an argument: "); ok {
		text = "flag -" + strings.TrimLeft(name, "-") + " needs a value"
	}
	return Usagef(cmd, "%s", text)
}

func needsCommand(_ context.Context, cmd *cli.Command) error {
	var names []string
	for _, c := range cmd.VisibleCommands() {
		names = append(names, c.Name)
	}
	known := strings.Join(names, ", ")
	if cmd.Args().Present() {
		return Usagef(cmd, "unknown command %q; there are: %s", cmd.Args().First(), known)
	}
	return Usagef(cmd, "a command is needed: %s", known)
}

// NoArgs refuses arguments that cmd does not take.
func NoArgs(cmd *cli.Command) error {
	if cmd.Args().Present() {
		return Usagef(cmd, "unexpected argument %q", cmd.Args().First())
	}
	return nil
}

// Version is the version of the program's module, as the go command built it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
