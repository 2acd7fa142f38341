//go:build unix

package auth

import (
	"fmt"
	"io/fs"
)

// checkPrivate refuses a regular file that others than its owner may read.
// Pipes and devices (process substitution, /dev/stdin) have no modes that mean
// anything.
func checkPrivate(info fs.FileInfo) error {
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return fmt.Errorf("group or others may read it (mode %#o); chmod 600 it", mode.Perm())
	}
	return nil
}
