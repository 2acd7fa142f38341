package shared

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/reeveq/reeve/codec"
)

// Lists of texts and of whole numbers are most of what is read and written many at
// a time. They are encoded and decoded here, in the same form as the codec has, in
// a fraction of its time.

// CBOR's major types.
const (
	cborUint     = 0
	cborNegative = 1
	cborText     = 3
	cborArray    = 4
)

// encodePlain makes an array of a list; false: of these the codec makes it.
func encodePlain[T any](list []T) (codec.Encoded, bool) {
	switch list := any(list).(type) {
	case []string:
		size := 9
		for _, s := range list {
			size += 1 + len(s)
			if len(s) >= 24 {
				size += 8
			}
		}
		b := appendHead(make([]byte, 0, size), cborArray, uint64(len(list)))
		for _, s := range list {
			b = append(appendHead(b, cborText, uint64(len(s))), s...)
		}
		return b, true
	case []int:
		b := appendHead(make([]byte, 0, 9+5*len(list)), cborArray, uint64(len(list)))
		for _, n := range list {
			b = appendInt(b, int64(n))
		}
		return b, true
	case []int64:
		b := appendHead(make([]byte, 0, 9+5*len(list)), cborArray, uint64(len(list)))
		for _, n := range list {
			b = appendInt(b, n)
		}
		return b, true
	}
	return nil, false
}

func appendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, cborNegative, uint64(-1-n))
	}
	return appendHead(b, cborUint, uint64(n))
}

func appendHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

// decodePlain reads an array; false: the codec has to, be it to say what is wrong.
func decodePlain[T any](b []byte) ([]T, bool) {
	var list []T
	major, n, b, ok := codec.CutHead(b)
	if !ok || major != cborArray || n > uint64(len(b)) {
		return nil, false
	}
	switch list := any(&list).(type) {
	case *[]string:
		*list = make([]string, n)
		for i := range *list {
			major, size, rest, ok := codec.CutHead(b)
			if !ok || major != cborText || size > uint64(len(rest)) || !utf8.Valid(rest[:size]) {
				return nil, false
			}
			(*list)[i], b = string(rest[:size]), rest[size:]
		}
	case *[]int:
		*list = make([]int, n)
		for i := range *list {
			v, rest, ok := cutInt(b)
			if !ok || int64(int(v)) != v {
				return nil, false
			}
			(*list)[i], b = int(v), rest
		}
	case *[]int64:
		*list = make([]int64, n)
		for i := range *list {
			if (*list)[i], b, ok = cutInt(b); !ok {
				return nil, false
			}
		}
	default:
		return nil, false
	}
	return list, len(b) == 0
}

func cutInt(b []byte) (v int64, rest []byte, ok bool) {
	major, n, rest, ok := codec.CutHead(b)
	switch {
	case !ok, n > math.MaxInt64, major > cborNegative:
		return 0, nil, false
	case major == cborNegative:
		return -1 - int64(n), rest, true
	}
	return int64(n), rest, true
}

// decodeList reads an array.
func decodeList[T any](x *Object, b codec.Encoded) ([]T, error) {
	if list, ok := decodePlain[T](b); ok {
		return list, nil
	}
	var list []T
	err := x.decode(b, &list)
	return list, err
}
