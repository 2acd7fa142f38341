//go:build unix

package program_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/program"
)

// Not parallel: signals are the process's.
func TestNotifyStop_TheSecondSignalIsNowAndAnEchoOfTheFirstIsNot(t *testing.T) {
	stop, release := program.NotifyStop(context.Background())
	defer release()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	send := func() {
		t.Helper()
		if err := self.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	send()
	<-stop.Graceful.Done()
	send() // at once, as timeout(1) does
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	<-tick.C // an echo must have been seen by now
	if stop.Now.Err() != nil {
		t.Fatal("one signal that came twice ended the program at once")
	}
	send()
	<-stop.Now.Done()
	if stop.Interrupted() == nil {
		t.Fatal("not told what ended it")
	}
}
