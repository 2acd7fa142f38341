package file

import (
	"errors"
	"io"
	"maps"
	"slices"
)

// patchFS is a file system to read only, of which files the disk gives some
// parts no more: there they have zeros.
type patchFS struct{ fsys }

func (p patchFS) open(name string, _ bool) (file, error) {
	f, err := p.fsys.open(name, false)
	if err != nil {
		return nil, err
	}
	return &patchedFile{file: f, holes: make(map[int64]error)}, nil
}

// patchStep is how much of a file is given up for one byte that cannot be read.
const patchStep = 4096

// patchedFile is a file of patchFS.
type patchedFile struct {
	file
	holes map[int64]error // by offset: patchStep bytes that cannot be read, and why
}

func (p *patchedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.file.ReadAt(b, off)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	for n = 0; n < len(b); {
		at := off + int64(n)
		step := at - at%patchStep
		part := b[n:min(len(b), n+int(step+patchStep-at))]
		got, err := 0, p.holes[step]
		if err == nil {
			got, err = p.file.ReadAt(part, at)
		}
		if errors.Is(err, io.EOF) {
			return n + got, io.EOF
		}
		if err != nil {
			clear(part)
			p.holes[step] = err
		}
		n += len(part)
	}
	return n, nil
}

// dropped are the holes in the first limit bytes.
func (p *patchedFile) dropped(name string, limit int64) []Dropped {
	var all []Dropped
	for _, off := range slices.Sorted(maps.Keys(p.holes)) {
		if off >= limit {
			break
		}
		bytes := min(patchStep, limit-off)
		if n := len(all); n > 0 && all[n-1].Offset+all[n-1].Bytes == off {
			all[n-1].Bytes += bytes
			continue
		}
		all = append(all, Dropped{name, off, bytes, "cannot be read: " + p.holes[off].Error()})
	}
	return all
}
