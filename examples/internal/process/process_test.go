package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve/examples/internal/process"
)

// TestMain makes this program its own child: with a role it plays that.
func TestMain(m *testing.M) {
	switch os.Getenv("ROLE") {
	case "":
		os.Exit(m.Run())
	case "talk":
		fmt.Fprint(os.Stderr, "first\nready at port 7\r\nlast")
	case "flood":
		fmt.Fprint(os.Stderr, strings.Repeat("x", 3<<20))
		fmt.Print("out")
	case "fail":
		fmt.Fprintln(os.Stderr, "no luck")
		os.Exit(3)
	case "stay":
		fmt.Fprintln(os.Stderr, "here")
		time.Sleep(time.Hour)
	}
}

func start(t *testing.T, ctx context.Context, role string) *process.Process {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "ROLE="+role)
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func TestSays_ReturnsTheRestOfTheLine(t *testing.T) {
	t.Parallel()
	p := start(t, t.Context(), "talk")
	if rest, err := p.Says(t.Context(), "ready at "); err != nil || rest != "port 7" {
		t.Errorf("%q, %v", rest, err)
	}
	if err := p.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	// A line that was cut off may mean something else.
	if rest, err := p.Says(t.Context(), "la"); err == nil {
		t.Errorf("%q", rest)
	}
}

func TestSays_EndsWithTheProcess(t *testing.T) {
	t.Parallel()
	p := start(t, t.Context(), "fail")
	_, err := p.Says(t.Context(), "ready")
	if err == nil || !strings.Contains(err.Error(), "no luck") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
}

func TestSays_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	p := start(t, t.Context(), "stay")
	if _, err := p.Says(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := p.Says(ctx, "there"); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if err := p.Wait(ctx); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}

func TestProcess_EndsByKillOrContext(t *testing.T) {
	t.Parallel()
	killed := start(t, t.Context(), "stay")
	killed.Kill()
	killed.Kill()
	<-killed.Ended()
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := start(t, ctx, "stay")
	cancel()
	<-cancelled.Ended()
	for _, p := range []*process.Process{killed, cancelled} {
		if err := p.Wait(t.Context()); err == nil {
			t.Errorf("process %d ended well", p.ID())
		}
	}
}

func TestProcess_KeepsALimitedText(t *testing.T) {
	t.Parallel()
	p := start(t, t.Context(), "flood")
	if err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(p.Stderr()); n != 1<<20 || p.Stdout() != "out" {
		t.Errorf("kept %d bytes and %q", n, p.Stdout())
	}
}

func TestEnviron_HoldsOneKey(t *testing.T) {
	t.Setenv("REEVE_AUTHKEY_FILE", "/some/file")
	t.Setenv("REEVE_AUTHKEY", "old")
	env := process.Environ("new")
	got := slices.DeleteFunc(slices.Clone(env), func(v string) bool { return !strings.HasPrefix(v, "REEVE_") })
	if !slices.Equal(got, []string{"REEVE_AUTHKEY=new"}) || len(env) == len(got) {
		t.Errorf("%q", got)
	}
}

func TestBuild_ShowsWhatTheCompilerSays(t *testing.T) {
	t.Parallel()
	err := process.Build(t.Context(), t.TempDir(), "github.com/reeveq/reeve/no/such/package")
	if err == nil || !strings.Contains(err.Error(), "no/such/package") {
		t.Errorf("%v", err)
	}
}
