package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"
)

// Arrays of CBOR items, read one item after the other.

const (
	majorNegative = 1
	majorText     = 3
	majorArray    = 4
)

// OpenArray reads the beginning of an array, which tells its length, and returns how
// many items it has and what follows: those, for [First]. No more of them are there
// than bytes.
func OpenArray(array []byte) (n int, items []byte, err error) {
	major, size, items, ok := CutHead(array)
	switch {
	case !ok || major != majorArray:
		return 0, nil, errors.New("codec: no array that tells its length")
	case size > uint64(len(items)):
		return 0, nil, errors.New("codec: an array that is cut off")
	}
	return int(size), items, nil
}

// CutHead reads the beginning of an item: its major type and argument (RFC 8949, 3),
// and returns what follows; false: it is none, or tells no length.
func CutHead(b []byte) (major byte, n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, 0, nil, false
	}
	major, info, b := b[0]>>5, b[0]&0x1f, b[1:]
	switch {
	case info < 24:
		return major, uint64(info), b, true
	case info == 24 && len(b) >= 1:
		return major, uint64(b[0]), b[1:], true
	case info == 25 && len(b) >= 2:
		return major, uint64(binary.BigEndian.Uint16(b)), b[2:], true
	case info == 26 && len(b) >= 4:
		return major, uint64(binary.BigEndian.Uint32(b)), b[4:], true
	case info == 27 && len(b) >= 8:
		return major, binary.BigEndian.Uint64(b), b[8:], true
	}
	return 0, 0, nil, false
}

// First reads the first of items into v, as [CBOR] does, and returns those that
// follow it.
func First(items []byte, v any) (rest []byte, err error) {
	if rest, ok := firstScalar(items, v); ok {
		return rest, nil
	}
	return first.UnmarshalFirst(items, v)
}

var first = newCBOR().dec

// firstScalar is First for texts and numbers, which most items are, without
// reflection; false: the library has to read it, be it to say what is wrong.
func firstScalar(items []byte, v any) (rest []byte, ok bool) {
	switch v := v.(type) {
	case *string:
		major, n, rest, ok := CutHead(items)
		if ok && major == majorText && n <= uint64(len(rest)) && utf8.Valid(rest[:n]) {
			*v = string(rest[:n])
			return rest[n:], true
		}
	case *int:
		if n, rest, ok := cutInt(items); ok && int64(int(n)) == n {
			*v = int(n)
			return rest, true
		}
	case *int64:
		if n, rest, ok := cutInt(items); ok {
			*v = n
			return rest, true
		}
	}
	return nil, false
}

func cutInt(b []byte) (v int64, rest []byte, ok bool) {
	major, n, rest, ok := CutHead(b)
	switch {
	case !ok, n > math.MaxInt64, major > majorNegative:
		return 0, nil, false
	case major == majorNegative:
		return -1 - int64(n), rest, true
	}
	return int64(n), rest, true
}
