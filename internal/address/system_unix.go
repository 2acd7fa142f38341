//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package address

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// private gives a socket the mode that its file will have. It is not known on
// every system, where the mode is set a moment after the file is made.
func private(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
}

// makePrivate is private where that has no effect.
func makePrivate(path string) error { return os.Chmod(path, 0o600) }

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// tryLock locks a folder until it is closed; false while somebody else has it.
func tryLock(f *os.File) bool {
	return !errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}
