package wire

import (
	"encoding/binary"

	"github.com/reeveq/reeve"
)

// confirms gathers what a Builder is to confirm.
type confirms struct {
	done []byte // ranges that nothing joins any more, as they travel, in whole frames but the last
	last Range  // Count 0: none

	start int // of the last frame, in done
	n     int // its ranges
}

// rangeSize is more than one range takes.
const rangeSize = 9 + 5 + 9

// confirmHead is the frame up to its ranges: header, type, {1: [
var confirmHead = [...]byte{0, 0, 0, 0, majorUint<<5 | 24, byte(TypeConfirm), majorMap<<5 | 1, 1, headArray16, 0, 0}

func (c *confirms) add(req uint64, count int, first reeve.ID) {
	l := &c.last
	if l.Count > 0 && l.Req+uint64(l.Count) == req && l.follows(first) {
		l.Count += count
		return
	}
	c.flush()
	c.last = Range{Req: req, Count: count, First: first}
}

// follows reports whether a request that was given first continues r. When r
// ends with a Put of several tasks the id that is computed here belongs to one
// of those, so nothing can be given it.
func (r *Range) follows(first reeve.ID) bool {
	if r.First == 0 || first == 0 {
		return r.First == first
	}
	return r.First+reeve.ID(r.Count) == first
}

// flush moves the last range to the others.
func (c *confirms) flush() {
	l := &c.last
	if l.Count == 0 {
		return
	}
	if c.n == 0 || c.n == MaxEntries || len(c.done)-c.start-HeaderLen+rangeSize > MaxSmallFrame {
		c.finish()
		c.start = len(c.done)
		c.done = append(c.done, confirmHead[:]...)
	}
	c.n++
	c.done = appendUint(c.done, l.Req)
	c.done = appendUint(c.done, uint64(l.Count))
	c.done = appendUint(c.done, uint64(l.First))
	l.Count = 0
}

// finish completes the last frame.
func (c *confirms) finish() {
	if c.n == 0 {
		return
	}
	binary.BigEndian.PutUint32(c.done[c.start:], uint32(len(c.done)-c.start-HeaderLen))
	binary.BigEndian.PutUint16(c.done[c.start+len(confirmHead)-2:], uint16(3*c.n))
	c.n = 0
}

// len is how many bytes appendFrame would append, to within a few.
func (c *confirms) len() int {
	if c.last.Count == 0 {
		return len(c.done)
	}
	return len(c.done) + len(confirmHead) + rangeSize
}

// appendFrame appends all frames to b and starts anew.
func (c *confirms) appendFrame(b []byte) []byte {
	c.flush()
	c.finish()
	b = append(b, c.done...)
	c.done, c.start = c.done[:0], 0
	return b
}
