package program_test

import (
	"context"
	"os"
	"sync/atomic"
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

// exits has the codes sent with which the process would have exited. The test
// must not be parallel.
func exits(t *testing.T) <-chan int {
	codes := make(chan int, 2)
	program.OnExit(t, func(code int) { codes <- code })
	return codes
}

func TestFollow_AProgramThatBlocksAfterTheSecondSignalExitsWithItsCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := exits(t)
		signals := make(chan os.Signal, 2)
		var unwatched atomic.Int32
		stop, release := program.Follow(t.Context(), signals, func() { unwatched.Add(1) })
		signals <- syscall.SIGTERM
		time.Sleep(time.Hour)
		if stop.Graceful.Err() == nil || stop.Now.Err() != nil || len(codes) != 0 {
			t.Fatal("the first signal does more than ask for an orderly end")
		}
		signals <- os.Interrupt
		time.Sleep(3*time.Second - 1)
		if len(codes) != 0 || stop.Interrupted() == nil || unwatched.Load() != 1 {
			t.Fatalf("%d exits, interrupted: %v, unwatched %d times; want only that within 3s", len(codes), stop.Interrupted(), unwatched.Load())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		select {
		case code := <-codes:
			if code != 130 { // the second signal's, as Interrupted has it
				t.Errorf("exited with %d", code)
			}
		default:
			t.Error("goes on 3s after the second signal")
		}
		release()
	})
}

func TestFollow_AProgramThatIsReleasedInTimeDoesNotExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := exits(t)
		signals := make(chan os.Signal, 2)
		stop, release := program.Follow(t.Context(), signals, func() {})
		signals <- syscall.SIGTERM
		signals <- os.Interrupt
		time.Sleep(2 * time.Second)
		if stop.Now.Err() == nil {
			t.Fatal("the second signal was not heard")
		}
		release()
		time.Sleep(time.Minute)
		if len(codes) != 0 {
			t.Errorf("exited with %d after the release", <-codes)
		}
	})
}
