package memory

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Where the memory limits of cgroups are, as paths in the file system. A
// container often sees its own cgroup as the root of these.
const (
	cgroupList = "proc/self/cgroup"
	cgroup2    = "sys/fs/cgroup"
	cgroup1    = "sys/fs/cgroup/memory"

	cgroupLine = 3 // number, controllers, path
)

// cgroups lists the limits of the cgroups this process is in and of those above
// them: any of them counts. No limit is a number that no machine has, or none.
func cgroups(root fs.FS) []uint64 {
	list, err := fs.ReadFile(root, cgroupList)
	if err != nil {
		return nil
	}
	var limits []uint64
	for line := range strings.Lines(string(list)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", cgroupLine)
		switch {
		case len(parts) < cgroupLine:
		case parts[0] == "0" && parts[1] == "":
			limits = append(limits, cgroupLimits(root, cgroup2, parts[2], "memory.max")...)
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			limits = append(limits, cgroupLimits(root, cgroup1, parts[2], "memory.limit_in_bytes")...)
		}
	}
	return limits
}

// cgroupLimits reads file of the cgroup name below base and of each above it.
// What is not there, or is no number ("max"), does not limit.
func cgroupLimits(root fs.FS, base, name, file string) []uint64 {
	var limits []uint64
	for name = path.Clean("/" + name); ; name = path.Dir(name) {
		text, err := fs.ReadFile(root, path.Join(base, name, file))
		if err == nil {
			if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
				limits = append(limits, n)
			}
		}
		if name == "/" {
			return limits
		}
	}
}
