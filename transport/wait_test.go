package transport_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/transport"
)

func TestPoll_WaitsForAMessageAndLeavesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		defer a.Close()
		defer b.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := b.Poll(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if err := b.Poll(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a look at nothing: %v", err)
		}
		if err := a.Send(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := b.Poll(ctx); err != nil {
				t.Errorf("a look at a message: %v", err)
			}
		}
		var n int
		if err := b.Recv(t.Context(), &n); err != nil || n != 7 {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestWait_ReturnsTheConnectionsThatHaveSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var near, far [4]*transport.Conn
		for i := range near {
			near[i], far[i] = transport.Pipe()
			defer near[i].Close()
			defer far[i].Close()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if got, err := transport.Wait(ctx, near[:]...); !errors.Is(err, context.DeadlineExceeded) || got != nil {
			t.Fatalf("%v, %v", got, err)
		}
		time.AfterFunc(time.Second, func() { _ = far[2].Send(context.Background(), 7) })
		if got, err := transport.Wait(t.Context(), near[:]...); err != nil || !slices.Equal(got, near[2:3]) {
			t.Fatalf("%v, %v", got, err)
		}
		far[0].Close()
		got, err := transport.Wait(t.Context(), near[:]...)
		if err != nil || !slices.Equal(got, []*transport.Conn{near[0], near[2]}) {
			t.Fatalf("%v, %v", got, err)
		}
		if _, err := got[0].RecvBytes(t.Context(), 0); err != io.EOF {
			t.Errorf("%v", err)
		}
		var n int
		if err := got[1].Recv(t.Context(), &n); err != nil || n != 7 {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := transport.Wait(t.Context()); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("for nothing: %v", err)
		}
	})
}

func TestWait_WorksOverRealConnections(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		l := listen(t, addr, cfg)
		var ours []*transport.Conn
		theirs := map[*transport.Conn]*transport.Conn{}
		for range 5 {
			c := dial(t, l, cfg)
			a := accept(t, l)
			ours = append(ours, a)
			theirs[a] = c
		}
		for _, a := range ours {
			send(t, theirs[a], "ready")
			got, err := transport.Wait(t.Context(), ours...)
			if err != nil || len(got) != 1 || got[0] != a {
				t.Fatalf("%v, %v", got, err)
			}
			receives(t, a, "ready")
		}
	})
}

func TestOneWay_GoesOneWay(t *testing.T) {
	t.Parallel()
	receiver, sender := transport.OneWay()
	defer receiver.Close()
	send(t, sender, "x")
	receives(t, receiver, "x")
	if err := receiver.SendBytes(t.Context(), nil); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if _, err := sender.RecvBytes(t.Context(), 0); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if err := sender.Poll(t.Context()); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if _, err := transport.Wait(t.Context(), sender); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	sender.Close()
	if _, err := receiver.RecvBytes(t.Context(), 0); err != io.EOF {
		t.Errorf("%v", err)
	}
}

func TestOneWay_TheSenderLearnsThatNobodyReceives(t *testing.T) {
	t.Parallel()
	receiver, sender := transport.OneWay()
	defer sender.Close()
	receiver.Close()
	if err := sender.SendBytes(t.Context(), nil); !errors.Is(err, syscall.EPIPE) || !errors.Is(err, reeve.ErrDisconnected) {
		t.Errorf("%v", err)
	}
}
