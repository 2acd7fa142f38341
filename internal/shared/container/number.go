package container

import (
	"cmp"
	"fmt"
	"math"
	"math/big"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// number is what a CBOR item says: a whole number, or a floating one.
type number struct {
	whole *big.Int // nil: float
	float float64
}

// asNumber reads a whole item. ok is false if it is no number.
func asNumber(item []byte) (x number, ok bool) {
	major, n, _, err := head(item)
	if err != nil {
		return x, false
	}
	switch {
	case major == majorUint:
		return number{whole: new(big.Int).SetUint64(n)}, true
	case major == majorNegative:
		v := new(big.Int).SetUint64(n)
		return number{whole: v.Not(v)}, true // -1-n
	case item[0] == 0xf9:
		return number{float: half(uint16(n))}, true
	case item[0] == 0xfa:
		return number{float: float64(math.Float32frombits(uint32(n)))}, true
	case item[0] == 0xfb:
		return number{float: math.Float64frombits(n)}, true
	}
	return x, false
}

// half is a floating number of 16 bits.
func half(h uint16) float64 {
	exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 0x1f:
		if v = math.Inf(1); fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(fraction+1024, exponent-25)
	}
	if h&0x8000 != 0 {
		v = -v
	}
	return v
}

func (x number) asFloat() float64 {
	if x.whole == nil {
		return x.float
	}
	f, _ := new(big.Float).SetInt(x.whole).Float64()
	return f
}

// compare orders numbers by their value, which no conversion rounds. A NaN comes
// first.
func (x number) compare(y number) int {
	switch {
	case x.whole != nil && y.whole != nil:
		return x.whole.Cmp(y.whole)
	case x.whole == nil && y.whole == nil:
		return cmp.Compare(x.float, y.float)
	case x.whole == nil:
		return -y.compare(x)
	case math.IsNaN(y.float):
		return 1
	case math.IsInf(y.float, 0):
		return cmp.Compare(0, y.float)
	}
	return new(big.Float).SetInt(x.whole).Cmp(new(big.Float).SetFloat64(y.float))
}

// wholeTypes are the types of whole numbers, with their bits; below 0: signed.
var wholeTypes = map[string]int{
	"int8": -8, "int16": -16, "int32": -32, "int64": -64,
	"uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64,
}

// add is the sum of two items as numbers of a type, in its deterministic form.
// [reeve.ErrOutOfRange] if the type does not have it, [reeve.ErrInvalid] if they
// are no such numbers.
func add(a, b []byte, typ string) ([]byte, error) {
	x, okX := asNumber(a)
	y, okY := asNumber(b)
	if !okX || !okY {
		return nil, fmt.Errorf("%w: only numbers can be added", reeve.ErrInvalid)
	}
	bits, whole := wholeTypes[typ]
	if whole {
		if x.whole == nil || y.whole == nil {
			return nil, fmt.Errorf("%w: a floating number cannot be added as %s", reeve.ErrInvalid, typ)
		}
		sum := new(big.Int).Add(x.whole, y.whole)
		if !fits(sum, bits) {
			return nil, fmt.Errorf("%w: %v + %v as %s", reeve.ErrOutOfRange, x.whole, y.whole, typ)
		}
		if sum.IsInt64() {
			return appendInt(nil, sum.Int64()), nil
		}
		return appendUint(nil, sum.Uint64()), nil
	}
	f, g := x.asFloat(), y.asFloat()
	sum := f + g
	switch typ {
	case "float64":
	case "float32":
		sum = float64(float32(f) + float32(g))
	default:
		return nil, fmt.Errorf("%w: no numbers are of type %.32q", reeve.ErrInvalid, typ)
	}
	if math.IsInf(sum, 0) && !math.IsInf(f, 0) && !math.IsInf(g, 0) {
		return nil, fmt.Errorf("%w: %v + %v as %s", reeve.ErrOutOfRange, f, g, typ)
	}
	return codec.Deterministic.Marshal(sum)
}

func fits(n *big.Int, bits int) bool {
	if bits > 0 {
		return n.Sign() >= 0 && n.BitLen() <= bits
	}
	m := n
	if n.Sign() < 0 {
		m = new(big.Int).Not(n)
	}
	return m.BitLen() < -bits
}
