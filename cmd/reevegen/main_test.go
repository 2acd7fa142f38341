package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reeveq/reeve/internal/cmdline"
)

var update = flag.Bool("update", false, "write the handles in testdata anew")

// generate runs the program.
func generate(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"reevegen"}, args...), cmdline.IO{Out: &out, Err: &errs})
	return out.String(), errs.String(), code
}

// golden are the files that have been written, by their arguments.
var golden = map[string][]string{
	"testdata/game/scores_stub.go":             {"-type", "Scores", "testdata/game"},
	"testdata/game/bank_stub.go":               {"-type", "Bank,Account", "testdata/game"},
	"../../examples/objects/bank/bank_stub.go": {"-type", "Bank,Account,Counter", "../../examples/objects/bank"},
	"testdata/game/odd_stub.go":                {"-type", "Odd", "testdata/game"},
}

func TestReevegen_WritesWhatItWrote(t *testing.T) {
	for file, args := range golden {
		if *update {
			if _, stderr, code := generate(t, args...); code != 0 {
				t.Fatal(stderr)
			}
		}
		want, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		got, stderr, code := generate(t, append([]string{"-output", "-"}, args...)...)
		if code != 0 || got != strings.ReplaceAll(string(want), "\r", "") {
			t.Errorf("%s, exit code %d, is not what is written now (run with -update):\n%s%s", file, code, stderr, got)
		}
	}
}

func TestReevegen_WritesGoThatCompiles(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("go", "vet", "./testdata/game").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command("gofmt", "-l", "testdata/game").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("not formatted: %v\n%s", err, out)
	}
}

func TestReevegen_SaysWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	src, err := load(t.Context(), "testdata/wrong", "testdata/wrong/stub.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Chan":     "Chan.M: argument 1, chan int: a channel cannot be sent",
		"Func":     "Func.M: result 2, func(): a function cannot be sent",
		"Complex":  "Complex.M: argument 1, []complex64: a complex64 cannot be sent",
		"Unsafe":   "a unsafe.Pointer cannot be sent",
		"Opaque":   "a struct without exported fields cannot be sent",
		"Deep":     "field In: field C: a channel cannot be sent",
		"Ctx":      "Ctx.M: argument 2: ctx must come first",
		"Ctxs":     "Ctxs.M: argument 1: ctx must come first, and be one",
		"Error":    "argument 1, error: an error cannot be sent",
		"Errors":   "result 1, error: an error must come last",
		"Inside":   "an interface with methods cannot be sent inside of a value",
		"Own":      "Own.Ref: each handle has a method Ref of its own",
		"Empty":    "Empty has no exported method",
		"Unknown":  "the type is not known",
		"Generic":  "Generic has type parameters",
		"Number":   "Number is a constraint",
		"Hidden":   "Hidden is no interface, but a struct",
		"Nobody":   "package wrong has no type Nobody",
		"Variable": "Variable is no type",
		"Taken":    "TakenStub is to be written, but the package has it already, in wrong.go",
	} {
		if _, err := src.stubs([]string{name}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stdout, stderr, code := generate(t, "-output", "-", "-type", "Chan", "testdata/wrong")
	if code != 2 || stdout != "" || stderr != "reevegen: Chan.M: argument 1, chan int: a channel cannot be sent\nTry 'reevegen -help'.\n" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestReevegen_SaysWhatIsWrongWithTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "-type is needed"},
		{[]string{"-type", "scores"}, `"scores" is no name of an exported type`},
		{[]string{"-type", "A,,B"}, `"" is no name`},
		{[]string{"-type", "A,A"}, "names A twice"},
		{[]string{"-tipe", "A"}, "unknown flag -tipe (did you mean -type?)"},
		{[]string{"-type", "A", "x", "y"}, `unexpected argument "y"`},
		{[]string{"-type", "A", "testdata/none"}, "no package in testdata/none"},
		{[]string{"-type", "A", "testdata/nowhere"}, "testdata/nowhere"},
	} {
		if _, stderr, code := generate(t, c.args...); code != 2 || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit code %d: %s", c.args, code, stderr)
		}
	}
	help, _, code := generate(t, "-h")
	for _, want := range []string{"reevegen -type NAME[,NAME...] [flags] [PACKAGE]", "//go:generate", "-output FILE", "-type NAME"} {
		if code != 0 || !strings.Contains(help, want) {
			t.Errorf("exit code %d, the help has no %q:\n%s", code, want, help)
		}
	}
}

func TestReevegen_WritesTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "stub.go")
	if _, stderr, code := generate(t, "-type", "Account,Bank", "-output", file, "testdata/game"); code != 2 || !strings.Contains(stderr, "AccountStub is to be written, but the package has it already, in bank_stub.go") {
		t.Errorf("a second file of the same: exit code %d: %s", code, stderr)
	}
	dir := filepath.Join(t.TempDir(), "no", "such", "directory.go")
	if _, stderr, code := generate(t, "-type", "Embedded", "-output", dir, "testdata/game"); code != 74 || !strings.Contains(stderr, "directory.go") {
		t.Errorf("a directory that is not there: exit code %d: %s", code, stderr)
	}
	if _, stderr, code := generate(t, "-type", "Embedded", "-output", file, "testdata/game"); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(b, []byte("// Code generated by reevegen -type Embedded; DO NOT EDIT.\n\npackage game\n")) {
		t.Errorf("%v: %s", err, b)
	}
}
