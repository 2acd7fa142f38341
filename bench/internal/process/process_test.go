package process

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestTree_CountsWhatAProcessHasStarted(t *testing.T) {
	alone, err := Tree(os.Getpid())
	if errors.Is(err, ErrUnknown) {
		return // as it says
	}
	if err != nil || alone.RSS <= 0 || alone.Peak < alone.RSS {
		t.Fatalf("%+v, %v", alone, err)
	}
	child := exec.Command("sh", "-c", "cat; :") // a shell, which starts a program
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer in.Close()
	of, err := Tree(child.Process.Pid)
	if err != nil || of.RSS <= 0 {
		t.Fatalf("%+v, %v", of, err)
	}
	both, err := Tree(os.Getpid())
	if err != nil || both.RSS < alone.RSS/2+of.RSS {
		t.Errorf("with a child of %d bytes and its own: %d, alone %d (%v)", of.RSS, both.RSS, alone.RSS, err)
	}
}

func TestTree_CountsTime(t *testing.T) {
	if _, err := Tree(os.Getpid()); err != nil {
		return
	}
	before, _ := Tree(os.Getpid())
	for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
	}
	after, err := Tree(os.Getpid())
	if d := after.CPU - before.CPU; err != nil || d <= 0 || d > time.Minute {
		t.Errorf("100 ms of work took %v (%v)", d, err)
	}
}

func TestTree_SaysThatThereIsNoSuchProcess(t *testing.T) {
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	if u, err := Tree(child.Process.Pid); err == nil {
		t.Errorf("a process that has ended: %+v", u)
	}
}
