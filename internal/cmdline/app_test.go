package cmdline_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/cmdline"
	"github.com/urfave/cli/v3"
)

// parsed is what the test program was told.
type parsed struct {
	addr    string
	n       int
	size    int64
	wait    time.Duration
	verbose bool
	queues  cmdline.QueueSpecs
	args    []string
	ran     string
}

var errBroken = errors.New("broken\nin two lines\x1b[31m")

func program(p *parsed) *cli.Command {
	*p = parsed{addr: "localhost:5000", n: 4}
	note := func(_ context.Context, cmd *cli.Command) error {
		p.ran, p.args = cmd.Name, cmd.Args().Slice()
		return nil
	}
	return &cli.Command{
		Name: "prog", Usage: "does things", Description: "Examples:\n\n  prog -addr :1",
		Flags: []cli.Flag{
			cmdline.String("addr", &p.addr, "listen on `HOST:PORT`"),
			cmdline.Int("n", &p.n, 1, 64, "run `N` at a time"),
			cmdline.Size("size", &p.size, 1, "hold at most `SIZE`"),
			cmdline.Duration("wait", &p.wait, 0, "wait for `TIME`"),
			cmdline.Bool("v", &p.verbose, "say more"),
			cmdline.Flag("queue", &p.queues, "host `NAME[,option=value]`"),
		},
		Action: note,
		Commands: []*cli.Command{
			{Name: "put", Usage: "put things", Flags: []cli.Flag{cmdline.Bool("json", new(bool), "as JSON")}, Action: note},
			{Name: "fail", Usage: "fails", Action: func(context.Context, *cli.Command) error { return errBroken }},
			{Name: "quiet", Usage: "fails", Action: func(context.Context, *cli.Command) error { return cmdline.Exit(9) }},
		},
	}
}

func run(p *parsed, args ...string) (code int, stdout, stderr string) {
	var out, errw bytes.Buffer
	code = cmdline.Run(context.Background(), program(p), append([]string{"ignored"}, args...),
		cmdline.IO{In: strings.NewReader(""), Out: &out, Err: &errw}, func(error) int { return 70 })
	return code, out.String(), errw.String()
}

func TestRun_ReadsFlagsInEveryForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want func(*parsed) bool
	}{
		"one dash":             {[]string{"-addr", ":5"}, func(p *parsed) bool { return p.addr == ":5" }},
		"two dashes":           {[]string{"--addr", ":5"}, func(p *parsed) bool { return p.addr == ":5" }},
		"equals sign":          {[]string{"-addr=:5", "-n=7"}, func(p *parsed) bool { return p.addr == ":5" && p.n == 7 }},
		"after the arguments":  {[]string{"put", "a", "-json", "b"}, func(p *parsed) bool { return p.ran == "put" && slices.Equal(p.args, []string{"a", "b"}) }},
		"before the arguments": {[]string{"put", "-json", "a"}, func(p *parsed) bool { return slices.Equal(p.args, []string{"a"}) }},
		"after a double dash":  {[]string{"put", "--", "-json"}, func(p *parsed) bool { return slices.Equal(p.args, []string{"-json"}) }},
		"an argument help":     {[]string{"put", "jobs", "help"}, func(p *parsed) bool { return slices.Equal(p.args, []string{"jobs", "help"}) }},
		"an empty argument":    {[]string{"put", "jobs", ""}, func(p *parsed) bool { return slices.Equal(p.args, []string{"jobs", ""}) }},
		"a dash":               {[]string{"put", "-"}, func(p *parsed) bool { return slices.Equal(p.args, []string{"-"}) }},
		"no flags":             {nil, func(p *parsed) bool { return p.addr == "localhost:5000" && p.n == 4 && p.ran == "prog" }},
		"a size":               {[]string{"-size", "1.5KiB"}, func(p *parsed) bool { return p.size == 1536 }},
		"a duration":           {[]string{"-wait", "1h30m"}, func(p *parsed) bool { return p.wait == 90*time.Minute }},
		"a switch, off":        {[]string{"-v=false"}, func(p *parsed) bool { return !p.verbose }},
		"a repeated flag": {[]string{"-queue", "a,max-len=5,full=refuse", "-v", "-queue", "b,max-bytes=64MiB,lease=10s,timeout=1m,attempts=2"}, func(p *parsed) bool {
			return p.verbose && len(p.queues) == 2 && p.queues[0].Name == "a" && p.queues[0].Config.MaxLen == 5 && p.queues[0].Config.Refuse &&
				p.queues[1].Name == "b" && p.queues[1].Config.MaxBytes == 64<<20 && p.queues[1].Config.Attempts == 2
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p parsed
			code, _, stderr := run(&p, c.args...)
			if code != 0 || stderr != "" || !c.want(&p) {
				t.Fatalf("exit %d, parsed %+v, stderr %q", code, p, stderr)
			}
		})
	}
}

func TestRun_RefusesWhatIsWrongInOneLineWithAHint(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-bogus":                  "prog: unknown flag -bogus\n",
		"-adr :1":                 "prog: unknown flag -adr (did you mean -addr?)\n",
		"-queeu a":                "prog: unknown flag -queeu (did you mean -queue?)\n",
		"-addr":                   "prog: flag -addr needs a value\n",
		"-n 0":                    `prog: invalid value "0" for flag -n: want a whole number from 1 to 64` + "\n",
		"-n x":                    `prog: invalid value "x" for flag -n: want a whole number from 1 to 64` + "\n",
		"-n 99999999999999999999": `want a whole number from 1 to 64` + "\n",
		"-size 5Q":                `want a number of bytes, as 65536, 64KiB or 1.5GiB` + "\n",
		"-size 0":                 `want at least 1` + "\n",
		"-wait 5":                 `want a time with its unit, as 250ms, 30s or 1h30m` + "\n",
		"-queue a -queue a":       `queue "a" is declared twice` + "\n",
		"-queue ,max-len=3":       "want NAME[,option=value]\n",
		"-queue a,lease=0s":       `queue "a": lease=0s: want 100ms to 24h` + "\n",
		"put -v":                  "prog put: unknown flag -v\nTry 'prog put -help'.\n",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var p parsed
			code, stdout, stderr := run(&p, strings.Fields(args)...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, want) || p.ran != "" {
				t.Fatalf("exit %d, ran %q\nstdout %q\nstderr %q\nwant   %q", code, p.ran, stdout, stderr, want)
			}
			if lines := strings.Split(stderr, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "Try '") {
				t.Errorf("want one line and a hint, got %q", stderr)
			}
		})
	}
}

func TestRun_WritesAnErrorInOneLineAndGivesItsCode(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := run(new(parsed), "fail")
	if code != 70 || stdout != "" || stderr != "prog: broken in two lines?[31m\n" {
		t.Fatalf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, _, stderr := run(new(parsed), "quiet"); code != 9 || stderr != "" {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
}

func TestRun_HelpShowsFlagsWithOneDashAndExamples(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-h", "-help", "--help"} {
		code, stdout, stderr := run(new(parsed), flag)
		if code != 0 || stderr != "" {
			t.Fatalf("%s: exit %d, stderr %q", flag, code, stderr)
		}
		for _, want := range []string{"prog - does things", "\n  -addr HOST:PORT\n      listen on HOST:PORT (default localhost:5000)\n", "\n  -v\n", "prog -addr :1", "\n  put ", "\n  -version\n", "\n  completion "} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: no %q in\n%s", flag, want, stdout)
			}
		}
		if strings.Contains(stdout, " --") {
			t.Errorf("%s: two dashes in\n%s", flag, stdout)
		}
	}
	if code, stdout, _ := run(new(parsed), "put", "-help"); code != 0 || !strings.Contains(stdout, "prog put - put things") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}

func TestRun_VersionIsOneLine(t *testing.T) {
	t.Parallel()
	code, stdout, _ := run(new(parsed), "-version")
	if code != 0 || !strings.HasPrefix(stdout, "prog version ") || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("exit %d, %q", code, stdout)
	}
}

func TestRun_WritesACompletionScriptForEachShell(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "pwsh"} {
		code, stdout, _ := run(new(parsed), "completion", shell)
		if code != 0 || !strings.Contains(stdout, "--generate-shell-completion") {
			t.Errorf("%s: exit %d, %q", shell, code, stdout)
		}
	}
	if code, _, stderr := run(new(parsed), "completion", "tcsh"); code != 2 || !strings.Contains(stderr, "bash, zsh, fish, pwsh") {
		t.Errorf("tcsh: exit %d, %q", code, stderr)
	}
}

func TestRun_CompletesFlagsAndCommands(t *testing.T) {
	t.Parallel()
	const marker = "--generate-shell-completion"
	for args, want := range map[string][]string{
		"-a":         {"-addr:listen on HOST:PORT"},
		"--a":        {"--addr:listen on HOST:PORT"},
		"-addr":      {"-addr:listen on HOST:PORT"},
		"":           {"put:put things", "fail:fails"},
		"put -":      {"-json:as JSON"},
		"put jobs -": {"-json:as JSON"},
	} {
		var p parsed
		code, stdout, _ := run(&p, append(strings.Fields(args), marker)...)
		if code != 0 || p.ran != "" {
			t.Errorf("%q: exit %d, ran %q", args, code, p.ran)
		}
		lines := strings.Split(stdout, "\n")
		for _, w := range want {
			if !slices.Contains(lines, w) {
				t.Errorf("%q: no %q in %q", args, w, lines)
			}
		}
	}
}
