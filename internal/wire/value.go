package wire

import (
	"encoding/hex"
	"time"

	"github.com/reeveq/reeve"
)

// ClientID is the random name of one client process, the same for all its
// sessions. Whoever knows it can resume the client, so it is not for logs.
type ClientID [16]byte

// String is the beginning of the id in hexadecimal: enough to tell clients
// apart, too little to resume one.
func (id ClientID) String() string { return hex.EncodeToString(id[:4]) }

// MarshalCBOR writes a byte string of 16 bytes.
func (id ClientID) MarshalCBOR() ([]byte, error) {
	return appendBytes(make([]byte, 0, 1+len(id)), id[:]), nil
}

// UnmarshalCBOR reads a byte string of exactly 16 bytes.
func (id *ClientID) UnmarshalCBOR(b []byte) error {
	c := cursor{b: b}
	v := c.bytes()
	if !c.bad() && len(v) != len(id) {
		c.fail("client id must have 16 bytes")
	}
	copy(id[:], v)
	return c.end("client id")
}

// Pair names one hand-over of a task.
type Pair struct {
	ID      reeve.ID
	Attempt uint32
}

// Pairs travel as a flat array: id, attempt, id, attempt, …
type Pairs []Pair

// MarshalCBOR writes the flat array.
func (p Pairs) MarshalCBOR() ([]byte, error) {
	b := appendHead(make([]byte, 0, 5+8*len(p)), majorArray, 2*uint64(len(p)))
	for _, v := range p {
		b = appendUint(appendUint(b, uint64(v.ID)), uint64(v.Attempt))
	}
	return b, nil
}

// UnmarshalCBOR reads the flat array.
func (p *Pairs) UnmarshalCBOR(b []byte) error {
	c := cursor{b: b}
	*p = c.pairs((*p)[:0])
	return c.end("entries")
}

// pairs appends the pairs of a flat array to dst. At the top of a message its
// nesting does not matter: it holds numbers only.
func (c *cursor) pairs(dst []Pair) []Pair {
	n := c.entries(2, 2)
	dst = grow(dst, n)
	for i := range dst {
		dst[i] = Pair{ID: reeve.ID(c.uint()), Attempt: c.uint32()}
		if c.bad() {
			return dst[:0]
		}
	}
	return dst
}

// unixNano and timeOf map the zero time to 0 and back.
func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
