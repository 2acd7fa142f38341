package record

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Next splits the first record off records, which are not empty: its kind, its
// fields for the Decode of the kind's struct, and what comes behind. Both alias
// records. A kind may be one that is not known here ([Kind.Known]), to be passed
// over. The error matches [ErrMalformed].
func Next(records []byte) (kind Kind, body, rest []byte, err error) {
	size, n := binary.Uvarint(records)
	if n <= 0 || size == 0 || size > uint64(len(records)-n) || records[n] == 0 {
		return 0, nil, nil, fmt.Errorf("%w: no record at %d bytes before the end", ErrMalformed, len(records))
	}
	end := n + int(size)
	return Kind(records[n]), records[n+1 : end : end], records[end:], nil
}

// Append appends a record with the fields that [Next] returned.
func Append(b []byte, kind Kind, body []byte) []byte {
	b = binary.AppendUvarint(b, uint64(1+len(body)))
	return append(append(b, byte(kind)), body...)
}

// opened is where the length of a record stands that is being written, and how
// many bytes were left for it.
type opened struct{ at, width int }

// begin begins a record of about so many bytes: a wrong guess costs that they
// are moved by [finish].
func begin(b []byte, kind Kind, about int) ([]byte, opened) {
	var room [binary.MaxVarintLen64]byte
	o := opened{len(b), uvarintLen(about)}
	return append(append(b, room[:o.width]...), byte(kind)), o
}

// finish writes the length of the record that was begun at o, and reaches to
// the end of b.
func finish(b []byte, o opened) []byte {
	body := o.at + o.width
	n := len(b) - body
	if width := uvarintLen(n); width != o.width {
		var room [binary.MaxVarintLen64]byte
		b = append(b, room[:max(0, width-o.width)]...)
		copy(b[o.at+width:], b[body:body+n])
		b = b[:o.at+width+n]
	}
	binary.PutUvarint(b[o.at:], uint64(n))
	return b
}

// beginSmall and finishSmall are for records of fixed fields, which stay below
// 128 bytes: the length is one byte.
func beginSmall(b []byte, kind Kind) []byte { return append(b, 0, byte(kind)) }

func finishSmall(b []byte, at int) []byte {
	b[at] = byte(len(b) - at - 1)
	return b
}

func uvarintLen(n int) int { return (bits.Len64(uint64(n)|1) + 6) / 7 }
