//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package file

import (
	"errors"
	"os"
)

// tryLock cannot: without a lock that ends with its process two masters could
// write one journal.
func tryLock(f *os.File, shared bool) (held bool, err error) {
	return false, &os.PathError{Op: "lock", Path: f.Name(), Err: errors.ErrUnsupported}
}
