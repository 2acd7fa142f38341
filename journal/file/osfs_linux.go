package file

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// datasync leaves out what fsync writes beside: the time of the change. It is
// called by the one who could close the file, so that the number stays its own.
func (f osFile) datasync() error {
	fd := int(f.Fd())
	for {
		err := unix.Fdatasync(fd)
		if err == unix.EINTR {
			continue
		}
		runtime.KeepAlive(f)
		if err != nil {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
		return nil
	}
}
