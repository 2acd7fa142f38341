package file

import (
	"cmp"
	"fmt"
	"log/slog"
)

// The sizes that a segment may have.
const (
	MinSegmentSize     = 64 << 10
	MaxSegmentSize     = 1 << 30
	DefaultSegmentSize = 16 << 20
)

// Options are what [Open] may be told; the zero value will do.
type Options struct {
	// SegmentSize is how many bytes the files of the journal have, about: those
	// that are written from now on. A frame that is larger has a file of its
	// own. Twice as much is taken at least, one of them the reserve. From
	// [MinSegmentSize] to [MaxSegmentSize]; 0: [DefaultSegmentSize].
	SegmentSize int64

	// Logger is told what was repaired, and when the reserve was used; nil: nobody.
	Logger *slog.Logger

	foreground bool   // no goroutine: what it would do is done at once
	id         uint64 // of a journal that is made; 0: at random
}

func (o Options) withDefaults() Options {
	o.SegmentSize = cmp.Or(o.SegmentSize, DefaultSegmentSize)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	if o.SegmentSize < MinSegmentSize || o.SegmentSize > MaxSegmentSize {
		return fmt.Errorf("file: Options.SegmentSize must be from %d to %d, not %d",
			MinSegmentSize, MaxSegmentSize, o.SegmentSize)
	}
	return nil
}
