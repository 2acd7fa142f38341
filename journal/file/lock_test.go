package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/reeveq/reeve/journal"
)

// holdVariable has this program open the journal it names, say so, and keep it
// until its input ends.
const holdVariable = "REEVE_TEST_HOLD_JOURNAL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		if err := hold(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func hold(dir string) error {
	j, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, j.Close())
}

func TestOpen_RefusesWhatAnotherProcessHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holdVariable+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}

	_, err = Open(dir, Options{})
	var locked *journal.LockedError
	if !errors.As(err, &locked) || locked.PID != cmd.Process.Pid || locked.Name != dir {
		t.Errorf("opened beside process %d: %v", cmd.Process.Pid, err)
	}
	if _, err := Salvage(dir, t.TempDir()); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("salvaged beside a process: %v", err)
	}
	if info, err := Stat(dir); err != nil || !info.Held || info.PID != cmd.Process.Pid {
		t.Errorf("%+v, %v: want held by %d", info, err, cmd.Process.Pid)
	}

	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if info, err := Stat(dir); err != nil || info.Held || !info.Clean {
		t.Errorf("%+v, %v: want closed and free", info, err)
	}
	openDir(t, dir, Options{})
}

func TestOpen_RefusesWhatThisProcessHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openDir(t, dir, Options{})
	_, err := Open(dir, Options{})
	var locked *journal.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("opened twice: %v", err)
	}
	if !strings.Contains(err.Error(), dir) {
		t.Errorf("%q does not name %s", err, dir)
	}
	closed(t, j)
	openDir(t, dir, Options{})
}
