package backup

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/reeveq/reeve/journal"
)

// Writer writes a backup. It is not safe for concurrent use.
type Writer struct {
	w      io.Writer
	next   journal.Pos
	last   journal.Pos
	sum    uint32 // of all that was written
	size   int64
	frames uint64
	data   uint64 // bytes of frames
	err    error  // of the write that failed, after which nothing is written
}

// NewWriter begins a backup of the frames that h says, and writes its header to
// w. It buffers nothing: each frame is two writes.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	if err := h.validate(); err != nil {
		return nil, fmt.Errorf("backup: %w cannot be", err)
	}
	b := &Writer{w: w, next: h.First, last: h.Last}
	head := make([]byte, 0, headerLen)
	head = append(head, line...)
	head = binary.LittleEndian.AppendUint64(head, uint64(h.First))
	head = binary.LittleEndian.AppendUint64(head, uint64(h.Last))
	head = binary.LittleEndian.AppendUint64(head, uint64(h.Time.UnixNano()))
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(head, table))
	return b, b.write(head)
}

// Frame writes frame p, which is the next one, and copies nothing of it.
func (b *Writer) Frame(p journal.Pos, frame []byte) error {
	switch {
	case b.err != nil:
		return b.err
	case p != b.next || p > b.last:
		return fmt.Errorf("backup: frame %d where %d of %d is the next", p, b.next, b.last)
	case len(frame) == 0 || len(frame) > MaxFrame:
		return fmt.Errorf("backup: frame %d of %d bytes, want 1 to %d", p, len(frame), MaxFrame)
	}
	var head [recordLen]byte
	binary.LittleEndian.PutUint64(head[:], uint64(p))
	binary.LittleEndian.PutUint32(head[8:], uint32(len(frame)))
	sum := crc32.Update(crc32.Checksum(head[:12], table), table, frame)
	binary.LittleEndian.PutUint32(head[12:], sum)
	if err := b.write(head[:]); err != nil {
		return err
	}
	if err := b.write(frame); err != nil {
		return err
	}
	b.next++
	b.frames++
	b.data += uint64(len(frame))
	return nil
}

// Close writes the end, without which a backup is worth nothing. It is an error
// if frames are missing. It does not close the stream.
func (b *Writer) Close() error {
	switch {
	case b.err != nil:
		return b.err
	case b.next != b.last+1:
		return fmt.Errorf("%w: the next frame is %d of %d", ErrIncomplete, b.next, b.last)
	}
	var end [endLen]byte
	binary.LittleEndian.PutUint64(end[8:], b.frames)
	binary.LittleEndian.PutUint64(end[16:], b.data)
	binary.LittleEndian.PutUint32(end[24:], crc32.Update(b.sum, table, end[:24]))
	if err := b.write(end[:]); err != nil {
		return err
	}
	b.err = fmt.Errorf("backup: %w", journal.ErrClosed)
	return nil
}

// Written is how many bytes and frames were written so far.
func (b *Writer) Written() (bytes, frames int64) { return b.size, int64(b.frames) }

func (b *Writer) write(p []byte) error {
	n, err := b.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		b.err = fmt.Errorf("backup: %w", err)
		return b.err
	}
	b.sum = crc32.Update(b.sum, table, p)
	b.size += int64(n)
	return nil
}
