package transport

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/session/memnet"
)

func FuzzHello(f *testing.F) {
	f.Add(appendHello(nil, DefaultMaxMessage))
	f.Add([]byte("reeve-m1\xff\xff\xff\xff"))
	f.Add([]byte("reeve-m2\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		max, err := parseHello(b)
		if err != nil {
			if !errors.Is(err, reeve.ErrProtocol) {
				t.Errorf("%v", err)
			}
			return
		}
		if !bytes.Equal(appendHello(nil, max), b) {
			t.Errorf("%x is %d", b, max)
		}
	})
}

// FuzzReceive feeds a Conn with what an authenticated peer may send. Messages
// must be those that a plain reading of the bytes gives, and no more memory may
// be taken than has come, within reason.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 'h', 'i', 0xff, 0xff, 0xff, 0xff}, uint8(0))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1}, uint8(1))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 1}, uint8(9))
	f.Add([]byte{0, 0, 3, 0xe8, 1, 2, 3}, uint8(200))
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		if len(b) > 32<<10 {
			return
		}
		near, far := memnet.Pipe()
		defer near.Close()
		const max = 1000
		c := newConn(near, &Config{Codec: codec.CBOR, MaxMessage: max}, max, nil)
		done := make(chan struct{})
		go func() { // in two writes
			defer close(done)
			n := min(int(cut), len(b))
			_, _ = far.Write(b[:n])
			_, _ = far.Write(b[n:])
			far.Close()
		}()
		defer func() { <-done }()
		for rest := b; ; {
			got, err := c.RecvBytes(context.Background(), 0)
			if len(rest) < lengthSize {
				if !errors.Is(err, reeve.ErrDisconnected) {
					t.Fatalf("%v at the end", err)
				}
				return
			}
			n := binary.BigEndian.Uint32(rest)
			rest = rest[lengthSize:]
			switch {
			case n == 0xffffffff:
				if err != io.EOF {
					t.Fatalf("%v after a goodbye", err)
				}
				return
			case n > max:
				if !errors.Is(err, reeve.ErrProtocol) {
					t.Fatalf("%v for %d bytes", err, n)
				}
				return
			case int(n) > len(rest):
				if !errors.Is(err, reeve.ErrDisconnected) {
					t.Fatalf("%v for a part of a message", err)
				}
				return
			case err != nil || !bytes.Equal(got, rest[:n]):
				t.Fatalf("%x, %v, want %x", got, err, rest[:n])
			}
			rest = rest[n:]
		}
	})
}

func TestReceive_TakesNoMemoryForWhatHasNotCome(t *testing.T) {
	near, far := memnet.Pipe()
	defer near.Close()
	c := newConn(near, &Config{Codec: codec.CBOR, MaxMessage: maxLength}, 1, nil)
	if _, err := far.Write([]byte{0x7f, 0xff, 0xff, 0xff, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	far.Close()
	if _, err := c.RecvBytes(t.Context(), 0); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if got := cap(c.in.body); got > 2*growth {
		t.Errorf("%d bytes were taken for 3", got)
	}
}
