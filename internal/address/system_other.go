//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package address

import (
	"errors"
	"os"
	"syscall"
)

// private does nothing: the mode is set a moment after the file is made.
func private(_, _ string, _ syscall.RawConn) error { return nil }

// makePrivate is private where that has no effect.
func makePrivate(path string) error { return os.Chmod(path, 0o600) }

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// tryLock does nothing: a folder cannot be locked.
func tryLock(*os.File) bool { return true }
