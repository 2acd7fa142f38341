package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/reeveq/reeve/journal"
)

// version is that of the format. The first 64 bytes of each file are a block
// in every version: else a newer one could not be told from a damaged one.
const version = 1

// The files of a journal.
const (
	lockName    = "LOCK"
	cleanName   = "CLEAN"
	firstName   = "FIRST"
	reserveName = "RESERVE"
	segmentExt  = ".seg"
	tempExt     = ".tmp"
)

const (
	blockSize  = 64
	frameStart = 512 // of the first frame in a segment: the header has its sector
	headerSize = 40  // of a frame
	alignment  = 8   // of frames
	maxFrame   = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var le = binary.LittleEndian

// The magics of blocks.
const (
	segmentMagic = "REEVESEG"
	cleanMagic   = "REEVECLN"
	firstMagic   = "REEVE1ST"
)

// block is what segments begin with, and what CLEAN and FIRST consist of.
type block struct {
	magic string
	id    uint64    // of the journal
	words [4]uint64 // what they mean is the magic's
}

func (b block) encode() []byte {
	p := make([]byte, blockSize)
	copy(p, b.magic)
	le.PutUint32(p[8:], version)
	le.PutUint64(p[16:], b.id)
	for i, w := range b.words {
		le.PutUint64(p[24+8*i:], w)
	}
	le.PutUint32(p[60:], crc32.Checksum(p[:60], castagnoli))
	return p
}

var errBlock = errors.New("the header is damaged")

// decodeBlock returns errBlock, or an error that matches [journal.ErrNewer].
func decodeBlock(p []byte, magic string) (block, error) {
	b := block{magic: magic}
	if len(p) < blockSize || string(p[:8]) != magic || le.Uint32(p[60:]) != crc32.Checksum(p[:60], castagnoli) {
		return b, errBlock
	}
	if v := le.Uint32(p[8:]); v > version {
		return b, fmt.Errorf("%w: %d, and this build knows %d: use the build that wrote it, or a later one",
			journal.ErrNewer, v, version)
	}
	b.id = le.Uint64(p[16:])
	for i := range b.words {
		b.words[i] = le.Uint64(p[24+8*i:])
	}
	return b, nil
}

// segmentHeader is the block of a segment.
type segmentHeader struct {
	id      uint64
	first   journal.Pos // the number of its first frame; all before were durable when it was made
	prev    journal.Pos // that of the segment before; 0: there was none
	prevEnd int64       // where the frames of the segment before end
}

func (h segmentHeader) encode() []byte {
	return block{segmentMagic, h.id, [4]uint64{uint64(h.first), uint64(h.prev), uint64(h.prevEnd)}}.encode()
}

func headerOf(b block) segmentHeader {
	return segmentHeader{b.id, journal.Pos(b.words[0]), journal.Pos(b.words[1]), int64(b.words[2])}
}

const frameMagic = 0x4d_52_46_52 // "RFRM"

// Flags of frames.
const flagSeal = 1 // no frame: the next one is in the next segment, which was durable when this was written

// frameHeader stands before each frame.
type frameHeader struct {
	crc    uint32 // of the frame
	length uint32
	pos    journal.Pos
	synced journal.Pos // the last that was durable when this was written
	flags  uint32
}

// place ties a frame's header to where it stands: one that was copied, into a
// frame for example, is none.
func place(id uint64, first journal.Pos, off int64) uint32 {
	x := id ^ uint64(first)*0x9e3779b97f4a7c15 ^ uint64(off)*0xbf58476d1ce4e5b9
	return uint32(x>>32) ^ uint32(x)
}

func (h frameHeader) encode(p []byte, place uint32) {
	le.PutUint32(p, frameMagic)
	le.PutUint32(p[8:], h.crc)
	le.PutUint32(p[12:], h.length)
	le.PutUint64(p[16:], uint64(h.pos))
	le.PutUint64(p[24:], uint64(h.synced))
	le.PutUint32(p[32:], h.flags)
	le.PutUint32(p[36:], 0)
	le.PutUint32(p[4:], place^crc32.Checksum(p[8:headerSize], castagnoli))
}

// decodeFrameHeader: p has headerSize bytes at least.
func decodeFrameHeader(p []byte, place uint32) (h frameHeader, ok bool) {
	if le.Uint32(p) != frameMagic || le.Uint32(p[4:]) != place^crc32.Checksum(p[8:headerSize], castagnoli) {
		return h, false
	}
	return frameHeader{
		crc:    le.Uint32(p[8:]),
		length: le.Uint32(p[12:]),
		pos:    journal.Pos(le.Uint64(p[16:])),
		synced: journal.Pos(le.Uint64(p[24:])),
		flags:  le.Uint32(p[32:]),
	}, true
}

// frameSize is what a frame of n bytes takes in a segment.
func frameSize(n int) int64 {
	return (headerSize + int64(n) + alignment - 1) &^ (alignment - 1)
}

// segmentPath names the segment that begins with a frame.
func segmentPath(dir string, first journal.Pos) string {
	return filepath.Join(dir, fmt.Sprintf("%016x%s", uint64(first), segmentExt))
}

// segmentFirst is the frame that a segment of that name begins with.
func segmentFirst(name string) (first journal.Pos, ok bool) {
	digits, ok := strings.CutSuffix(name, segmentExt)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	return journal.Pos(n), err == nil && n != 0 && strings.ToLower(digits) == digits
}

// ours tells whether a journal makes files of that name. Whatever else is in its
// directory is left alone.
func ours(name string) bool {
	name = strings.TrimSuffix(name, tempExt)
	switch name {
	case lockName, cleanName, firstName, reserveName:
		return true
	}
	_, segment := segmentFirst(name)
	return segment
}
