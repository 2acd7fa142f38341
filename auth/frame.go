package auth

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/reeveq/reeve/auth/cpace"
)

// A handshake frame is type(1) length(2, big endian) body(<= maxBody).
const (
	frameC1 = 0x01 // client: version suite kidlen kid Ya
	frameS1 = 0x02 // master: version suite Yb
	frameC2 = 0x03 // client: its proof
	frameS2 = 0x04 // master: its proof
	frameER = 0x7f // master, instead of S1 or S2: code retry-after(2, s) text

	headerSize = 3
	maxBody    = 512
	maxERText  = 200

	handshakeVersion = 1
	suiteCPace255    = 1

	proofSize = 64
)

// Codes of ER. Append, never reorder.
const (
	erRejected  = 1 // the proof is wrong, or the key id is not known
	erThrottled = 2 // too many failures: come back after retry-after
	erMalformed = 3 // C1 or C2 is not what this protocol says
)

var errFrame = errors.New("malformed handshake frame")

// readFrame reads one whole frame, header included. The type must be one of
// want. An end of the stream inside the frame is io.ErrUnexpectedEOF.
func readFrame(r io.Reader, want ...byte) ([]byte, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	known := false
	for _, w := range want {
		known = known || head[0] == w
	}
	if !known {
		return nil, fmt.Errorf("%w: unexpected type %#02x", errFrame, head[0])
	}
	n := int(binary.BigEndian.Uint16(head[1:]))
	if n > maxBody {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", errFrame, n, maxBody)
	}
	frame := make([]byte, headerSize+n)
	copy(frame, head[:])
	if _, err := io.ReadFull(r, frame[headerSize:]); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return frame, nil
}

// newFrame makes a frame of parts. The caller keeps them within maxBody.
func newFrame(typ byte, parts ...[]byte) []byte {
	b := []byte{typ, 0, 0}
	for _, p := range parts {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint16(b[1:], uint16(len(b)-headerSize))
	return b
}

// helloAD is the associated data of C1: its body without the share.
func helloAD(kid string) []byte {
	return append([]byte{handshakeVersion, suiteCPace255, byte(len(kid))}, kid...)
}

// answerAD is the associated data of S1.
func answerAD() []byte { return []byte{handshakeVersion, suiteCPace255} }

// parseC1 takes a frame of type C1 apart. The results alias it.
func parseC1(frame []byte) (kid string, share []byte, err error) {
	b := frame[headerSize:]
	if len(b) < 3 {
		return "", nil, fmt.Errorf("%w: C1 is too short", errFrame)
	}
	if b[0] != handshakeVersion || b[1] != suiteCPace255 {
		return "", nil, fmt.Errorf("%w: C1 has version %d and suite %d, want %d and %d", errFrame, b[0], b[1], handshakeVersion, suiteCPace255)
	}
	n := int(b[2])
	if len(b) != 3+n+cpace.ShareSize {
		return "", nil, fmt.Errorf("%w: C1 has a wrong length", errFrame)
	}
	kid = string(b[3 : 3+n])
	if !validKeyID(kid) {
		return "", nil, fmt.Errorf("%w: C1 has an invalid key id", errFrame)
	}
	return kid, b[3+n:], nil
}

// parseS1 takes a frame of type S1 apart. The result aliases it.
func parseS1(frame []byte) (share []byte, err error) {
	b := frame[headerSize:]
	if len(b) != 2+cpace.ShareSize || b[0] != handshakeVersion || b[1] != suiteCPace255 {
		return nil, fmt.Errorf("%w: S1", errFrame)
	}
	return b[2:], nil
}

func newER(code byte, retry time.Duration, text string) []byte {
	seconds := min((retry+time.Second-1)/time.Second, 1<<16-1)
	if len(text) > maxERText {
		text = text[:maxERText]
	}
	return newFrame(frameER, []byte{code}, binary.BigEndian.AppendUint16(nil, uint16(max(seconds, 0))), []byte(text))
}

// parseER takes a frame of type ER apart. The text is the peer's: unproved, and
// possibly hostile.
func parseER(frame []byte) (code byte, retry time.Duration, text string, err error) {
	b := frame[headerSize:]
	if len(b) < 3 || len(b) > 3+maxERText || !utf8.Valid(b[3:]) {
		return 0, 0, "", fmt.Errorf("%w: ER", errFrame)
	}
	return b[0], time.Duration(binary.BigEndian.Uint16(b[1:])) * time.Second, string(b[3:]), nil
}
