package program_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/program"
)

func TestWatch_ASignalOfAnotherKindIsTheSecondAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	signals := make(chan os.Signal, 2)
	signals <- syscall.SIGTERM
	signals <- os.Interrupt
	if !program.Watch(signals, nil, func(error) {}, cancel) || ctx.Err() == nil {
		t.Fatal("the second signal does not end the program at once")
	}
}

func TestWatch_AnEchoOfTheFirstSignalIsNotTheSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		graceful, cancelGraceful := context.WithCancelCause(t.Context())
		now, cancelNow := context.WithCancelCause(t.Context())
		signals, done := make(chan os.Signal, 1), make(chan bool, 1)
		go func() { done <- program.Watch(signals, nil, cancelGraceful, cancelNow) }()
		signals <- syscall.SIGTERM
		synctest.Wait()
		if graceful.Err() == nil || now.Err() != nil {
			t.Fatal("the first signal does not ask for an orderly end")
		}
		time.Sleep(20 * time.Millisecond)
		signals <- syscall.SIGTERM // timeout(1) signals the process, then its group
		synctest.Wait()
		if now.Err() != nil {
			t.Fatal("one signal that came twice ended the program at once")
		}
		time.Sleep(100 * time.Millisecond)
		signals <- os.Interrupt
		if !<-done || now.Err() == nil {
			t.Fatal("the second signal does not end the program at once")
		}
	})
}
