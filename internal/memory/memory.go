// Package memory tells how much memory this process may use at most. It does
// not tell how much is free, and it limits nothing.
package memory

import (
	"math"
	"runtime/debug"
)

// Total is how many bytes this process may use: the machine's memory, or what
// its container (a cgroup on Linux) or GOMEMLIMIT allow, whichever is least. 0:
// not known.
func Total() int64 {
	least := debug.SetMemoryLimit(-1) // which sets nothing
	for _, n := range system() {
		if n > 0 && n < uint64(least) {
			least = int64(n)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}
