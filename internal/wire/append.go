package wire

import (
	"encoding/binary"
	"math"
)

// The 16-bit form of an array's head has a fixed width, so that its count can
// be written when the array is complete.
const (
	headArray16 = majorArray<<5 | 25
	headUint64  = majorUint<<5 | 27
	headFloat64 = majorSimple<<5 | 27
)

func appendUint(b []byte, v uint64) []byte {
	if v < 24 {
		return append(b, byte(v))
	}
	return appendHead(b, majorUint, v)
}

func appendHead(b []byte, major byte, v uint64) []byte {
	major <<= 5
	switch {
	case v < 24:
		return append(b, major|byte(v))
	case v <= math.MaxUint8:
		return append(b, major|24, byte(v))
	case v <= math.MaxUint16:
		return append(b, major|25, byte(v>>8), byte(v))
	case v <= math.MaxUint32:
		return append(b, major|26, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), v)
}

func appendInt(b []byte, v int64) []byte {
	if v < 0 {
		return appendHead(b, majorNegative, uint64(-1-v))
	}
	return appendHead(b, majorUint, uint64(v))
}

func appendBytes(b, v []byte) []byte {
	return append(appendHead(b, majorBytes, uint64(len(v))), v...)
}

func appendText(b []byte, v string) []byte {
	return append(appendHead(b, majorText, uint64(len(v))), v...)
}

func appendFloat(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, headFloat64), math.Float64bits(v))
}
