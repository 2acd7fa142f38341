package record

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/reeveq/reeve"
)

// cursor reads the fields of a record. After the first that is not there
// everything reads as zero; the error is that of end.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) fail() { c.rest, c.bad = nil, true }

// end is the error of what was read. What is left was added by a later version.
func (c *cursor) end(kind Kind, body []byte) error {
	if c.bad {
		return fmt.Errorf("%w: the %d bytes are no %v", ErrMalformed, len(body), kind)
	}
	return nil
}

// take is the next n bytes; nil: they are not there.
func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail()
		return nil
	}
	v := c.rest[:n:n]
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) byte() byte {
	if len(c.rest) == 0 {
		c.fail()
		return 0
	}
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v
}

func (c *cursor) uint16() uint16 {
	if len(c.rest) < 2 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint16(c.rest)
	c.rest = c.rest[2:]
	return v
}

func (c *cursor) uint64() uint64 {
	if len(c.rest) < 8 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(c.rest)
	c.rest = c.rest[8:]
	return v
}

func (c *cursor) uvarint() uint64 {
	if len(c.rest) > 0 && c.rest[0] < 0x80 {
		v := c.rest[0]
		c.rest = c.rest[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) uint32() uint32 {
	v := c.uvarint()
	if v > math.MaxUint32 {
		c.fail()
		return 0
	}
	return uint32(v)
}

func (c *cursor) int32() int32 {
	v := c.varint()
	if v != int64(int32(v)) {
		c.fail()
		return 0
	}
	return int32(v)
}

func (c *cursor) id() reeve.ID { return reeve.ID(c.uint64()) }

func (c *cursor) float() float64 { return math.Float64frombits(c.uint64()) }

// nanos is a time, if it is there.
func (c *cursor) nanos(there bool) int64 {
	if !there {
		return 0
	}
	return int64(c.uint64())
}

func (c *cursor) time(there bool) time.Time {
	if !there {
		return time.Time{}
	}
	if v := c.nanos(true); !c.bad {
		return time.Unix(0, v)
	}
	return time.Time{}
}

// bytes aliases the record; nil if it is empty.
func (c *cursor) bytes() []byte {
	if v := c.take(c.uvarint()); len(v) > 0 {
		return v
	}
	return nil
}

// text is old if it says the same, so that equal texts of many records are one.
func (c *cursor) text(there bool, old string) string {
	if !there {
		return ""
	}
	v := c.take(c.uvarint())
	if string(v) == old {
		return old
	}
	return string(v)
}

// count is that of a list whose elements take at least size bytes each.
func (c *cursor) count(size int) int {
	n := c.uvarint()
	if n > uint64(len(c.rest)/size) {
		c.fail()
		return 0
	}
	return int(n)
}
