package shared

import (
	"time"
	"unicode/utf8"

	"github.com/reeveq/reeve/codec"
)

// Most arguments and results are a text or a number. Those are encoded and decoded
// here, in the same form as the codec has; all others by it.

// encoded is an argument that was encoded in this package.
type encoded codec.Encoded

const (
	cborFalse = 0xf4
	cborTrue  = 0xf5
	cborNil   = 0xf6
)

// encodeArgs makes the arguments of a call, an array.
func encodeArgs(args []any) ([]byte, error) {
	size := 9
	for _, arg := range args {
		switch arg := arg.(type) {
		case encoded:
			size += len(arg)
		case string:
			size += 9 + len(arg)
		default:
			size += 9
		}
	}
	b := appendHead(make([]byte, 0, size), cborArray, uint64(len(args)))
	var err error
	for _, arg := range args {
		if b, err = appendArg(b, arg); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendArg(b []byte, arg any) ([]byte, error) {
	switch arg := arg.(type) {
	case nil:
		return append(b, cborNil), nil
	case encoded:
		return append(b, arg...), nil
	case string:
		return append(appendHead(b, cborText, uint64(len(arg))), arg...), nil
	case bool:
		if arg {
			return append(b, cborTrue), nil
		}
		return append(b, cborFalse), nil
	case int:
		return appendInt(b, int64(arg)), nil
	case int64:
		return appendInt(b, arg), nil
	case time.Duration:
		return appendInt(b, int64(arg)), nil
	case uint64:
		return appendHead(b, cborUint, arg), nil
	case Owner:
		return appendHead(b, cborUint, uint64(arg)), nil
	case []Owner:
		b = appendHead(b, cborArray, uint64(len(arg)))
		for _, o := range arg {
			b = appendHead(b, cborUint, uint64(o))
		}
		return b, nil
	}
	one, err := codec.CBOR.Marshal(arg)
	return append(b, one...), err
}

// decodeResult reads one value into what p points to.
func decodeResult(b []byte, p any) error {
	if !decodeScalar(b, p) {
		return codec.CBOR.Unmarshal(b, p)
	}
	return nil
}

// decodeScalar reads a text or a number; false: the codec has to, be it to say what
// is wrong.
func decodeScalar(b []byte, p any) bool {
	switch p := p.(type) {
	case *int:
		if v, rest, ok := cutInt(b); ok && len(rest) == 0 && int64(int(v)) == v {
			*p = int(v)
			return true
		}
	case *int64:
		if v, rest, ok := cutInt(b); ok && len(rest) == 0 {
			*p = v
			return true
		}
	case *bool:
		if len(b) == 1 && (b[0] == cborTrue || b[0] == cborFalse) {
			*p = b[0] == cborTrue
			return true
		}
	case *string:
		if major, n, rest, ok := codec.CutHead(b); ok && major == cborText && n == uint64(len(rest)) && utf8.Valid(rest) {
			*p = string(rest)
			return true
		}
	}
	return false
}
