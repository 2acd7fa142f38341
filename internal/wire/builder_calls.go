package wire

import "encoding/binary"

// Calls and what they return have a frame each: their values are of any size, and
// those who wait for them are many.

// callSize is more than a Call without its texts and arguments.
const callSize = 96

// Call adds a call of a method.
func (b *Builder) Call(c *Call) error {
	size := callSize + len(c.Name) + len(c.Type) + len(c.Method) + len(c.Args)
	if size > b.limit() {
		return tooLarge("frame bytes", size, b.limit())
	}
	for _, s := range [...]string{c.Name, c.Type, c.Method} {
		if err := checkText("name", s, len(s)); err != nil {
			return err
		}
	}
	b.beginAlone(TypeCall, size)
	head, pairs := len(b.buf), byte(1)
	b.buf = appendUint(append(b.buf, majorMap<<5, 1), c.Req)
	number := func(key byte, v uint64) {
		if v != 0 {
			b.buf = appendUint(append(b.buf, key), v)
			pairs++
		}
	}
	text := func(key byte, s string) {
		if s != "" {
			b.buf = appendText(append(b.buf, key), s)
			pairs++
		}
	}
	number(2, c.Low)
	text(3, c.Name)
	number(4, c.ID)
	number(5, c.Life)
	text(6, c.Type)
	text(7, c.Method)
	if len(c.Args) > 0 {
		b.buf = appendBytes(append(b.buf, 8), c.Args)
		pairs++
	}
	number(9, c.Flags)
	if c.Timeout != 0 {
		b.buf = appendInt(append(b.buf, 10), int64(c.Timeout))
		pairs++
	}
	b.buf[head] |= pairs
	b.endAlone()
	return nil
}

// returnSize is more than a Return without its value.
const returnSize = 32

// Return adds what the method returned that the request req called: one CBOR item,
// or nothing.
func (b *Builder) Return(req uint64, value []byte) error {
	size := returnSize + len(value)
	if size > b.limit() {
		return tooLarge("frame bytes", size, b.limit())
	}
	b.beginAlone(TypeReturn, size)
	pairs := byte(1)
	if len(value) > 0 {
		pairs++
	}
	b.buf = appendUint(append(b.buf, majorMap<<5|pairs, 1), req)
	if len(value) > 0 {
		b.buf = appendBytes(append(b.buf, 2), value)
	}
	b.endAlone()
	return nil
}

// beginAlone begins a frame that takes no other item, up to its map, in a buffer
// with room for size bytes.
func (b *Builder) beginAlone(t Type, size int) {
	b.close()
	b.grow(size)
	b.start = len(b.buf)
	b.buf = appendUint(append(b.buf, 0, 0, 0, 0), uint64(t))
}

// endAlone completes the frame.
func (b *Builder) endAlone() {
	n := len(b.buf) - b.start - HeaderLen
	binary.BigEndian.PutUint32(b.buf[b.start:], uint32(n))
	b.large = b.large || n > MaxSmallFrame
}
