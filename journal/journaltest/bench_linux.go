package journaltest

import (
	"os"
	"syscall"
)

// datasync makes what was written durable, and of the file's metadata only what
// reading it back needs.
func datasync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
