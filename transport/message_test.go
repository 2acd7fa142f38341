package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/transport"
)

func TestConn_CarriesValuesBothWays(t *testing.T) {
	type order struct {
		Item string
		N    int
	}
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		near, far := joined(t, addr, cfg)
		for _, ends := range [][2]*transport.Conn{{near, far}, {far, near}} {
			want := order{"apple", 3}
			if err := ends[0].Send(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			var got order
			if err := ends[1].Recv(t.Context(), &got); err != nil || got != want {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if near.Peer().KeyID != "test" || far.Peer().KeyID != "test" || near.RemoteAddr().String() != far.LocalAddr().String() {
			t.Errorf("%+v %+v %v %v", near.Peer(), far.Peer(), near.RemoteAddr(), far.LocalAddr())
		}
	})
}

func TestConn_MessagesOfEverySizeArriveWholeAndInOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		near, far := joined(t, addr, cfg)
		sizes := []int{0, 1, 3, 4, 16<<10 - 5, 16<<10 - 4, 16<<10 - 3, 64 << 10, 1<<20 + 1, 0, 2}
		sent := make(chan error, 1)
		go func() {
			for i, n := range sizes {
				if err := near.SendBytes(t.Context(), bytes.Repeat([]byte{byte(i)}, n)); err != nil {
					sent <- err
					return
				}
			}
			sent <- near.Close()
		}()
		for i, n := range sizes {
			got, err := far.RecvBytes(t.Context(), 0)
			if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, n)) {
				t.Fatalf("message %d: %d bytes of %d, %v", i, len(got), n, err)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		for range 2 { // and stays so
			if _, err := far.RecvBytes(t.Context(), 0); err != io.EOF {
				t.Errorf("after Close: %v", err)
			}
		}
	})
}

func TestConn_SendersAtOnceDoNotMixTheirMessages(t *testing.T) {
	t.Parallel()
	a, b := pipe(t)
	const senders, each = 8, 50
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for range each {
				if err := a.SendBytes(t.Context(), bytes.Repeat([]byte{byte(i)}, 1000*i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	counts := map[byte]int{}
	for range senders * each {
		m, err := b.RecvBytes(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		kind := byte(0)
		if len(m) > 0 {
			kind = m[0]
		}
		if !bytes.Equal(m, bytes.Repeat([]byte{kind}, 1000*int(kind))) {
			t.Fatalf("a message of %d bytes that begins with %d", len(m), kind)
		}
		counts[kind]++
	}
	all.Wait()
	for i := range senders {
		if counts[byte(i)] != each {
			t.Errorf("%d messages of sender %d", counts[byte(i)], i)
		}
	}
}

func TestSend_WhatTheOtherEndDoesNotTakeIsRefusedHere(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		small := cfg
		small.MaxMessage = 10
		l := listen(t, addr, small)
		near := dial(t, l, cfg)
		far := accept(t, l)
		err := near.SendBytes(t.Context(), make([]byte, 11))
		var limit *reeve.LimitError
		if !errors.As(err, &limit) || !errors.Is(err, reeve.ErrTooLarge) || limit.Value != 11 || limit.Max != 10 {
			t.Errorf("%v", err)
		}
		send(t, near, "0123456789") // no harm was done
		receives(t, far, "0123456789")
		send(t, far, "more than ten bytes") // the other way has a limit of its own
		receives(t, near, "more than ten bytes")
	})
}

func TestRecvBytes_AMessageThatIsTooLongStays(t *testing.T) {
	t.Parallel()
	a, b := pipe(t)
	send(t, a, "12345")
	send(t, a, "next")
	var limit *reeve.LimitError
	if _, err := b.RecvBytes(t.Context(), 4); !errors.As(err, &limit) || !errors.Is(err, reeve.ErrTooLarge) || limit.Value != 5 || limit.Max != 4 {
		t.Fatalf("%v", err)
	}
	if _, err := b.RecvInto(t.Context(), make([]byte, 4)); !errors.Is(err, reeve.ErrTooLarge) {
		t.Fatalf("%v", err)
	}
	if _, err := b.RecvBytes(t.Context(), -1); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if m, err := b.RecvBytes(t.Context(), 5); err != nil || string(m) != "12345" {
		t.Errorf("%q, %v", m, err)
	}
	buf := make([]byte, 10)
	if n, err := b.RecvInto(t.Context(), buf); err != nil || string(buf[:n]) != "next" {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

func TestSend_AValueThatCannotBeSentHarmsNothing(t *testing.T) {
	t.Parallel()
	a, b := pipe(t)
	if err := a.Send(t.Context(), func() {}); !errors.Is(err, reeve.ErrUnserializable) {
		t.Errorf("%v", err)
	}
	if err := a.Send(t.Context(), "text"); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := b.Recv(t.Context(), &n); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("%v", err)
	}
	send(t, a, "next")
	receives(t, b, "next")
}

func TestConfig_TheCodecIsTheUsers(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		cfg.Codec = codec.JSON
		near, far := joined(t, addr, cfg)
		if err := near.Send(t.Context(), []int{1, 2}); err != nil {
			t.Fatal(err)
		}
		receives(t, far, "[1,2]")
	})
}

// TestRecv_WhatWasGivenUpIsTakenLater gives up in the middle of a message.
func TestRecv_WhatWasGivenUpIsTakenLater(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		near, far := joined(t, addr, cfg)
		want := strings.Repeat("x", 8<<20)
		sent := make(chan error, 1)
		go func() { sent <- near.SendBytes(context.Background(), []byte(want)) }()
		if err := far.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := far.RecvBytes(ended(t), 0); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		for given := 0; given < 3; { // some of these end within the message
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			m, err := far.RecvBytes(ctx, 0)
			if err == nil {
				if string(m) != want {
					t.Errorf("%d bytes", len(m))
				}
				want = ""
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			given++
		}
		if want != "" {
			buf := make([]byte, len(want))
			if n, err := far.RecvInto(t.Context(), buf); err != nil || string(buf[:n]) != want {
				t.Errorf("%d bytes, %v", n, err)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		send(t, near, "next")
		receives(t, far, "next")
	})
}

func TestRecv_EndsWithItsContext(t *testing.T) {
	everywhere(t, func(t *testing.T, addr string, cfg transport.Config) {
		near, far := joined(t, addr, cfg)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		got := make(chan error, 1)
		go func() { _, err := far.RecvBytes(ctx, 0); got <- err }()
		cancel(why)
		if err := <-got; err != why {
			t.Errorf("%v", err)
		}
		send(t, near, "later")
		receives(t, far, "later")
	})
}

func TestSend_GivenUpBeforeItBeganHarmsNothing(t *testing.T) {
	t.Parallel()
	a, b := pipe(t)
	if err := a.SendBytes(ended(t), []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	send(t, a, "next")
	receives(t, b, "next")
}

func TestSend_GivenUpHalfwayEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		defer b.Close()
		defer a.Close()
		ctx, cancel := context.WithCancel(t.Context())
		sent := make(chan error, 1)
		go func() { sent <- a.SendBytes(ctx, make([]byte, 1<<20)) }()
		synctest.Wait() // the other end takes nothing
		cancel()
		if err := <-sent; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if err := a.SendBytes(t.Context(), nil); !errors.Is(err, reeve.ErrDisconnected) {
			t.Errorf("after it: %v", err)
		}
		if _, err := b.RecvBytes(t.Context(), 0); !errors.Is(err, reeve.ErrDisconnected) {
			t.Errorf("the other end: %v", err)
		}
	})
}
