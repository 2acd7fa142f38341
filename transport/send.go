package transport

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/reeveq/reeve"
)

// A message is its length, 4 bytes big endian, and its bytes. The length that no
// message has says goodbye.
const (
	lengthSize = 4
	maxLength  = math.MaxInt32
)

var goodbye = [lengthSize]byte{0xff, 0xff, 0xff, 0xff}

// firstWrite is how much goes into the first write of a message, so that a small
// one is one TLS record.
const firstWrite = 16 << 10

// Send sends v as one message; see SendBytes. A value that the codec cannot turn
// into bytes is [reeve.ErrUnserializable].
func (c *Conn) Send(ctx context.Context, v any) error {
	b, err := c.codec.Marshal(v)
	if err != nil {
		return fmt.Errorf("transport: %T as %s: %w: %w", v, c.codec.Name(), reeve.ErrUnserializable, err)
	}
	return c.SendBytes(ctx, b)
}

// SendBytes sends b, which may be empty, as one message. It returns when the
// system has taken it, which does not say that anybody has received it; it waits
// while the other end takes nothing, until ctx ends. When ctx ends before a byte
// was sent, nothing has happened; else the connection is over, for a part of a
// message cannot be taken back.
//
// A message that is larger than the other end takes is a [*reeve.LimitError] of
// kind [reeve.ErrTooLarge], and nothing has happened either. Others: [*LostError]
// ([reeve.ErrDisconnected]), [reeve.ErrClosed], ctx's cause.
func (c *Conn) SendBytes(ctx context.Context, b []byte) error {
	switch {
	case c.theirs == 0:
		return fmt.Errorf("%w: this end only receives", reeve.ErrInvalid)
	case len(b) > c.theirs:
		return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a message", Value: int64(len(b)), Max: int64(c.theirs), Set: "Config.MaxMessage of the receiver"}
	}
	if err := c.takeTurn(ctx, c.sends); err != nil {
		return err
	}
	defer c.sends.give()
	switch {
	case c.sendErr != nil:
		return c.sendErr
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	release := endWith(ctx, c.stream.SetWriteDeadline)
	err := c.write(b)
	release()
	if err == nil {
		return nil
	}
	c.sendErr = c.lost(err)
	c.stream.Close() // the other end is not to wait for the rest
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.sendErr
}

func (c *Conn) write(b []byte) error {
	n := min(len(b), firstWrite-lengthSize)
	c.outgoing = binary.BigEndian.AppendUint32(c.outgoing[:0], uint32(len(b)))
	c.outgoing = append(c.outgoing, b[:n]...)
	_, err := c.stream.Write(c.outgoing)
	if err == nil && n < len(b) {
		_, err = c.stream.Write(b[n:])
	}
	return err
}
