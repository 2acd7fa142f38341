package codec

import "fmt"

// Arrays of CBOR items, read one item after the other.

// OpenArray reads the beginning of an array, which tells its length, and returns how many
// items it has and what follows: those, for [First]. No more of them are there than
// bytes.
func OpenArray(array []byte) (n int, items []byte, err error) {
	const major = 4 << 5
	switch {
	case len(array) == 0 || array[0]&^0x1f != major:
		return 0, nil, fmt.Errorf("codec: no array")
	case array[0]&0x1f > 27:
		return 0, nil, fmt.Errorf("codec: an array that does not tell its length")
	}
	size, items := uint64(array[0]&0x1f), array[1:]
	if size > 23 {
		digits := 1 << (size - 24)
		if len(items) < digits {
			return 0, nil, fmt.Errorf("codec: an array that is cut off")
		}
		size = 0
		for _, d := range items[:digits] {
			size = size<<8 | uint64(d)
		}
		items = items[digits:]
	}
	if size > uint64(len(items)) {
		return 0, nil, fmt.Errorf("codec: an array that is cut off")
	}
	return int(size), items, nil
}

// First reads the first of items into v, as [CBOR] does, and returns those that
// follow it.
func First(items []byte, v any) (rest []byte, err error) { return first.UnmarshalFirst(items, v) }

var first = newCBOR().dec
