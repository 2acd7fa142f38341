package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// incoming is the message that is being received. What a call that was given up
// has read of it stays here for the next one.
type incoming struct {
	length [lengthSize]byte
	have   int    // bytes of length
	body   []byte // as far as it has come
	err    error  // why nothing more can be received
}

// growth is how much memory is taken at first for a message, whatever length it
// claims; twice as much as has come is taken when that is used up.
const growth = 64 << 10

// Recv waits for the next message and decodes it into v, a pointer. A message
// that cannot be decoded is received all the same, and an error that matches
// [reeve.ErrInvalid]. The others are those of RecvBytes.
func (c *Conn) Recv(ctx context.Context, v any) error {
	b, err := c.RecvBytes(ctx, 0)
	if err != nil {
		return err
	}
	if err := c.codec.Unmarshal(b, v); err != nil {
		return fmt.Errorf("transport: %w: a message of %d bytes is not readable as %s into %T: %w", reeve.ErrInvalid, len(b), c.codec.Name(), v, err)
	}
	return nil
}

// RecvBytes waits for the next message and returns it, which is the caller's. One
// of more than max bytes is a [*reeve.LimitError] of kind [reeve.ErrTooLarge] and
// stays, to be received by a call with a larger max; 0 stands for this end's
// Config.MaxMessage, beyond which nothing comes.
//
// It ends with io.EOF when the other end has closed the connection, with a
// [*LostError] ([reeve.ErrDisconnected]) when it is lost, [reeve.ErrClosed] after
// Close, [reeve.ErrProtocol] when the other end breaks the rules, or ctx's cause:
// then no message was taken, and the next call goes on where this one stopped.
func (c *Conn) RecvBytes(ctx context.Context, max int) ([]byte, error) {
	if max < 0 {
		return nil, fmt.Errorf("%w: a message of at most %d bytes", reeve.ErrInvalid, max)
	}
	if max == 0 {
		max = c.max
	}
	var b []byte
	err := c.receive(ctx, int64(max), func(n int) error {
		if err := c.fill(ctx, n); err != nil {
			return err
		}
		b, c.in.body = c.in.body, nil
		if b == nil {
			b = []byte{}
		}
		return nil
	})
	return b, err
}

// RecvInto is RecvBytes into buf, and returns the message's length. A message
// that is longer than buf stays.
func (c *Conn) RecvInto(ctx context.Context, buf []byte) (int, error) {
	var length int
	err := c.receive(ctx, int64(len(buf)), func(n int) error {
		got := copy(buf, c.in.body)
		for got < n {
			k, err := c.read(ctx, buf[got:n])
			got += k
			if err != nil {
				c.in.body = append([]byte(nil), buf[:got]...)
				return err
			}
		}
		length, c.in.body = n, nil
		return nil
	})
	return length, err
}

// Poll waits until Recv would not wait for a message to begin: there is one, or
// the connection is over. It returns nil then. When ctx ends first, even before
// the call, it returns ctx's cause if there is nothing now: a ctx that has ended
// makes it a look.
func (c *Conn) Poll(ctx context.Context) error {
	look := ctx
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		look, cancel = context.WithTimeout(context.WithoutCancel(ctx), lookTime)
		defer cancel()
	}
	if c.max == 0 {
		return errSendsOnly
	}
	if err := c.takeTurn(look, c.recvs); err != nil {
		if errors.Is(err, reeve.ErrClosed) {
			return nil
		}
		return context.Cause(ctx)
	}
	defer c.recvs.give()
	if err := c.begin(look); err != nil && c.in.err == nil && !c.isClosed() {
		return context.Cause(ctx)
	}
	return nil
}

// lookTime is enough to take what has come already.
const lookTime = time.Millisecond

var errSendsOnly = fmt.Errorf("%w: this end only sends", reeve.ErrInvalid)

// receive calls take with the length of the next message, once that is known and
// within max.
func (c *Conn) receive(ctx context.Context, max int64, take func(n int) error) error {
	if c.max == 0 {
		return errSendsOnly
	}
	if err := c.takeTurn(ctx, c.recvs); err != nil {
		return err
	}
	defer c.recvs.give()
	if err := c.begin(ctx); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(c.in.length[:]))
	if int64(n) > max {
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a message", Value: int64(n), Max: max}
	}
	if err := take(n); err != nil {
		return err
	}
	c.in.have = 0
	return nil
}

// begin waits until the length of the next message is known, and checks it.
func (c *Conn) begin(ctx context.Context) error {
	in := &c.in
	for in.have < lengthSize && in.err == nil {
		n, err := c.read(ctx, in.length[in.have:])
		in.have += n
		if err != nil {
			return err
		}
		if in.have < lengthSize {
			continue
		}
		switch n := binary.BigEndian.Uint32(in.length[:]); {
		case in.length == goodbye:
			in.err = io.EOF
		case n > uint32(c.max):
			in.err = fmt.Errorf("%w: a message of %d bytes, where %d are taken", reeve.ErrProtocol, n, c.max)
			c.stream.Close()
		}
	}
	return in.err
}

// fill waits until the body has n bytes.
func (c *Conn) fill(ctx context.Context, n int) error {
	for len(c.in.body) < n {
		have := len(c.in.body)
		if have == cap(c.in.body) {
			c.in.body = slices.Grow(c.in.body, min(n-have, max(growth, have)))
		}
		k, err := c.read(ctx, c.in.body[have:min(n, cap(c.in.body))])
		c.in.body = c.in.body[:have+k]
		if err != nil {
			return err
		}
	}
	return nil
}

// read reads some bytes. An error other than ctx's cause is kept: it is the end.
func (c *Conn) read(ctx context.Context, p []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	release := endWith(ctx, c.stream.SetReadDeadline)
	n, err := c.stream.Read(p)
	release()
	switch {
	case err == nil || n > 0:
		return n, nil // an error comes again
	case ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded):
		return 0, context.Cause(ctx)
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF // there was no goodbye
	}
	c.in.err = c.lost(err)
	return 0, c.in.err
}
