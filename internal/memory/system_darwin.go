package memory

import "golang.org/x/sys/unix"

// system lists what bounds this process, in bytes.
func system() []uint64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return nil
	}
	return []uint64{n}
}
