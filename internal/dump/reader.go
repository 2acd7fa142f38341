package dump

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// Reader reads a dump. It is not safe for concurrent use.
type Reader struct {
	r       *bufio.Reader
	name    string
	line    int64  // the number of the last one
	ahead   []byte // the last one, if it is yet to be taken
	last    uint64 // number of the last frame
	records int64
	err     error // that ended it
}

// NewReader begins to read a dump from r, which errors call name. It is
// [ErrFormat] if r is none, journal.ErrNewer if it is one of a later version,
// [ErrPart] if it is one of a single queue, and [ErrIncomplete] if there is not
// even a first line.
func NewReader(r io.Reader, name string) (*Reader, error) {
	d := &Reader{r: bufio.NewReaderSize(r, 64<<10), name: name}
	text, err := d.next()
	var h header
	switch {
	case err != nil && !errors.Is(err, ErrIncomplete):
		return nil, err
	case len(text) == 0, !bytes.HasPrefix(text, []byte(Magic)[:min(len(text), len(Magic))]):
		return nil, fmt.Errorf("%w: %s", ErrFormat, name)
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(text, &h); err != nil || h.Version < 1 {
		return nil, d.wrong("%w: the first line is %.100q", ErrFormat, text)
	}
	switch {
	case h.Version > Version:
		return nil, fmt.Errorf("%w: %s, a dump of version %d", journal.ErrNewer, name, h.Version)
	case h.Queue != "":
		return nil, fmt.Errorf("%w: %s, of %q", ErrPart, name, h.Queue)
	}
	return d, nil
}

// Next returns the next frame and how many records are in it. After the last
// one it is io.EOF, and only then the dump is whole; [ErrIncomplete] when it was
// cut off, and [ErrFormat] with the number of the line when that cannot be read.
func (d *Reader) Next() (frame []byte, records int, err error) {
	if d.err == nil {
		frame, records, d.err = d.readFrame()
	}
	if d.err != nil {
		return nil, 0, d.err
	}
	return frame, records, nil
}

// readFrame reads the lines of one frame, and the one behind them.
func (d *Reader) readFrame() (frame []byte, records int, err error) {
	for {
		text := d.ahead
		if d.ahead = nil; text == nil {
			if text, err = d.next(); err != nil {
				return nil, 0, err
			}
		}
		if bytes.HasPrefix(text, []byte(endMagic)) {
			if records > 0 {
				d.ahead = text
				return frame, records, nil
			}
			return nil, 0, d.readEnd(text)
		}
		no, time, rec, err := record.ParseLine(text)
		switch {
		case err != nil:
			return nil, 0, d.wrong("%w: %w", ErrFormat, err)
		case no < d.last:
			return nil, 0, d.wrong("%w: frame %d stands behind frame %d", ErrFormat, no, d.last)
		case records > 0 && no > d.last:
			d.ahead = text
			return frame, records, nil
		case records == 0 && no == d.last:
			return nil, 0, d.wrong("%w: frame %d, want a number above 0", ErrFormat, no)
		case records == 0:
			frame = record.AppendHead(nil, record.Head{Time: time})
			d.last = no
		}
		frame = append(frame, rec...)
		records++
		d.records++
	}
}

func (d *Reader) readEnd(text []byte) error {
	var e end
	if err := json.Unmarshal(text, &e); err != nil || !e.End {
		return d.wrong("%w: the last line is %.100q", ErrFormat, text)
	}
	if e.Records != d.records {
		return d.wrong("%w: %d records, of %d that are said to be there", ErrIncomplete, d.records, e.Records)
	}
	for {
		rest, err := d.r.ReadBytes('\n')
		switch {
		case len(bytes.TrimSpace(rest)) > 0:
			return d.wrong("%w: something stands after the end", ErrFormat)
		case err == io.EOF:
			return io.EOF
		case err != nil:
			return d.failed(err)
		}
	}
}

// next reads a line that is not empty. There is always one more before the end.
// With ErrIncomplete it returns what is there of one.
func (d *Reader) next() ([]byte, error) {
	for {
		text, err := d.r.ReadBytes('\n')
		text = bytes.TrimSpace(text)
		d.line++
		switch {
		case err != nil && err != io.EOF:
			return nil, d.failed(err)
		case err == nil && len(text) > 0:
			return text, nil
		case err == io.EOF && bytes.HasPrefix(text, []byte(endMagic)) && json.Valid(text):
			return text, nil // whole, without its line break
		case err == io.EOF:
			return text, fmt.Errorf("%w: %s was cut off in line %d", ErrIncomplete, d.name, d.line)
		}
	}
}

func (d *Reader) wrong(format string, args ...any) error {
	return fmt.Errorf("%w (%s, line %d)", fmt.Errorf(format, args...), d.name, d.line)
}

func (d *Reader) failed(err error) error { return fmt.Errorf("dump: cannot read %s: %w", d.name, err) }
