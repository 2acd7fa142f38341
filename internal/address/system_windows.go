package address

import (
	"errors"
	"os"
	"syscall"
)

// private does nothing: who may use the socket is up to its folder.
func private(_, _ string, _ syscall.RawConn) error { return nil }

// makePrivate does nothing either.
func makePrivate(string) error { return nil }

// connectionRefused is the number that Windows gives for it.
const connectionRefused = syscall.Errno(10061)

func isRefused(err error) bool { return errors.Is(err, connectionRefused) }

// tryLock does nothing: a folder cannot be locked.
func tryLock(*os.File) bool { return true }
