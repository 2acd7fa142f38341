package file

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
)

const (
	sectorSize = 512  // what a disk writes
	fsBlock    = 4096 // what a file system gives
)

// inode is a file of crashFS: what programs see, and per sector what else the
// disk may hold.
type inode struct {
	data   []byte // as programs see it
	size   int64  // that is durable
	sizes  []int64
	dirty  map[int64]*sector // by number: what was changed since the last sync
	stale  map[int64][]byte  // what the disk has, where a sync failed: no later one writes it
	blocks map[int64]bool    // that take space
	opens  int
	linked bool
}

// sector is what one was on the disk, and was since, besides what it is.
type sector struct {
	old    []byte   // nil: zeros
	since  [][]byte // some of the versions between
	lo, hi int      // what was written: the rest cannot be garbled
}

func newInode() *inode {
	return &inode{dirty: make(map[int64]*sector), stale: make(map[int64][]byte), blocks: make(map[int64]bool), linked: true}
}

func (i *inode) space() int64 { return int64(len(i.blocks)) * fsBlock }

// sector gives a copy of what programs see of one; nil: nothing, it lies behind
// the end.
func (i *inode) sector(n int64) []byte {
	lo := n * sectorSize
	if lo >= int64(len(i.data)) {
		return nil
	}
	s := make([]byte, sectorSize)
	copy(s, i.data[lo:])
	return s
}

// soil notes that the bytes [lo, hi) are about to change.
func (i *inode) soil(lo, hi int64) {
	for n := lo / sectorSize; n*sectorSize < hi; n++ {
		s := i.dirty[n]
		from, to := int(max(lo-n*sectorSize, 0)), int(min(hi-n*sectorSize, sectorSize))
		if s == nil {
			s = &sector{old: i.sector(n), lo: from, hi: to}
			if old, ok := i.stale[n]; ok {
				s.old = old
				delete(i.stale, n)
			}
			i.dirty[n] = s
			continue
		}
		if len(s.since) < 4 {
			s.since = append(s.since, i.sector(n))
		}
		s.lo, s.hi = min(s.lo, from), max(s.hi, to)
	}
}

// resize sets what programs see as the size.
func (i *inode) resize(n int64) {
	if old := int64(len(i.data)); n <= old {
		i.soil(n, old)
		clear(i.data[n:])
		i.data = i.data[:n]
	} else {
		i.data = slices.Grow(i.data, int(n-old))[:n] // what is behind was cleared
	}
	i.sizes = append(i.sizes, n)
}

// synced makes all that programs see durable, but for what a failed sync lost.
func (i *inode) synced() {
	clear(i.dirty)
	i.size, i.sizes = int64(len(i.data)), nil
}

// unsynced is a sync that failed: some of what was to be written never will be,
// and no later sync tells.
func (i *inode) unsynced(rng *rand.Rand) {
	for _, n := range slices.Sorted(maps.Keys(i.dirty)) {
		if rng.IntN(2) == 0 {
			i.stale[n] = i.dirty[n].old
			delete(i.dirty, n)
		}
	}
}

// survive is the file as it is found after a power cut.
func (i *inode) survive(rng *rand.Rand) *inode {
	size := i.size
	if len(i.sizes) > 0 {
		sizes := append(i.sizes[:len(i.sizes):len(i.sizes)], i.size)
		size = sizes[rng.IntN(len(sizes))]
		if small, big := slices.Min(sizes), slices.Max(sizes); rng.IntN(4) == 0 && small < big {
			size = small + rng.Int64N(big-small)
		}
	}
	n := newInode()
	n.data, n.size = make([]byte, size), size
	copy(n.data, i.data)
	put := func(k int64, b []byte) {
		if lo := k * sectorSize; lo < size {
			at := n.data[lo:min(lo+sectorSize, size)]
			clear(at[copy(at, b):])
		}
	}
	for k, old := range i.stale {
		put(k, old)
	}
	mode := rng.IntN(8)
	for _, k := range slices.Sorted(maps.Keys(i.dirty)) {
		put(k, i.found(k, mode, rng))
	}
	for k := range i.blocks {
		if k*fsBlock < size {
			n.blocks[k] = true
		}
	}
	return n
}

// found is a sector that was not synced as it is found. Modes: 0 all are kept,
// 1 all are lost, 2 and 3 none is garbled, others all at random.
func (i *inode) found(k int64, mode int, rng *rand.Rand) []byte {
	s, now := i.dirty[k], i.sector(k)
	if now == nil {
		now = make([]byte, sectorSize)
	}
	lost := make([]byte, sectorSize)
	copy(lost, s.old)
	if mode > 1 {
		kinds := 5
		if mode < 4 {
			kinds = 3
		}
		mode = rng.IntN(kinds)
	}
	switch mode {
	case 0:
		return now
	case 1:
		return lost
	case 2: // as it was once
		if len(s.since) > 0 {
			copy(now, s.since[rng.IntN(len(s.since))])
		}
		return now
	case 3: // torn: its begin is written, its end is not
		copy(lost, now[:s.lo+rng.IntN(s.hi-s.lo+1)])
		return lost
	default: // garbled
		for b := s.lo; b < s.hi; b++ {
			now[b] = byte(rng.Uint32())
		}
		return now
	}
}

// crashFile is an open file of crashFS.
type crashFile struct {
	fs     *crashFS
	ino    *inode
	name   string
	closed bool
}

// step accounts for an operation of the file. The file system is locked.
func (f *crashFile) step(o op) (bool, error) {
	if f.closed {
		return false, &fs.PathError{Op: o.String(), Path: f.name, Err: fs.ErrClosed}
	}
	return f.fs.step(o, f.name)
}

func (f *crashFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if _, err := f.step(opRead); err != nil {
		return 0, err
	}
	if off >= int64(len(f.ino.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.ino.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes as much as there is space for, as file systems do: the rest
// gives the error of a full disk, and so a short write. Blocks that were
// written once need no space.
func (f *crashFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	do, err := f.step(opWrite)
	if !do {
		if short := (*shortWrite)(nil); errors.As(err, &short) {
			return f.put(p[:max(0, min(short.n, len(p)-alignment))], off), err
		}
		return 0, err
	}
	room := f.fs.room(f.ino, off, len(p))
	n := f.put(p[:room], off)
	if err == nil && n < len(p) {
		err = &fs.PathError{Op: "write", Path: f.name, Err: f.fs.full}
	}
	return n, err
}

func (f *crashFile) put(p []byte, off int64) int {
	if len(p) == 0 {
		return 0
	}
	end := off + int64(len(p))
	for b := off / fsBlock; b*fsBlock < end; b++ {
		if !f.ino.blocks[b] {
			f.ino.blocks[b] = true
			f.fs.used += fsBlock
		}
	}
	f.ino.soil(off, end)
	if end > int64(len(f.ino.data)) {
		f.ino.resize(end)
	}
	return copy(f.ino.data[off:], p)
}

// room is how many bytes of a write find space.
func (c *crashFS) room(ino *inode, off int64, n int) int {
	if c.budget == 0 {
		return n
	}
	left := c.budget - c.used
	for b := off / fsBlock; b*fsBlock < off+int64(n); b++ {
		if ino.blocks[b] {
			continue
		}
		if left -= fsBlock; left < 0 {
			return int(max(b*fsBlock-off, 0))
		}
	}
	return n
}

func (f *crashFile) truncate(n int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	do, err := f.step(opTruncate)
	if do {
		f.ino.resize(n)
		maps.DeleteFunc(f.ino.blocks, func(b int64, _ bool) bool {
			gone := b*fsBlock >= n
			if gone {
				f.fs.used -= fsBlock
			}
			return gone
		})
	}
	return err
}

func (f *crashFile) size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if _, err := f.step(opRead); err != nil {
		return 0, err
	}
	return int64(len(f.ino.data)), nil
}

func (f *crashFile) datasync() error { return f.flush(opDatasync) }
func (f *crashFile) sync() error     { return f.flush(opSync) }

func (f *crashFile) flush(o op) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	do, err := f.step(o)
	switch {
	case err == nil, do && f.fs.down:
		f.ino.synced()
	case f.fs.gone() == nil && !f.closed:
		f.ino.unsynced(f.fs.rng)
	}
	return err
}

func (f *crashFile) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return &fs.PathError{Op: "close", Path: f.name, Err: fs.ErrClosed}
	}
	f.closed = true
	if !f.fs.dead {
		if f.ino.opens--; f.ino.opens == 0 {
			delete(f.fs.held, f.ino)
		}
		f.fs.release(f.ino)
	}
	return f.fs.gone()
}

var _ file = (*crashFile)(nil)
