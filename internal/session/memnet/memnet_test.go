package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/session/memnet"
)

// dialled returns the two ends of a connection of a network.
func dialled(t *testing.T, l *memnet.Listener) (near, far *memnet.Conn) {
	t.Helper()
	c, err := l.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*memnet.Conn), a.(*memnet.Conn)
}

func read(c net.Conn, n int) (string, error) {
	p := make([]byte, n)
	n, err := io.ReadFull(c, p)
	return string(p[:n]), err
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

func TestConn_CloseLetsTheOtherEndReadTheRest(t *testing.T) {
	near, far := memnet.Pipe()
	write(t, near, "rest")
	near.Close()
	if got, err := io.ReadAll(far); err != nil || string(got) != "rest" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to a closed end: %v", err)
	}
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if err := near.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
}

func TestConn_CloseEndsTheCallsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		defer far.Close()
		ended := make(chan error, 2)
		go func() { _, err := near.Read(make([]byte, 1)); ended <- err }()
		go func() { _, err := near.Write(make([]byte, 1<<20)); ended <- err }()
		synctest.Wait()
		near.Close()
		for range 2 {
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("call ended with %v", err)
			}
		}
	})
}

func TestConn_WritesWaitForAReaderOnceTheBufferIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		sent := bytes.Repeat([]byte("0123456789"), 50<<10)
		done := make(chan error, 1)
		go func() {
			_, err := near.Write(sent)
			near.Close()
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("write did not wait: %v", err)
		default:
		}
		if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestConn_DeadlinesEndCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		defer far.Close()
		defer near.Close()
		begin := time.Now()
		near.SetDeadline(begin.Add(time.Second))
		_, err := near.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || !err.(net.Error).Timeout() {
			t.Errorf("read: %v", err)
		}
		if _, err := near.Write(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		if d := time.Since(begin); d != time.Second {
			t.Errorf("it took %v", d)
		}
		near.SetDeadline(time.Time{})
		write(t, far, "x")
		if got, err := read(near, 1); got != "x" || err != nil {
			t.Errorf("%q, %v: the deadline was taken back", got, err)
		}
	})
}

func TestReset_BreaksBothEndsAtOnce(t *testing.T) {
	near, far := memnet.Pipe()
	write(t, near, "lost")
	near.Reset()
	for _, c := range []net.Conn{near, far} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v", err)
		}
		if _, err := c.Write(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v", err)
		}
	}
}

func TestCutAfter_DeliversThatManyBytes(t *testing.T) {
	for n := range 6 {
		near, far := memnet.Pipe()
		near.CutAfter(n)
		sent, err := near.Write([]byte("12345"))
		if n < 5 && (sent != n || !errors.Is(err, syscall.ECONNRESET)) {
			t.Errorf("cut after %d: wrote %d, %v", n, sent, err)
		}
		if n == 5 && (sent != 5 || !errors.Is(err, syscall.ECONNRESET)) {
			t.Errorf("cut after all: wrote %d, %v", sent, err)
		}
		got, err := io.ReadAll(far)
		if string(got) != "12345"[:n] || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("cut after %d: read %q, %v", n, got, err)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("cut after %d: the other direction: %v", n, err)
		}
	}
}

func TestBlackHole_GivesNoSignUntilItHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		write(t, near, "on the way")
		near.BlackHole()
		write(t, near, ", more") // into the buffer
		far.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		near.Close()
		write(t, far, "x") // does not know yet
		far.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read after the other end's close: %v", err)
		}
		far.SetReadDeadline(time.Time{})
		near.Heal()
		if got, err := io.ReadAll(far); string(got) != "on the way, more" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		far.Close()
	})
}

func TestStallAfter_DeliversThatManyBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		near.StallAfter(3)
		write(t, near, "12345")
		far.SetReadDeadline(time.Now().Add(time.Hour))
		if got, err := read(far, 5); got != "123" || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q, %v", got, err)
		}
		write(t, far, "back")
		if got, err := read(near, 4); got != "back" || err != nil {
			t.Errorf("the other direction: %q, %v", got, err)
		}
	})
}

func TestNetwork_AddressIsRefusedUntilListenedOnAndAfter(t *testing.T) {
	var n memnet.Network
	dial := func() error {
		c, err := n.DialContext(t.Context(), "tcp", "master:5000")
		if err == nil {
			c.Close()
		}
		return err
	}
	for range 2 {
		if err := dial(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial before: %v", err)
		}
		l, err := n.Listen("master:5000")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Listen("master:5000"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("second listener: %v", err)
		}
		if err := dial(); err != nil {
			t.Fatalf("dial: %v", err)
		}
		l.Close()
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v", err)
		}
	}
	first, _ := n.Listen("a:0")
	second, _ := n.Listen("a:0")
	if first.Addr().String() == second.Addr().String() {
		t.Errorf("two listeners at %v", first.Addr())
	}
}

func TestListener_CloseResetsWhatNobodyAccepted(t *testing.T) {
	l := memnet.Listen()
	near, _ := dialled(t, l)
	c, err := l.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v", err)
	}
	write(t, near, "an accepted one goes on")
}

func TestNetwork_BlackHoleHoldsUpConnectionsAndDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		near, far := dialled(t, l)
		l.Network().BlackHole()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := l.Dial(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v", err)
		}
		write(t, near, "x")
		l.Network().Heal()
		if got, err := read(far, 1); got != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if c := l.Network().Conns(); len(c) != 1 || c[0] != near || near.Peer() != far {
			t.Errorf("connections: %v", c)
		}
		near.Close()
		if c := l.Network().Conns(); len(c) != 0 {
			t.Errorf("connections after close: %v", c)
		}
	})
}
