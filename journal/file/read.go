package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/reeveq/reeve/journal"
)

var errReplayed = errors.New("journal: a replay comes once, and before the first append")

// Replay implements [journal.Journal]. It reads every segment that is kept,
// frames in it that were trimmed included.
func (j *Journal) Replay(ctx context.Context, f func(p journal.Pos, frame []byte) error) (journal.Pos, error) {
	if err := j.usable(); err != nil {
		return 0, err
	}
	if j.replayed {
		return 0, errReplayed
	}
	j.replayed = true
	var s scanner
	for i, seg := range j.segments { // nobody else changes them
		next := j.last + 1
		if i+1 < len(j.segments) {
			next = j.segments[i+1].first
		}
		if err := j.replay(ctx, &s, seg, next, f); err != nil {
			return 0, err
		}
	}
	return j.last, nil
}

// replay passes on one segment's frames, up to next.
func (j *Journal) replay(ctx context.Context, s *scanner, seg *segment, next journal.Pos, f func(journal.Pos, []byte) error) error {
	j.mu.Lock()
	from, err := j.acquireLocked(seg)
	j.mu.Unlock()
	if err != nil {
		return err
	}
	defer j.release(seg)

	var marks segment
	s.begin(from, j.id, seg.first, seg.end)
	err = s.frames(ctx, seg.name, next, func(p journal.Pos, off int64, frame []byte) error {
		marks.note(p, off)
		return f(p, frame)
	})
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	seg.marks = marks.marks
	return nil
}

// readBuffers are what Read looks for headers in.
var readBuffers = sync.Pool{New: func() any { b := make([]byte, markEvery+headerSize); return &b }}

// Read implements [journal.Journal].
func (j *Journal) Read(ctx context.Context, p journal.Pos) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j.mu.Lock()
	seg, from, err := j.findLocked(p)
	if err != nil {
		j.mu.Unlock()
		return nil, err
	}
	f, err := j.acquireLocked(seg)
	end := seg.end
	j.mu.Unlock()
	if err != nil {
		return nil, err
	}
	defer j.release(seg)
	return j.read(ctx, f, seg, from, end, p)
}

// findLocked returns the segment of frame p, and a mark at it or before.
func (j *Journal) findLocked(p journal.Pos) (*segment, mark, error) {
	switch {
	case j.err != nil:
		return nil, mark{}, j.err
	case p < j.trimmed:
		return nil, mark{}, journal.ErrTrimmed
	case p > j.last:
		return nil, mark{}, fmt.Errorf("journal: frame %d was not written: the last one is %d", p, j.last)
	}
	i, found := slices.BinarySearchFunc(j.segments, p, func(s *segment, p journal.Pos) int { return cmp.Compare(s.first, p) })
	if !found {
		i--
	}
	seg := j.segments[i]
	from := mark{seg.first, frameStart}
	i, found = slices.BinarySearchFunc(seg.marks, p, func(m mark, p journal.Pos) int { return cmp.Compare(m.pos, p) })
	if found {
		from = seg.marks[i]
	} else if i > 0 {
		from = seg.marks[i-1]
	}
	return seg, from, nil
}

// read goes from one header to the next until p's. end is that of the frames.
func (j *Journal) read(ctx context.Context, f file, seg *segment, at mark, end int64, p journal.Pos) ([]byte, error) {
	buf := readBuffers.Get().(*[]byte)
	defer readBuffers.Put(buf)
	damaged := func(why string) error {
		return &journal.CorruptError{File: seg.name, Offset: at.off, Pos: at.pos, Reason: why}
	}
	var b []byte // what was read at start
	var start int64
	for {
		if at.off-start+headerSize > int64(len(b)) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			start = at.off
			n, err := f.ReadAt((*buf)[:max(0, min(int64(len(*buf)), end-start))], start)
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			if b = (*buf)[:n]; n < headerSize {
				return nil, damaged("the file ends too early")
			}
		}
		h, ok := decodeFrameHeader(b[at.off-start:], place(j.id, seg.first, at.off))
		if !ok || h.pos != at.pos || h.flags != 0 || h.length > maxFrame || int64(h.length) > end-at.off-headerSize {
			return nil, damaged("the frame's header is damaged")
		}
		if at.pos < p {
			at.pos++
			at.off += frameSize(int(h.length))
			continue
		}
		frame := make([]byte, h.length)
		n := copy(frame, b[at.off-start+headerSize:])
		if n < len(frame) {
			got, err := f.ReadAt(frame[n:], at.off+headerSize+int64(n))
			if err != nil && (!errors.Is(err, io.EOF) || n+got < len(frame)) {
				if errors.Is(err, io.EOF) {
					return nil, damaged("the file ends in the frame")
				}
				return nil, err
			}
		}
		if crc32.Checksum(frame, castagnoli) != h.crc {
			return nil, damaged("the frame's checksum is another")
		}
		return frame, nil
	}
}
