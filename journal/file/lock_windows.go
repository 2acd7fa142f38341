package file

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock locks f, or reports that somebody else has it. Locked is one byte far
// behind the file's end: those who are refused can read what is in the file.
func tryLock(f *os.File, shared bool) (held bool, err error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if !shared {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	at := windows.Overlapped{OffsetHigh: 1}
	switch err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &at); {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return true, nil
	case err != nil:
		return false, &os.PathError{Op: "LockFileEx", Path: f.Name(), Err: err}
	}
	return false, nil
}
