package limit

import (
	"os"
	"syscall"
)

// datasync is what the journal syncs with.
func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
