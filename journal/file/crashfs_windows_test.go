package file

import "syscall"

// What the system says when it fails.
var (
	errNoSpace  error = syscall.Errno(112)  // ERROR_DISK_FULL
	errQuota    error = syscall.Errno(39)   // ERROR_HANDLE_DISK_FULL
	errReadOnly error = syscall.Errno(19)   // ERROR_WRITE_PROTECT
	errIO       error = syscall.Errno(1117) // ERROR_IO_DEVICE
	errSharing  error = syscall.Errno(32)   // ERROR_SHARING_VIOLATION
)
