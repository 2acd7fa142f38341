package memnet_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve/internal/session/memnet"
)

// cabled returns a cable with its first connection, and what accepts its connections.
func cabled(t *testing.T) (cable *memnet.Cable, near net.Conn, accept func() net.Conn) {
	t.Helper()
	l := memnet.Listen()
	t.Cleanup(func() { l.Close() })
	cable = memnet.NewCable(func(ctx context.Context, _ string) (net.Conn, error) { return l.Dial(ctx) })
	near, err := cable.Dial(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return cable, near, func() net.Conn {
		t.Helper()
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return far
	}
}

func TestCable_KnowsItsConnections(t *testing.T) {
	cable, first, _ := cabled(t)
	if cable.Last() != first || cable.Made() != 1 {
		t.Errorf("after the first: %v, %d made", cable.Last(), cable.Made())
	}
	second, err := cable.Dial(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if cable.Last() != second || cable.Made() != 2 {
		t.Errorf("after the second: %v, %d made", cable.Last(), cable.Made())
	}
}

func TestCable_KilledIsResetAndMakesNoOther(t *testing.T) {
	cable, near, _ := cabled(t)
	cable.Kill()
	if _, err := read(near, 1); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v", err)
	}
	if _, err := cable.Dial(t.Context(), ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v", err)
	}
}

func TestCable_RefusedKeepsTheConnectionThereIs(t *testing.T) {
	cable, near, accept := cabled(t)
	cable.Refuse()
	write(t, near, "x")
	if got, err := read(accept(), 1); got != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := cable.Dial(t.Context(), ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v", err)
	}
}

func TestCable_BlackHoleLetsBytesAndDialsWaitUntilHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cable, near, accept := cabled(t)
		far := accept()
		cable.BlackHole()
		cable.BlackHole() // changes nothing
		write(t, near, "x")
		done := make(chan string, 2)
		go func() {
			got, err := read(far, 1)
			if err != nil {
				t.Error(err)
			}
			done <- got
		}()
		go func() {
			if _, err := cable.Dial(t.Context(), ""); err != nil {
				t.Error(err)
			}
			done <- "dialled"
		}()
		given, giveUp := context.WithCancel(t.Context())
		giveUp()
		if _, err := cable.Dial(given, ""); !errors.Is(err, context.Canceled) {
			t.Errorf("a dial given up: %v", err)
		}
		synctest.Wait()
		if n := len(done); n != 0 || cable.Made() != 1 {
			t.Errorf("in the dark: %d ended, %d made", n, cable.Made())
		}
		cable.Heal()
		synctest.Wait()
		if a, b := <-done, <-done; a+b != "xdialled" && a+b != "dialledx" {
			t.Errorf("after it: %q, %q", a, b)
		}
	})
}
