//go:build !windows

package file

import (
	"errors"
	"syscall"
)

// What the system says when it fails.
var (
	errNoSpace  error = syscall.ENOSPC
	errQuota    error = syscall.EDQUOT
	errReadOnly error = syscall.EROFS
	errIO       error = syscall.EIO
	errSharing        = errors.New("the file is open") // on Windows only
)
