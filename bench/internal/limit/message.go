package limit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// The kinds of messages. A client numbers the queues that it names, and its
// consumers, from 0 in the order in which it opens them.
const (
	kindOpen    = iota + 1 // to the server: queue N is called Payload
	kindPut                // to the server: Payload for queue N
	kindConsume            // to the server: one more consumer, of queue N, with ID credits
	kindCancel             // to the server: nothing more for consumer N
	kindResult             // to the server: Payload for queue N, which ends delivery ID
	kindEnd                // to the server: the N deliveries from ID on are ended
	kindDeliver            // to the client: delivery ID, Payload, for consumer N
	kindConfirm            // to the client: ID puts, results and ended deliveries have been taken so far
)

// maxMessage bounds what a length makes a reader allocate.
const maxMessage = 256 << 20

// message is everything that is said.
type message struct {
	_       struct{} `cbor:",toarray"`
	Kind    uint8
	N       uint32
	ID      uint64
	Payload []byte
}

// codec writes and reads messages. Safe for concurrent use.
type codec interface {
	about() string
	// append appends m to b. What is left of it is a large payload that is
	// written from where it is.
	append(b *bytes.Buffer, m *message) (left []byte)
	// parse reads the message that b begins with, and returns its length; one
	// that is larger than b's says how much is needed to read on, and m is not
	// read then.
	parse(b []byte, m *message) (int, error)
	// shares says that a payload that was parsed is a part of the bytes.
	shares() bool
	// head reads what stands before the payload in b, which parse found too
	// short, and returns its length; 0 when it cannot read that alone.
	head(b []byte, m *message) int
}

var errMessage = errors.New("not a message")

// fixed is a codec by hand, with fields of fixed length.
type fixed struct{}

const fixedHeader = 1 + 4 + 8 + 4

func (fixed) about() string { return "messages written by hand" }
func (fixed) shares() bool  { return true }

func (fixed) append(b *bytes.Buffer, m *message) (left []byte) {
	head := append(b.AvailableBuffer(), m.Kind)
	head = binary.BigEndian.AppendUint32(head, m.N)
	head = binary.BigEndian.AppendUint64(head, m.ID)
	b.Write(binary.BigEndian.AppendUint32(head, uint32(len(m.Payload))))
	if len(m.Payload) >= uncopied {
		return m.Payload
	}
	b.Write(m.Payload)
	return nil
}

func (f fixed) parse(b []byte, m *message) (int, error) {
	if len(b) < fixedHeader {
		return fixedHeader, nil
	}
	size := binary.BigEndian.Uint32(b[13:])
	if size > maxMessage {
		return 0, errMessage
	}
	n := fixedHeader + int(size)
	if n > len(b) {
		return n, nil
	}
	f.head(b, m)
	m.Payload = b[fixedHeader:n:n]
	return n, nil
}

func (fixed) head(b []byte, m *message) int {
	if len(b) < fixedHeader {
		return 0
	}
	m.Kind = b[0]
	m.N = binary.BigEndian.Uint32(b[1:])
	m.ID = binary.BigEndian.Uint64(b[5:])
	return fixedHeader
}

// reflected is CBOR by reflection, as the library is used: a length of 4 bytes,
// and an array.
type reflected struct{}

func (reflected) about() string { return "messages by fxamacker/cbor" }
func (reflected) shares() bool  { return false }

func (reflected) head([]byte, *message) int { return 0 }

var encoding = func() cbor.UserBufferEncMode {
	mode, err := cbor.EncOptions{}.UserBufferEncMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return mode
}()

func (reflected) append(b *bytes.Buffer, m *message) (left []byte) {
	start := b.Len()
	b.Write([]byte{0, 0, 0, 0})
	if err := encoding.MarshalToBuffer(m, b); err != nil {
		panic(fmt.Sprintf("encode a message: %v", err)) // a struct of numbers and bytes
	}
	binary.BigEndian.PutUint32(b.Bytes()[start:], uint32(b.Len()-start-4))
	return nil
}

func (reflected) parse(b []byte, m *message) (int, error) {
	if len(b) < 4 {
		return 4, nil
	}
	size := binary.BigEndian.Uint32(b)
	if size > maxMessage {
		return 0, errMessage
	}
	n := 4 + int(size)
	if n > len(b) {
		return n, nil
	}
	m.Payload = nil // else it is written over
	if err := cbor.Unmarshal(b[4:n], m); err != nil {
		return 0, fmt.Errorf("%w: %w", errMessage, err)
	}
	return n, nil
}
