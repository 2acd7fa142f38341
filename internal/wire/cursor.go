package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/reeveq/reeve"
)

// Major types of CBOR.
const (
	majorUint = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// cursor reads CBOR by hand. The first thing that is wrong is kept and ends
// the input, so callers check once per item, not per value. Only definite
// lengths are read, and no tags. Numbers may have any width.
type cursor struct {
	b     []byte
	i     int
	what  string // what is wrong; empty: nothing so far
	limit *reeve.LimitError

	strict bool // skip checks texts too
}

// What can be wrong.
const (
	wrongCut        = "cut off"
	wrongTrailing   = "trailing bytes"
	wrongUint       = "unsigned integer expected"
	wrongInt        = "integer expected"
	wrongFloat      = "number expected"
	wrongBytes      = "byte string expected"
	wrongText       = "text expected"
	wrongUTF8       = "text is not UTF-8"
	wrongArray      = "array expected"
	wrongMap        = "map expected"
	wrongBool       = "boolean expected"
	wrongRange      = "number out of range"
	wrongHead       = "reserved or indefinite length"
	wrongTag        = "tag"
	wrongSimple     = "invalid simple value"
	wrongDuplicate  = "duplicate key"
	wrongElements   = "number of array elements"
	wrongNoRequest  = "request id missing"
	wrongLow        = "low above the request id"
	wrongNoEntries  = "no entries"
	wrongNoReceiver = "either consumer or request expected"
	wrongLimit      = "limit"
)

func (c *cursor) bad() bool { return c.what != "" }

func (c *cursor) fail(what string) {
	if c.what == "" {
		c.what = what
	}
	c.i = len(c.b)
}

func (c *cursor) over(limit string, value uint64, max int) {
	if c.what == "" {
		c.limit = &reeve.LimitError{Kind: reeve.ErrLimit, Limit: limit, Value: int64(min(value, math.MaxInt64)), Max: int64(max)}
	}
	c.fail(wrongLimit)
}

func (c *cursor) err(in string) error { return &violation{in: in, what: c.what, limit: c.limit} }

// end is the error of a whole message, trailing bytes included.
func (c *cursor) end(in string) error {
	if c.what == "" && c.i != len(c.b) {
		c.what = wrongTrailing
	}
	if c.what == "" {
		return nil
	}
	return c.err(in)
}

// uint reads an unsigned integer.
func (c *cursor) uint() uint64 {
	if c.i < len(c.b) {
		if v := c.b[c.i]; v < 24 {
			c.i++
			return uint64(v)
		}
	}
	return c.arg(majorUint, wrongUint)
}

// arg reads a head that must be of the major type and returns its argument.
func (c *cursor) arg(major byte, wrong string) uint64 {
	b := c.b[c.i:]
	if len(b) == 0 {
		c.fail(wrongCut)
		return 0
	}
	if b[0]>>5 != major {
		c.fail(wrong)
		return 0
	}
	switch ai := b[0] & 31; {
	case ai < 24:
		c.i++
		return uint64(ai)
	case ai == 24 && len(b) >= 2:
		c.i += 2
		return uint64(b[1])
	case ai == 25 && len(b) >= 3:
		c.i += 3
		return uint64(binary.BigEndian.Uint16(b[1:]))
	case ai == 26 && len(b) >= 5:
		c.i += 5
		return uint64(binary.BigEndian.Uint32(b[1:]))
	case ai == 27 && len(b) >= 9:
		c.i += 9
		return binary.BigEndian.Uint64(b[1:])
	case ai > 27:
		c.fail(wrongHead)
	default:
		c.fail(wrongCut)
	}
	return 0
}

// uint32 reads an unsigned integer of at most 32 bits.
func (c *cursor) uint32() uint32 {
	v := c.uint()
	if v > math.MaxUint32 {
		c.fail(wrongRange)
	}
	return uint32(v)
}

// int64 reads an integer, negative or not.
func (c *cursor) int64() int64 {
	if c.i < len(c.b) && c.b[c.i]>>5 == majorNegative {
		v := c.arg(majorNegative, wrongInt)
		if v > math.MaxInt64 {
			c.fail(wrongRange)
			return 0
		}
		return -1 - int64(v)
	}
	v := c.arg(majorUint, wrongInt)
	if v > math.MaxInt64 {
		c.fail(wrongRange)
		return 0
	}
	return int64(v)
}

// int reads an integer of the platform's size.
func (c *cursor) int() int {
	v := c.int64()
	if int64(int(v)) != v {
		c.fail(wrongRange)
	}
	return int(v)
}

// int32 reads an integer of 32 bits.
func (c *cursor) int32() int32 {
	v := c.int64()
	if int64(int32(v)) != v {
		c.fail(wrongRange)
	}
	return int32(v)
}

// float reads a float of any width, or an integer.
func (c *cursor) float() float64 {
	if c.i >= len(c.b) {
		c.fail(wrongCut)
		return 0
	}
	major, ai := c.b[c.i]>>5, c.b[c.i]&31
	switch {
	case major == majorUint:
		return float64(c.uint())
	case major == majorNegative:
		return float64(c.int64())
	case major != majorSimple || ai < 25:
		c.fail(wrongFloat)
		return 0
	}
	switch v := c.arg(majorSimple, wrongFloat); ai {
	case 25:
		return half(uint16(v))
	case 26:
		return float64(math.Float32frombits(uint32(v)))
	default:
		return math.Float64frombits(v)
	}
}

// half is the value of a float of 16 bits: 1 of sign, 5 of exponent, 10 of
// fraction.
func half(v uint16) float64 {
	exp, frac := int(v>>10&31), float64(v&1023)
	f := math.Ldexp(1024+frac, exp-25)
	switch {
	case exp == 0:
		f = math.Ldexp(frac, -24)
	case exp == 31 && frac == 0:
		f = math.Inf(1)
	case exp == 31:
		f = math.NaN()
	}
	if v>>15 != 0 {
		f = -f
	}
	return f
}

// bytes reads a byte string; the result aliases the input.
func (c *cursor) bytes() []byte { return c.string(majorBytes, wrongBytes) }

// text reads a text; the result aliases the input.
func (c *cursor) text() []byte {
	s := c.string(majorText, wrongText)
	if !utf8.Valid(s) {
		c.fail(wrongUTF8)
		return nil
	}
	return s
}

// name reads a queue name, a task type or a label.
func (c *cursor) name(in *names) string { return in.get(c.atMost("name bytes", MaxName)) }

// atMost reads a text of at most max bytes, which aliases the input.
func (c *cursor) atMost(limit string, max int) []byte {
	s := c.text()
	if len(s) > max {
		c.over(limit, uint64(len(s)), max)
		return nil
	}
	return s
}

func (c *cursor) string(major byte, wrong string) []byte {
	n := c.arg(major, wrong)
	if n > uint64(len(c.b)-c.i) {
		c.fail(wrongCut)
		return nil
	}
	if c.what != "" {
		return nil
	}
	end := c.i + int(n)
	s := c.b[c.i:end:end]
	c.i = end
	return s
}

// array reads the head of an array at the given nesting (1: the outermost).
// Every element takes a byte at least, so the result is bounded by the input.
func (c *cursor) array(nesting int) int {
	n := c.arg(majorArray, wrongArray)
	if n > maxArray {
		c.over("array elements", n, maxArray)
		return 0
	}
	if n > uint64(len(c.b)-c.i) {
		c.fail(wrongCut)
		return 0
	}
	if nesting > maxNesting {
		c.over("nesting", uint64(nesting), maxNesting)
		return 0
	}
	return int(n)
}

// mapHead reads the head of a map and returns the number of its pairs.
func (c *cursor) mapHead(nesting int) int {
	n := c.arg(majorMap, wrongMap)
	if n > maxPairs {
		c.over("map pairs", n, maxPairs)
		return 0
	}
	if 2*n > uint64(len(c.b)-c.i) {
		c.fail(wrongCut)
		return 0
	}
	if nesting > maxNesting {
		c.over("nesting", uint64(nesting), maxNesting)
		return 0
	}
	return int(n)
}

// keys are the keys that a map had so far.
type keys struct {
	low  uint64   // those below 64
	high []uint64 // the others: at most maxPairs
}

// key reads the key of a pair, which must be an unsigned integer that the map
// did not have before.
func (c *cursor) key(seen *keys) uint64 {
	k := c.uint()
	if k < 64 {
		if seen.low&(1<<k) != 0 {
			c.fail(wrongDuplicate)
		}
		seen.low |= 1 << k
		return k
	}
	return c.highKey(k, seen)
}

func (c *cursor) highKey(k uint64, seen *keys) uint64 {
	for _, h := range seen.high {
		if h == k {
			c.fail(wrongDuplicate)
			return k
		}
	}
	seen.high = append(seen.high, k)
	return k
}

// skip passes over any well-formed item, which lies in as many maps and
// arrays as nesting says. Its recursion is bounded by maxNesting.
func (c *cursor) skip(nesting int) {
	if c.i >= len(c.b) {
		c.fail(wrongCut)
		return
	}
	switch c.b[c.i] >> 5 {
	case majorUint:
		c.uint()
	case majorNegative:
		c.arg(majorNegative, wrongInt)
	case majorBytes:
		c.bytes()
	case majorText:
		if c.strict {
			c.text()
		} else {
			c.string(majorText, wrongText)
		}
	case majorArray:
		for n := c.array(nesting + 1); n > 0 && !c.bad(); n-- {
			c.skip(nesting + 1)
		}
	case majorMap:
		for n := 2 * c.mapHead(nesting+1); n > 0 && !c.bad(); n-- {
			c.skip(nesting + 1)
		}
	case majorTag:
		c.fail(wrongTag)
	case majorSimple:
		if ai := c.b[c.i] & 31; c.arg(majorSimple, wrongSimple) < 32 && ai == 24 {
			c.fail(wrongSimple) // a simple value below 32 has no second byte
		}
	}
}
