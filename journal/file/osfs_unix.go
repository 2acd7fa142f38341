//go:build !windows

package file

import (
	"errors"
	"os"
	"syscall"
)

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openToLook opens a file to read.
func openToLook(name string) (*os.File, error) { return os.Open(name) }

// whileShared has nothing to wait for: who has a file open is in nobody's way.
func whileShared(f func() error) error { return f() }

// isFull tells the errors of a write that found no space, or no quota.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
