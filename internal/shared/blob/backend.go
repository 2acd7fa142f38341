package blob

import (
	"fmt"
	"io"

	"github.com/reeveq/reeve"
)

// Backend keeps the contents of blobs. Methods are safe for concurrent use, but
// for what the Store never does: it commits and removes one at a time.
type Backend interface {
	// Load tells of the blobs that are there, and removes what was left behind of
	// others. It is called once, before all else.
	Load(found func(hash reeve.BlobHash, size int64)) error
	// Create begins a content.
	Create() (Writer, error)
	// ReadAt fills p with what a blob has from off on. An error that matches
	// [fs.ErrNotExist] or [io.ErrUnexpectedEOF]: it is not there, or not whole.
	ReadAt(hash reeve.BlobHash, p []byte, off int64) error
	// Remove forgets a blob.
	Remove(hash reeve.BlobHash) error
	// SetAside takes a damaged blob out of the way, and says where it was.
	SetAside(hash reeve.BlobHash) (file string, err error)
}

// Writer is a content that is not a blob yet. One goroutine at a time uses it.
// Errors that match [reeve.ErrJournalFull] say that there is no space.
type Writer interface {
	io.Writer
	// Sync makes what was written durable.
	Sync() error
	// Commit makes it the blob of that name, in place of one that is there: whole,
	// durably, or not at all. It ends the Writer.
	Commit(hash reeve.BlobHash) error
	// Abort ends the Writer, and nothing stays of it.
	Abort()
}

// DamagedError says that the content of a blob is not what it was. It matches
// [reeve.ErrNoSuchBlob]: the blob may be put again.
type DamagedError struct {
	Hash   reeve.BlobHash
	File   string
	Reason string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%v: %v: %s is damaged: %s", reeve.ErrNoSuchBlob, e.Hash, e.File, e.Reason)
}

// Is reports whether target is [reeve.ErrNoSuchBlob].
func (e *DamagedError) Is(target error) bool { return target == reeve.ErrNoSuchBlob }
