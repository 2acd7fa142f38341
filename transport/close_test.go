package transport_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/transport"
)

func TestClose_EndsTheCallsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		defer b.Close()
		errs := make(chan error, 4)
		go func() { _, err := a.RecvBytes(context.Background(), 0); errs <- err }()
		go func() { _, err := a.RecvBytes(context.Background(), 0); errs <- err }()
		go func() { errs <- a.SendBytes(context.Background(), make([]byte, 1<<20)) }()
		go func() { errs <- a.SendBytes(context.Background(), make([]byte, 1<<20)) }()
		synctest.Wait()
		a.Close()
		a.Close()
		for range cap(errs) {
			if err := <-errs; !errors.Is(err, reeve.ErrClosed) {
				t.Errorf("%v", err)
			}
		}
		if err := a.Poll(t.Context()); err != nil {
			t.Errorf("a closed connection does not wait: %v", err)
		}
	})
}

func TestClose_WaitsASecondForAPeerThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		defer b.Close()
		if err := a.SendBytes(t.Context(), make([]byte, 64<<10-4)); err != nil { // no room is left
			t.Fatal(err)
		}
		since := time.Now()
		a.Close()
		if took := time.Since(since); took != time.Second {
			t.Errorf("%v", took)
		}
	})
}

func TestLost_IsToldApartFromClosed(t *testing.T) {
	t.Parallel()
	var mem transport.Memory
	ln, err := mem.Listen("x")
	if err != nil {
		t.Fatal(err)
	}
	cfg := transport.Config{Key: newKey(t), Dialer: mem.Dial}
	l, err := transport.NewListener(ln, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near := dial(t, l, cfg)
	far := accept(t, l)
	stream, err := far.Stream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stream.Close() // as the end of its process: no goodbye
	var lost *transport.LostError
	if _, err := near.RecvBytes(t.Context(), 0); !errors.As(err, &lost) || !errors.Is(err, reeve.ErrDisconnected) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	if err := near.Poll(t.Context()); err != nil {
		t.Errorf("Poll: %v", err)
	}
}

func TestStream_IsTheConnectionWithoutMessages(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		near, far := joined(t, addr, cfg)
		send(t, near, "now as a stream")
		if _, err := far.RecvBytes(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		a, err := near.Stream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := far.Stream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write([]byte("bytes")); err != nil {
			t.Fatal(err)
		}
		near.Close()
		if got, err := io.ReadAll(b); string(got) != "bytes" || err != nil {
			t.Errorf("%q, %v: nothing else may be in it", got, err)
		}
		if err := far.SendBytes(t.Context(), nil); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("a message in a stream: %v", err)
		}
	})
}

func TestStream_NotWhileAMessageWaits(t *testing.T) {
	t.Parallel()
	a, b := pipe(t)
	send(t, a, "message")
	if err := b.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Stream(t.Context()); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	receives(t, b, "message")
	if _, err := b.Stream(t.Context()); err != nil {
		t.Error(err)
	}
}
