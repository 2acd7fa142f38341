package blob

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/reeveq/reeve"
)

// files is the Backend that keeps each blob in a file: DIR/ab/abcd… for the one
// whose hash has these digits. What is not a blob yet is in DIR/*.tmp.
type files struct{ dir string }

// NewFiles is a [Backend] that keeps contents in files below dir, which is made
// if need be. A directory is one master's.
func NewFiles(dir string) Backend { return &files{dir: dir} }

const (
	unfinished = ".tmp"
	damaged    = ".damaged"
)

func (f *files) path(hash reeve.BlobHash) string {
	digits := hash.String()
	return filepath.Join(f.dir, digits[:2], digits)
}

func (f *files) Load(found func(reeve.BlobHash, int64)) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fullOr(err)
	}
	if err := syncDir(filepath.Dir(filepath.Clean(f.dir))); err != nil {
		return fullOr(err)
	}
	return filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if path != f.dir && len(d.Name()) != 2 {
				return fs.SkipDir
			}
			return nil
		case strings.HasSuffix(d.Name(), unfinished):
			return os.Remove(path)
		}
		var hash reeve.BlobHash
		if hash.UnmarshalText([]byte(d.Name())) != nil || path != f.path(hash) {
			return nil // not one of ours, or set aside
		}
		i, err := d.Info()
		if err == nil && i.Mode().IsRegular() {
			found(hash, i.Size())
		}
		return err
	})
}

func (f *files) Create() (Writer, error) {
	t, err := os.CreateTemp(f.dir, "*"+unfinished)
	if err != nil {
		return nil, fullOr(err)
	}
	return &fileWriter{to: f, File: t}, nil
}

func (f *files) ReadAt(hash reeve.BlobHash, p []byte, off int64) error {
	t, err := os.Open(f.path(hash))
	if err != nil {
		return err
	}
	defer t.Close()
	n, err := t.ReadAt(p, off)
	if n < len(p) && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if n == len(p) {
		return nil
	}
	return err
}

func (f *files) Remove(hash reeve.BlobHash) error {
	err := os.Remove(f.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f *files) SetAside(hash reeve.BlobHash) (string, error) {
	path := f.path(hash)
	err := os.Rename(path, path+damaged)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return path, err
}

type fileWriter struct {
	*os.File
	to *files
}

func (w *fileWriter) Write(p []byte) (int, error) {
	n, err := w.File.Write(p)
	return n, fullOr(err)
}

func (w *fileWriter) Sync() error { return fullOr(w.File.Sync()) }

func (w *fileWriter) Commit(hash reeve.BlobHash) error {
	path := w.to.path(hash)
	err := w.Close()
	if err == nil {
		err = w.to.makeDir(filepath.Dir(path))
	}
	if err == nil {
		err = os.Rename(w.Name(), path)
	}
	if err != nil {
		os.Remove(w.Name())
		return fullOr(err)
	}
	return fullOr(syncDir(filepath.Dir(path)))
}

// makeDir makes a directory below that of the files, durably.
func (f *files) makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return syncDir(f.dir)
}

func (w *fileWriter) Abort() {
	w.Close()
	os.Remove(w.Name()) // what stays is removed at the next start
}

// fullOr is err, which matches [reeve.ErrJournalFull] too if it says that there is
// no space.
func fullOr(err error) error {
	if err != nil && isFull(err) {
		return fmt.Errorf("%w: blobs: %w", reeve.ErrJournalFull, err)
	}
	return err
}
