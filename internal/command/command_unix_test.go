//go:build unix

package command_test

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/command"
)

func sh(t *testing.T, cfg command.Config, script string, args ...string) *command.Runner {
	t.Helper()
	cfg.Args = append([]string{"sh", "-c", script, "sh"}, args...)
	r, err := command.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRun_GivesThePayloadAndTakesTheOutputAsItIs(t *testing.T) {
	t.Parallel()
	payload := "a\r\nb\x00\xff\n"
	out, err := sh(t, command.Config{}, "cat").Run(t.Context(), command.Task{Payload: []byte(payload)})
	if err != nil || string(out) != payload {
		t.Fatalf("%q, %v", out, err)
	}
}

func TestRun_PutsThePayloadInThePlaceOfBraces(t *testing.T) {
	t.Parallel()
	r := sh(t, command.Config{}, `printf '%s|' "$@"`, "{}", "x={},{}", "plain")
	out, err := r.Run(t.Context(), command.Task{Payload: []byte("$(id); 'a b'")})
	if want := "$(id); 'a b'|x=$(id); 'a b',$(id); 'a b'|plain|"; err != nil || string(out) != want {
		t.Fatalf("%q, %v", out, err)
	}
	if _, err := r.Run(t.Context(), command.Task{Payload: []byte{'a', 0}}); err == nil || !strings.Contains(err.Error(), "NUL") {
		t.Fatalf("a NUL byte in an argument: %v", err)
	}
}

func TestRun_TellsTheTaskInTheEnvironmentAndKeepsTheKeyOut(t *testing.T) {
	t.Parallel()
	r := sh(t, command.Config{Env: []string{"PATH=/usr/bin:/bin", "REEVE_AUTHKEY=hush", "REEVE_AUTHKEY_FILE=/hush", "REEVE_CONNECT=h:1"}}, "env")
	out, err := r.Run(t.Context(), command.Task{ID: "00000000000000a1", Queue: "jobs", Attempt: 3, Type: "resize", Key: "host=a b", Priority: -7, Blobs: []string{"ab-1", "cd-2"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"REEVE_TASK_ID=00000000000000a1\n", "REEVE_QUEUE=jobs\n", "REEVE_ATTEMPT=3\n",
		"REEVE_TYPE=resize\n", "REEVE_KEY=host=a b\n", "REEVE_PRIORITY=-7\n", "REEVE_BLOBS=ab-1 cd-2\n", "REEVE_CONNECT=h:1\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
	if strings.Contains(string(out), "hush") {
		t.Errorf("the key is in the environment: %q", out)
	}
}

func TestRun_AFailureHasTheEndOfTheStandardError(t *testing.T) {
	t.Parallel()
	_, err := sh(t, command.Config{}, `i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i+1)); done; echo seen; exit 3`).Run(t.Context(), command.Task{})
	exit, ok := errors.AsType[*command.ExitError](err)
	if !ok || exit.State != "exit status 3" || exit.Code != 3 || string(exit.Stdout) != "seen\n" || !strings.HasSuffix(exit.Stderr, "line 1998\nline 1999") || !strings.HasPrefix(exit.Stderr, "...") || len(exit.Stderr) > 4<<10+3 {
		t.Fatalf("%v", err)
	}
	if _, err := sh(t, command.Config{}, `kill -9 $$`).Run(t.Context(), command.Task{}); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("%v", err)
	}
}

// It is not parallel: what others allocate would count.
func TestRun_OutputOverTheLimitEndsTheCommandAndIsNotHeld(t *testing.T) {
	r := sh(t, command.Config{MaxOutput: 1 << 20}, "exec yes")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, err := r.Run(t.Context(), command.Task{})
	runtime.ReadMemStats(&after)
	if over, ok := errors.AsType[*command.OutputError](err); !ok || out != nil || over.Error() != "output over the limit of 1048576 bytes (-max-output)" {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("%d bytes allocated", grown)
	}
	exact := sh(t, command.Config{MaxOutput: 5}, "printf 12345")
	if out, err := exact.Run(t.Context(), command.Task{}); err != nil || string(out) != "12345" {
		t.Errorf("exactly the limit: %q, %v", out, err)
	}
}

func TestRun_TheEndOfTheContextEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"ends when asked":     `sleep 600 & echo $! >&2; wait`,
		"ignores the request": `trap "" TERM; sleep 600 & echo $! >&2; wait; wait`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost := errors.New("lease lost")
			ctx, cancel := context.WithCancelCause(t.Context())
			fifo := t.TempDir() + "/pid"
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			script := strings.Replace(script, ">&2", ">"+fifo, 1)
			r := sh(t, command.Config{KillAfter: 100 * time.Millisecond}, script)
			done := make(chan error, 1)
			go func() { _, err := r.Run(ctx, command.Task{}); done <- err }()
			pid := readPid(t, fifo)
			cancel(lost)
			if err := <-done; !errors.Is(err, lost) {
				t.Fatalf("%v", err)
			}
			gone(t, pid)
		})
	}
}

func TestRun_EndsWhatTheCommandLeavesBehind(t *testing.T) {
	t.Parallel()
	out, err := sh(t, command.Config{}, `sleep 600 >/dev/null 2>&1 </dev/null & echo $!`).Run(t.Context(), command.Task{})
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	gone(t, pid)
}

func TestRun_AProcessThatHoldsTheOutputDoesNotHoldTheTask(t *testing.T) {
	t.Parallel()
	out, err := sh(t, command.Config{KillAfter: time.Millisecond}, `sleep 600 & echo done`).Run(t.Context(), command.Task{})
	if err != nil || string(out) != "done\n" {
		t.Fatalf("%q, %v", out, err)
	}
}

func TestRun_ACommandThatDoesNotReadIsNoError(t *testing.T) {
	t.Parallel()
	out, err := sh(t, command.Config{}, "echo ok").Run(t.Context(), command.Task{Payload: make([]byte, 1<<20)})
	if err != nil || string(out) != "ok\n" {
		t.Fatalf("%q, %v", out, err)
	}
}

func TestKill_EndsWhatRunsAndLetsNothingStart(t *testing.T) {
	t.Parallel()
	fifo := t.TempDir() + "/pid"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r := sh(t, command.Config{KillAfter: time.Hour}, `trap "" TERM; sleep 600 & echo $! >`+fifo+`; wait`)
	done := make(chan error, 1)
	go func() { _, err := r.Run(context.WithoutCancel(t.Context()), command.Task{}); done <- err }()
	pid := readPid(t, fifo)
	r.Kill()
	if err := <-done; err == nil {
		t.Fatal("a killed command gave a result")
	}
	gone(t, pid)
	if _, err := r.Run(t.Context(), command.Task{}); !errors.Is(err, command.ErrKilled) {
		t.Fatalf("%v", err)
	}
}

func TestNew_RefusesAProgramThatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := command.New(command.Config{Args: []string{"no-such-program-here"}}); !errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v", err)
	}
	for _, cfg := range []command.Config{{}, {Args: []string{""}}, {Args: []string{"sh"}, MaxOutput: -1}} {
		if _, err := command.New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

// gone waits until there is no process pid.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if running(pid) {
			if time.Now().After(end) {
				t.Fatalf("process %d still runs", pid)
			}
			continue
		}
		return
	}
}
