package transport

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/reeveq/reeve"
)

// After the proof of the key each side sends a hello, the dialling one first:
// 8 bytes that say what follows, and the most bytes of a message that it takes,
// big endian. A listener that has no room answers with 0 and closes. The hello
// tells a master apart, which may have the same key; it is as long as what a
// master reads first, and nothing that it takes.
const (
	magic     = "reeve-m1"
	helloSize = len(magic) + 4
)

func appendHello(b []byte, max int) []byte {
	return binary.BigEndian.AppendUint32(append(b, magic...), uint32(max))
}

// parseHello returns the most bytes of a message that the peer takes, 0 for a
// refusal.
func parseHello(b []byte) (max int, err error) {
	if len(b) != helloSize || string(b[:len(magic)]) != magic {
		return 0, fmt.Errorf("%w: the peer has the key, and is no connection of package transport", reeve.ErrProtocol)
	}
	n := binary.BigEndian.Uint32(b[len(magic):])
	if n > maxLength {
		return 0, fmt.Errorf("%w: the peer takes messages of %d bytes", reeve.ErrProtocol, n)
	}
	return int(n), nil
}

// sendHello and readHello have until until, which is taken back after the last.

func sendHello(c net.Conn, max int, until time.Time) error {
	if err := c.SetDeadline(until); err != nil {
		return err
	}
	_, err := c.Write(appendHello(nil, max))
	return err
}

func readHello(c net.Conn, until time.Time) (max int, err error) {
	if err := c.SetDeadline(until); err != nil {
		return 0, err
	}
	var b [helloSize]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return 0, err
	}
	return parseHello(b[:])
}
