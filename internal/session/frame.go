package session

import "encoding/binary"

// A yamux frame begins with a header of 12 bytes, big endian:
//
//	0      version, 0
//	1      type
//	2:4    flags
//	4:8    stream: odd when the client opened it, even when the server did
//	8:12   length: of the body that follows in a data frame; in a window
//	       update the bytes granted, in a ping its number, in a goodbye the reason
const headerSize = 12

const (
	typeData byte = iota
	typeWindowUpdate
	typePing
	typeGoAway
)

const (
	flagSYN uint16 = 1 << iota // opens a stream
	flagACK                    // accepts it
	flagFIN                    // the sender sends no more on it
	flagRST                    // the sender has given it up

	flagsKnown = flagSYN | flagACK | flagFIN | flagRST
)

// Reasons of a goodbye.
const (
	goodbyeNormal   = 0
	goodbyeProtocol = 1
	goodbyeInternal = 2
)

// firstWindow is what each side may send on a stream at first.
const firstWindow = 256 << 10

// MaxFrame is the largest number of bytes one yamux frame carries, in both
// directions: a long frame holds up everything behind it, heartbeats
// included, so Stream.Write cuts what it gets, and a longer frame received is
// a violation. Every implementation of this protocol must keep to it.
const MaxFrame = 64 << 10

// header is what a frame's first bytes say.
type header struct {
	version byte
	kind    byte
	flags   uint16
	stream  uint32
	length  uint32
}

// parseHeader reads the first headerSize bytes of b.
func parseHeader(b []byte) header {
	_ = b[headerSize-1]
	return header{
		version: b[0],
		kind:    b[1],
		flags:   binary.BigEndian.Uint16(b[2:4]),
		stream:  binary.BigEndian.Uint32(b[4:8]),
		length:  binary.BigEndian.Uint32(b[8:12]),
	}
}

// append appends the header as bytes.
func (h header) append(b []byte) []byte {
	b = append(b, h.version, h.kind)
	b = binary.BigEndian.AppendUint16(b, h.flags)
	b = binary.BigEndian.AppendUint32(b, h.stream)
	return binary.BigEndian.AppendUint32(b, h.length)
}

// body is the number of bytes that follow the header.
func (h header) body() int {
	if h.kind != typeData {
		return 0
	}
	return int(h.length)
}
