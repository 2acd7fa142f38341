package blob

import (
	"errors"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: Windows cannot flush a directory, NTFS keeps a log of
// what is done to it.
func syncDir(string) error { return nil }

// isFull tells the errors of a write that found no space, or no quota.
func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}
