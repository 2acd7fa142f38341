package dump

import (
	"bufio"
	"fmt"
	"io"

	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// Writer writes a dump. It is not safe for concurrent use.
type Writer struct {
	w       *bufio.Writer
	only    *filter // nil: everything
	records int64
}

// NewWriter begins a dump to w: of all records, or, if queue is not empty, of
// those of the queues that have this name while they have it.
func NewWriter(w io.Writer, queue string) (*Writer, error) {
	d := &Writer{w: bufio.NewWriterSize(w, 64<<10)}
	if queue != "" {
		d.only = &filter{name: queue, numbers: map[uint32]bool{}}
	}
	_, err := d.w.Write(marshal(header{Version: Version, Queue: queue}))
	return d, err
}

// Frame writes the records of frame p. A frame that package record does not
// understand is an error of its.
func (d *Writer) Frame(p journal.Pos, frame []byte) error {
	head, rest, err := record.ParseHead(frame)
	for err == nil && len(rest) > 0 {
		var kind record.Kind
		var body []byte
		if kind, body, rest, err = record.Next(rest); err == nil {
			err = d.record(p, head.Time, kind, body)
		}
	}
	if err != nil {
		return fmt.Errorf("frame %d: %w", p, err)
	}
	return nil
}

func (d *Writer) record(p journal.Pos, time int64, kind record.Kind, body []byte) error {
	if d.only != nil {
		if of, err := d.only.has(kind, body); err != nil || !of {
			return err
		}
	}
	line, err := record.MarshalLine(uint64(p), time, kind, body)
	if err != nil {
		return err
	}
	d.records++
	if _, err := d.w.Write(line); err != nil {
		return err
	}
	return d.w.WriteByte('\n')
}

// Records is how many records were written so far.
func (d *Writer) Records() int64 { return d.records }

// Flush hands what was written so far to the stream.
func (d *Writer) Flush() error { return d.w.Flush() }

// Close writes the end, without which a dump is worth nothing. It does not close
// the stream.
func (d *Writer) Close() error {
	if _, err := d.w.Write(marshal(end{End: true, Records: d.records})); err != nil {
		return err
	}
	return d.w.Flush()
}
