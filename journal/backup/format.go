// Package backup is the file that a backup of a journal is: its frames up to
// one that was durable, in their order, from which a journal is made again. A
// [Writer] writes one, a [Reader] reads it and knows a whole one from one that
// was cut off.
//
// It knows nothing of what is in frames, and neither masters nor directories:
// it goes from and to any stream.
//
// The file is the line "reeve backup 1" with its line feed; a header; a record
// for each frame; and an end. All numbers are little endian, all checksums
// CRC-32C.
//
//	header  first uint64, last uint64, time int64 (Unix nanoseconds), checksum uint32 of all before
//	frame   number uint64, length uint32, checksum uint32 of number, length and data, data
//	end     0 uint64, frames uint64, bytes of data uint64, checksum uint32 of these and of the whole file before
//
// Frames are numbered first to last without a gap; a backup of an empty journal
// has none, and its first is last plus one.
package backup

import (
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/reeveq/reeve/journal"
)

// Magic is how every backup begins, whatever its version.
const Magic = "reeve backup "

const (
	line      = Magic + "1\n"
	headerLen = len(line) + 8 + 8 + 8 + 4
	recordLen = 8 + 4 + 4
	endLen    = 8 + 8 + 8 + 4
)

// MaxFrame is the longest frame that a backup can have, in bytes.
const MaxFrame = 1<<31 - 1

var table = crc32.MakeTable(crc32.Castagnoli)

// Header says what a backup has.
type Header struct {
	First, Last journal.Pos // of the frames; First is Last+1 if there are none
	Time        time.Time   // when it was begun
}

func (h *Header) validate() error {
	if h.First == 0 || h.First-1 > h.Last {
		return fmt.Errorf("frames %d to %d", h.First, h.Last)
	}
	return nil
}

// The errors of a [Reader], besides journal.ErrNewer and *journal.CorruptError.
var (
	// ErrFormat: it is no backup at all.
	ErrFormat = errors.New("backup: not a backup")
	// ErrIncomplete: the backup was cut off, and is not to be used.
	ErrIncomplete = errors.New("backup: incomplete")
)
