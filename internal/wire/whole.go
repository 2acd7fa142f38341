package wire

import "encoding/binary"

// Whole reports whether b is one frame or several, whole, and ok says yes to the
// type of each.
func Whole(b []byte, ok func(Type) bool) bool {
	if len(b) == 0 {
		return false
	}
	for len(b) > 0 {
		if len(b) < HeaderLen+1 {
			return false
		}
		n := int64(binary.BigEndian.Uint32(b))
		if n < 2 || n > int64(len(b)-HeaderLen) {
			return false
		}
		frame := b[HeaderLen : HeaderLen+n]
		if t, _, err := ParseType(frame); err != nil || !ok(t) {
			return false
		}
		b = b[HeaderLen+n:]
	}
	return true
}
