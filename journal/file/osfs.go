package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// osFS is the real file system. Its errors name the file.
type osFS struct{}

func (osFS) mkdir(dir string) error { return makeDir(dir, syncDir) }

// makeDir makes dir and its parents, each of them durable before the next one
// is made. What is there already may have been made by a process that was killed
// before it was durable.
func makeDir(dir string, syncDir func(dir string) error) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		// Where a link leads, the entry is elsewhere than the link.
		err := syncDir(dir + string(filepath.Separator) + "..")
		if cannotSync(err) {
			return nil
		}
		return err
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errNotDir}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent, syncDir); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// cannotSync tells the errors of syncing a directory that is somebody else's: it
// may not be read, or it is on a file system where there is nothing to sync.
func cannotSync(err error) bool {
	for _, why := range []error{fs.ErrPermission, errors.ErrUnsupported, syscall.EINVAL, syscall.EROFS} {
		if errors.Is(err, why) {
			return true
		}
	}
	return false
}

func (osFS) open(name string, create bool) (file, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(name, flags, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) rename(from, to string) error {
	return whileShared(func() error { return os.Rename(from, to) })
}

func (osFS) remove(name string) error {
	return whileShared(func() error { return os.Remove(name) })
}

func (osFS) syncDir(dir string) error { return syncDir(dir) }

func (osFS) list(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	return names, errors.Join(err, d.Close())
}

func (osFS) lock(dir string) (func() error, error) { return lockDir(dir) }

// osFile is an open file of osFS.
type osFile struct{ *os.File }

func (f osFile) truncate(size int64) error { return f.Truncate(size) }
func (f osFile) sync() error               { return f.Sync() }

func (f osFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

var errNotDir = errors.New("not a directory")

var (
	_ fsys = osFS{}
	_ file = osFile{}
)
