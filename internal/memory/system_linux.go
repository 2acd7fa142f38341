package memory

import (
	"os"

	"golang.org/x/sys/unix"
)

// system lists what bounds this process, in bytes.
func system() []uint64 {
	var bounds []uint64
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		bounds = append(bounds, uint64(info.Totalram)*uint64(info.Unit))
	}
	return append(bounds, cgroups(os.DirFS("/"))...)
}
