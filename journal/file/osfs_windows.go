package file

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: Windows cannot flush a directory, NTFS keeps a log of
// what is done to it.
func syncDir(string) error { return nil }

// openToLook opens a file to read, so that its owner can rename and remove it
// meanwhile.
func openToLook(name string) (*os.File, error) {
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	share := uint32(windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE)
	h, err := windows.CreateFile(path, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

// A file that another program has open cannot be renamed or removed, and those
// that look for viruses, or make backups, have every file open for a moment.
const (
	sharedTries = 100
	sharedPause = 20 * time.Millisecond
)

// whileShared tries f until no other program is in its way, for two seconds.
func whileShared(f func() error) error {
	for try := 1; ; try++ {
		err := f()
		shared := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !shared || try == sharedTries {
			return err
		}
		time.Sleep(sharedPause)
	}
}

// isFull tells the errors of a write that found no space, or no quota.
func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}
