package blob

import (
	"bytes"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/reeveq/reeve"
)

// memory is the Backend that keeps contents in memory.
type memory struct {
	mu    sync.RWMutex // guards the field below
	blobs map[reeve.BlobHash]*content
}

// content is never changed once it is a blob.
type content struct {
	parts [][]byte
	ends  []int64 // of the parts, in the content
}

// NewMemory is a [Backend] that keeps contents in memory.
func NewMemory() Backend { return &memory{blobs: map[reeve.BlobHash]*content{}} }

func (m *memory) Load(func(reeve.BlobHash, int64)) error { return nil }

func (m *memory) Create() (Writer, error) { return &memoryWriter{to: m}, nil }

func (m *memory) ReadAt(hash reeve.BlobHash, p []byte, off int64) error {
	m.mu.RLock()
	c := m.blobs[hash]
	m.mu.RUnlock()
	if c == nil {
		return fs.ErrNotExist
	}
	i, _ := slices.BinarySearch(c.ends, off+1) // the first part that ends behind it
	for ; len(p) > 0 && i < len(c.parts); i++ {
		part := c.parts[i]
		n := copy(p, part[int64(len(part))-(c.ends[i]-off):])
		p, off = p[n:], off+int64(n)
	}
	if len(p) > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (m *memory) Remove(hash reeve.BlobHash) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.blobs, hash)
	return nil
}

func (m *memory) SetAside(hash reeve.BlobHash) (string, error) { return "memory", m.Remove(hash) }

type memoryWriter struct {
	to *memory
	c  content
}

// minPart is up to where what comes in small pieces is put together: each part
// takes more than its bytes.
const minPart = 64 << 10

func (w *memoryWriter) Write(p []byte) (int, error) {
	end, last := int64(len(p)), len(w.c.ends)-1
	if last >= 0 {
		end += w.c.ends[last]
	}
	switch {
	case len(p) == 0:
	case last >= 0 && len(w.c.parts[last])+len(p) <= minPart:
		w.c.parts[last], w.c.ends[last] = append(w.c.parts[last], p...), end
	default:
		w.c.parts, w.c.ends = append(w.c.parts, bytes.Clone(p)), append(w.c.ends, end)
	}
	return len(p), nil
}

func (w *memoryWriter) Sync() error { return nil }

func (w *memoryWriter) Commit(hash reeve.BlobHash) error {
	w.to.mu.Lock()
	defer w.to.mu.Unlock()
	w.to.blobs[hash] = &w.c
	return nil
}

func (w *memoryWriter) Abort() { w.c = content{} }
