package cpace

import (
	"crypto/sha512"
	"encoding/binary"

	"filippo.io/edwards25519/field"
)

// generatorString is the draft's generator_string: lv_cat(DSI, PRS, zpad, CI,
// sid). The padding fills the first hash block, so that hashing a secret of
// ordinary length takes the same time whatever its length.
func generatorString(prs, ci, sid []byte) []byte {
	prefixed := func(n int) int { return len(binary.AppendUvarint(nil, uint64(n))) + n }
	zpad := make([]byte, max(0, sha512.BlockSize-prefixed(len(prs))-prefixed(len(dsi))-1))
	return lvCat(nil, []byte(dsi), prs, zpad, ci, sid)
}

// generator is G_X25519.calculate_generator: hash, decode as a field element,
// map to the curve.
func generator(prs, ci, sid []byte) []byte {
	in := generatorString(prs, ci, sid)
	defer clear(in) // holds PRS
	h := sha512.Sum512(in)
	defer clear(h[:])
	// SetBytes ignores bit 255 and reduces modulo p: decodeUCoordinate of RFC
	// 7748. It fails only on a wrong length.
	u, err := new(field.Element).SetBytes(h[:32])
	if err != nil {
		panic("cpace: 32 bytes are not 32 bytes: " + err.Error())
	}
	return elligator2(u).Bytes()
}

// elligator2 is map_to_curve_elligator2 of RFC 9380 section 6.7.1 for
// curve25519 (J = 486662, K = 1, Z = 2), u coordinate only, without branches.
func elligator2(u *field.Element) *field.Element {
	one := new(field.Element).One()
	j := new(field.Element).Mult32(one, 486662)
	minusJ := new(field.Element).Negate(j)

	// x1 = -J / (1 + 2u^2). The divisor is never zero: -1/2 is not a square
	// modulo 2^255-19, so RFC 9380's exceptional case does not exist here.
	d := new(field.Element).Square(u)
	d.Add(d, d)
	d.Add(d, one)
	x1 := new(field.Element).Invert(d)
	x1.Multiply(x1, minusJ)

	// gx1 = x1^3 + J*x1^2 + x1 = x1*(x1*(x1 + J) + 1)
	gx1 := new(field.Element).Add(x1, j)
	gx1.Multiply(gx1, x1)
	gx1.Add(gx1, one)
	gx1.Multiply(gx1, x1)

	// x2 = -x1 - J, taken when gx1 is not a square.
	x2 := new(field.Element).Negate(x1)
	x2.Subtract(x2, j)

	_, square := new(field.Element).SqrtRatio(gx1, one)
	return new(field.Element).Select(x1, x2, square)
}
