package container

import (
	"encoding/binary"
	"errors"
)

// maxDepth is how deep a key or value may be nested: answers add a few levels,
// and readers stop at 32.
const maxDepth = 26

var (
	errShort  = errors.New("it is cut off")
	errDeep   = errors.New("it is nested too deep")
	errTag    = errors.New("it has a tag with what does not belong to it")
	errLength = errors.New("it has a length that is not definite, or a form that does not exist")
)

// CBOR's major types.
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

const (
	cborFalse = 0xf4
	cborTrue  = 0xf5
	cborNil   = 0xf6
)

// head reads the beginning of an item: its major type, the number in it, and what
// follows.
func head(b []byte) (major byte, n uint64, rest []byte, err error) {
	if len(b) == 0 {
		return 0, 0, nil, errShort
	}
	major, info := b[0]>>5, b[0]&0x1f
	b = b[1:]
	switch {
	case info < 24:
		return major, uint64(info), b, nil
	case info > 27:
		return 0, 0, nil, errLength
	}
	size := 1 << (info - 24)
	if len(b) < size {
		return 0, 0, nil, errShort
	}
	switch size {
	case 1:
		n = uint64(b[0])
	case 2:
		n = uint64(binary.BigEndian.Uint16(b))
	case 4:
		n = uint64(binary.BigEndian.Uint32(b))
	case 8:
		n = binary.BigEndian.Uint64(b)
	}
	if major == majorSimple && size == 1 && n < 32 {
		return 0, 0, nil, errLength
	}
	return major, n, b[size:], nil
}

// skip returns what follows the first item of b.
func skip(b []byte, depth int) ([]byte, error) {
	if len(b) > 0 { // short texts and small numbers are most of what there is
		if n := int(b[0]) - majorText<<5; n >= 0 && n < 24 && n < len(b) {
			return b[1+n:], nil
		}
		if b[0] < 24 {
			return b[1:], nil
		}
	}
	major, n, rest, err := head(b)
	if err != nil {
		return nil, err
	}
	switch major {
	case majorBytes, majorText:
		if n > uint64(len(rest)) {
			return nil, errShort
		}
		return rest[n:], nil
	case majorArray, majorMap, majorTag:
		if depth == 0 {
			return nil, errDeep
		}
		items := n
		switch {
		case major == majorTag:
			if items = 1; !tagged(n, rest) {
				return nil, errTag
			}
		case n > uint64(len(rest)):
			return nil, errShort // each is a byte at least
		case major == majorMap:
			items *= 2
		}
		for range items {
			if rest, err = skip(rest, depth-1); err != nil {
				return nil, err
			}
		}
	}
	return rest, nil
}

// tagged reports whether an item may follow tag n, as far as readers mind.
func tagged(n uint64, item []byte) bool {
	if len(item) == 0 {
		return false
	}
	switch major := item[0] >> 5; n {
	case 0:
		return major == majorText
	case 1:
		return major == majorUint || major == majorNegative || item[0] >= 0xf9 && item[0] <= 0xfb
	case 2, 3:
		return major == majorBytes
	}
	return true
}
