package record

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the format of frames that this package writes.
const Version = 1

// The errors of reading.
var (
	// ErrNewer: the frame was written by a later version, which this one cannot
	// read.
	ErrNewer = errors.New("record: format of a newer version")
	// ErrMalformed: the bytes are no frame, record or line.
	ErrMalformed = errors.New("record: malformed")
)

// HeadLen is how many bytes a [Head] takes.
const HeadLen = 1 + 8

// AppendHead appends h to b, which begins a frame.
func AppendHead(b []byte, h Head) []byte {
	return appendTime(append(b, Version), h.Time)
}

// ParseHead reads the head of a frame and returns the records behind it, which
// alias the frame. The error matches [ErrNewer] or [ErrMalformed].
func ParseHead(frame []byte) (h Head, records []byte, err error) {
	switch {
	case len(frame) > 0 && frame[0] > Version:
		return Head{}, nil, fmt.Errorf("%w: %d, this is %d", ErrNewer, frame[0], Version)
	case len(frame) < HeadLen || frame[0] != Version:
		return Head{}, nil, fmt.Errorf("%w: a frame of %d bytes without a head", ErrMalformed, len(frame))
	}
	return Head{Time: int64(binary.LittleEndian.Uint64(frame[1:]))}, frame[HeadLen:], nil
}
