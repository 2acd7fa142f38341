package backup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"github.com/reeveq/reeve/journal"
)

// Reader reads a backup. It is not safe for concurrent use.
type Reader struct {
	r      *bufio.Reader
	name   string
	header Header
	next   journal.Pos
	at     int64 // how much was read
	sum    uint32
	frames uint64
	data   uint64
	frame  []byte // the last one
	err    error  // that ended it
}

// NewReader begins to read a backup from r, which errors call name. It is
// [ErrFormat] if r is none, journal.ErrNewer if it is one of a later version,
// [ErrIncomplete] if there is not even a whole header, and a
// *journal.CorruptError if that is damaged.
func NewReader(r io.Reader, name string) (*Reader, error) {
	b := &Reader{r: bufio.NewReaderSize(r, 64<<10), name: name}
	if err := b.readLine(); err != nil {
		return nil, err
	}
	var head [headerLen - len(line)]byte
	if err := b.read(head[:], "its header"); err != nil {
		return nil, err
	}
	sum := crc32.Update(crc32.Checksum([]byte(line), table), table, head[:24])
	b.header = Header{
		First: journal.Pos(binary.LittleEndian.Uint64(head[0:])),
		Last:  journal.Pos(binary.LittleEndian.Uint64(head[8:])),
		Time:  time.Unix(0, int64(binary.LittleEndian.Uint64(head[16:]))),
	}
	if binary.LittleEndian.Uint32(head[24:]) != sum {
		return nil, b.corrupt(0, 0, "the header's checksum does not match")
	}
	if err := b.header.validate(); err != nil {
		return nil, b.corrupt(0, 0, err.Error()+" cannot be")
	}
	b.next = b.header.First
	return b, nil
}

// readLine reads the first line, and tells apart what else it may be.
func (b *Reader) readLine() error {
	got := make([]byte, len(line))
	n, err := io.ReadFull(b.r, got)
	switch got := string(got[:n]); {
	case got == line:
		b.at, b.sum = int64(n), crc32.Checksum([]byte(got), table)
		return nil
	case err != nil && !isEnd(err):
		return b.failed(err)
	case n > 0 && strings.HasPrefix(line, got):
		return fmt.Errorf("%w: %s ends in its first line", ErrIncomplete, b.name)
	case strings.HasPrefix(got, Magic):
		return fmt.Errorf("%w: %s, a backup of version %.10q", journal.ErrNewer, b.name, strings.TrimSpace(got[len(Magic):]))
	}
	return fmt.Errorf("%w: %s", ErrFormat, b.name)
}

// Header is what the backup says of itself.
func (b *Reader) Header() Header { return b.header }

// Next returns the next frame, which is the caller's until the next call. After
// the last one it is io.EOF, and only then the backup is whole: it is
// [ErrIncomplete] when it was cut off, and a *journal.CorruptError when it is
// damaged.
func (b *Reader) Next() (journal.Pos, []byte, error) {
	if b.err != nil {
		return 0, nil, b.err
	}
	p, err := b.readNext()
	if err != nil {
		b.err = err
		return 0, nil, err
	}
	return p, b.frame, nil
}

func (b *Reader) readNext() (journal.Pos, error) {
	start := b.at
	where := fmt.Sprintf("frame %d of %d", b.next, b.header.Last)
	if b.next > b.header.Last {
		where = "its end"
	}
	var head [recordLen]byte
	if err := b.read(head[:8], where); err != nil {
		return 0, err
	}
	p := journal.Pos(binary.LittleEndian.Uint64(head[:]))
	switch {
	case b.next > b.header.Last:
		return 0, b.readEnd(start, p)
	case p != b.next:
		return 0, b.corrupt(start, b.next, fmt.Sprintf("frame %d stands there", p))
	}
	if err := b.read(head[8:], where); err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(head[8:])
	if n == 0 || n > MaxFrame {
		return 0, b.corrupt(start, p, fmt.Sprintf("a length of %d bytes", n))
	}
	if err := b.readFrame(int(n), where); err != nil {
		return 0, err
	}
	if crc32.Update(crc32.Checksum(head[:12], table), table, b.frame) != binary.LittleEndian.Uint32(head[12:]) {
		return 0, b.corrupt(start, p, "its checksum does not match")
	}
	b.next++
	b.frames++
	b.data += uint64(n)
	return p, nil
}

// readEnd reads what stands behind the first number of the end, and makes sure
// that nothing comes after it.
func (b *Reader) readEnd(start int64, zero journal.Pos) error {
	before := b.sum
	var end [endLen - 8]byte
	if err := b.read(end[:], "its end"); err != nil {
		return err
	}
	if zero != 0 || binary.LittleEndian.Uint64(end[0:]) != b.frames || binary.LittleEndian.Uint64(end[8:]) != b.data {
		return b.corrupt(start, 0, "an end that does not fit what stands before it")
	}
	if crc32.Update(before, table, end[:16]) != binary.LittleEndian.Uint32(end[16:]) {
		return b.corrupt(start, 0, "the checksum of the whole does not match")
	}
	switch _, err := b.r.ReadByte(); {
	case err == nil:
		return b.corrupt(b.at, 0, "something stands after the end")
	case err != io.EOF:
		return b.failed(err)
	}
	return io.EOF
}

// step is how much room is made for a frame at a time: nothing is allocated on
// the word of a length.
const step = 1 << 20

func (b *Reader) readFrame(n int, where string) error {
	b.frame = b.frame[:0]
	for len(b.frame) < n {
		at, more := len(b.frame), min(n-len(b.frame), max(step, len(b.frame)))
		if cap(b.frame)-at < more {
			b.frame = append(b.frame, make([]byte, more)...)
		} else {
			b.frame = b.frame[:at+more]
		}
		if err := b.read(b.frame[at:], where); err != nil {
			return err
		}
	}
	return nil
}

func (b *Reader) read(p []byte, where string) error {
	n, err := io.ReadFull(b.r, p)
	b.sum = crc32.Update(b.sum, table, p[:n])
	b.at += int64(n)
	switch {
	case err == nil:
		return nil
	case isEnd(err):
		return fmt.Errorf("%w: %s was cut off in %s, after %d bytes", ErrIncomplete, b.name, where, b.at)
	}
	return b.failed(err)
}

func (b *Reader) failed(err error) error {
	return fmt.Errorf("backup: cannot read %s: %w", b.name, err)
}

func (b *Reader) corrupt(at int64, p journal.Pos, reason string) error {
	return &journal.CorruptError{File: b.name, Offset: at, Pos: p, Reason: reason}
}

func isEnd(err error) bool { return err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) }
