package file

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/reeveq/reeve/journal"
)

// scanStep is how much is read at once.
const scanStep = 1 << 20

// scanner goes through the frames of one segment and checks each.
type scanner struct {
	f     io.ReaderAt
	id    uint64
	first journal.Pos // of the segment
	off   int64       // of the next frame
	next  journal.Pos // its number
	limit int64       // how many bytes of the file count

	buf  []byte // kept between segments
	at   int64  // the file's offset of buf[0]
	have int    // bytes of buf that were read
}

// begin sets the scanner on a segment's first frame.
func (s *scanner) begin(f io.ReaderAt, id uint64, first journal.Pos, limit int64) {
	s.f, s.id, s.first, s.limit = f, id, first, limit
	s.off, s.next = frameStart, first
	s.at, s.have = 0, 0
}

// again has the scanner read what it has read before.
func (s *scanner) again() { s.have = 0 }

// window returns the n bytes at off, or those that there are. They are the
// scanner's, until the next call.
func (s *scanner) window(off int64, n int) ([]byte, error) {
	n = int(max(0, min(int64(n), s.limit-off)))
	if off < s.at || off+int64(n) > s.at+int64(s.have) {
		if err := s.load(off, n); err != nil {
			return nil, err
		}
		n = min(n, s.have) // the file may be shorter than it was
	}
	i := int(off - s.at)
	return s.buf[i : i+n], nil
}

// ahead returns what was read from off on: a header at least, or what there is.
func (s *scanner) ahead(off int64) ([]byte, error) {
	if _, err := s.window(off, headerSize); err != nil {
		return nil, err
	}
	return s.buf[off-s.at : s.have], nil
}

// load reads at off, n bytes at least unless the file ends.
func (s *scanner) load(off int64, n int) error {
	kept := 0
	if off >= s.at && off < s.at+int64(s.have) {
		kept = copy(s.buf, s.buf[off-s.at:s.have])
	}
	want := max(n, int(min(scanStep, s.limit-off)))
	if want > len(s.buf) {
		grown := make([]byte, want)
		copy(grown, s.buf[:kept])
		s.buf = grown
	}
	want = int(min(int64(len(s.buf)), s.limit-off))
	got := 0
	if want > kept {
		var err error
		got, err = s.f.ReadAt(s.buf[kept:want], off+int64(kept))
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	s.at, s.have = off, kept+got
	return nil
}

// What stands where a frame should.
type found int

const (
	foundFrame found = iota
	foundSeal        // the segment ends here
	foundNone        // zeros: nothing was written yet
	foundBad
)

// step reads the next frame, which is the scanner's until the next call, and
// goes behind it; anything else it stays before, and says why that is no frame.
// An error is that of reading.
func (s *scanner) step() (what found, frame []byte, why string, err error) {
	head, err := s.window(s.off, headerSize)
	if err != nil {
		return foundBad, nil, "", err
	}
	if isZero(head) {
		return foundNone, nil, "no frame is there", nil
	}
	if len(head) < headerSize {
		return foundBad, nil, "the file ends in the frame's header", nil
	}
	h, ok := decodeFrameHeader(head, place(s.id, s.first, s.off))
	switch {
	case !ok:
		return foundBad, nil, "the frame's header is damaged", nil
	case h.pos != s.next:
		return foundBad, nil, fmt.Sprintf("frame %d stands there", h.pos), nil
	case h.flags&flagSeal != 0:
		return foundSeal, nil, "the segment ends there", nil
	case h.length == 0 || h.length > maxFrame:
		return foundBad, nil, "the frame's length is none", nil
	case int64(h.length) > s.limit-s.off-headerSize:
		return foundBad, nil, "the file ends in the frame", nil
	}
	whole, err := s.window(s.off, headerSize+int(h.length))
	if err != nil {
		return foundBad, nil, "", err
	}
	frame = whole[headerSize:]
	if len(frame) < int(h.length) || crc32.Checksum(frame, castagnoli) != h.crc {
		return foundBad, nil, "the frame's checksum is another", nil
	}
	s.off += frameSize(len(frame))
	s.next++
	return foundFrame, frame, "", nil
}

// rest looks at everything from the scanner's place on, where no good frame is.
// synced is the last frame that was durable when one of those behind was
// written, as far as their headers are whole; end is as in headers.
func (s *scanner) rest() (synced journal.Pos, end int64, err error) {
	end, err = s.headers(s.off, func(_ int64, h frameHeader) bool {
		synced = max(synced, h.synced)
		return true
	})
	return synced, end, err
}

// headers calls f for every whole header of a frame or seal from off on, until f
// returns false. end is the offset behind the last byte that was seen and is not
// zero, or off when there was none.
func (s *scanner) headers(off int64, f func(off int64, h frameHeader) bool) (end int64, err error) {
	for end = off; off < s.limit; {
		b, err := s.ahead(off)
		if err != nil || len(b) == 0 {
			return end, err
		}
		step := len(b)
		if off+int64(step) < s.limit {
			step = max(alignment, (step-headerSize)&^(alignment-1)) // a header may lie across
		}
		for i := 0; i < step && i < len(b); i += alignment {
			word := b[i:min(i+alignment, len(b))]
			if isZero(word) {
				continue
			}
			at := off + int64(i)
			end = at + int64(len(word))
			if len(b)-i < headerSize || le.Uint32(word) != frameMagic {
				continue
			}
			if h, ok := decodeFrameHeader(b[i:], place(s.id, s.first, at)); ok && !f(at, h) {
				return end, nil
			}
		}
		off += int64(step)
	}
	return end, nil
}

// frames passes on the segment's frames up to the next segment's first, which
// has to begin where that says they end.
func (s *scanner) frames(ctx context.Context, name string, next journal.Pos, f func(p journal.Pos, off int64, frame []byte) error) error {
	for s.next < next {
		if err := ctx.Err(); err != nil {
			return err
		}
		pos, off := s.next, s.off
		what, frame, why, err := s.step()
		if err != nil {
			return err
		}
		if what != foundFrame {
			return &journal.CorruptError{File: name, Offset: off, Pos: pos, Reason: why}
		}
		if err := f(pos, off, frame); err != nil {
			return err
		}
	}
	if s.off != s.limit {
		return &journal.CorruptError{File: name, Offset: s.off, Pos: next, Reason: "the next segment begins with this frame"}
	}
	return nil
}

func isZero(b []byte) bool {
	for len(b) >= 8 {
		if le.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
