package wire

import (
	"math"

	"github.com/reeveq/reeve"
)

// Range tells that the Count requests from Req on succeeded. If they were
// Puts, First is the first id that the first of them was given, and the ids go
// on from there over all tasks of all of them; otherwise it is zero.
type Range struct {
	Req   uint64
	Count int
	First reeve.ID
}

// ConfirmFrame is a Confirm. Decode reuses Ranges.
type ConfirmFrame struct {
	Ranges []Range
}

// Decode reads the body of a message of type [TypeConfirm]. An error matches
// [reeve.ErrProtocol] and leaves f without a meaning.
func (f *ConfirmFrame) Decode(body []byte) error {
	f.Ranges = f.Ranges[:0]
	c := cursor{b: body}
	var seen keys
	for n := c.mapHead(1); n > 0 && !c.bad(); n-- {
		if c.key(&seen) != 1 {
			c.skip(1)
			continue
		}
		f.Ranges = grow(f.Ranges, c.entries(3, 3))
		for i := range f.Ranges {
			c.confirmRange(&f.Ranges[i])
			if c.bad() {
				break
			}
		}
	}
	if len(f.Ranges) == 0 {
		c.fail(wrongNoEntries)
	}
	return c.end("Confirm")
}

// Clear gives up the memory that f keeps for reuse if it grew large.
func (f *ConfirmFrame) Clear() { f.Ranges = rest(f.Ranges) }

func (c *cursor) confirmRange(r *Range) {
	req, count := c.uint(), c.uint()
	*r = Range{Req: req, Count: int(count), First: reeve.ID(c.uint())}
	if req == 0 || count == 0 || count > math.MaxInt32 || req > math.MaxUint64-count {
		c.fail(wrongRange)
	}
}
