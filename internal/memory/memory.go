// Package memory tells how much memory this process may use at most. It does
// not tell how much is free, and it limits nothing.
package memory

import (
	"math"
	"runtime/debug"
)

// unknownShare is what a program may well take of a machine of which nothing is
// known.
const unknownShare = 256 << 20

// Share is what one program among others may well take: a quarter of [Total], in
// whole MiB, or 256 MiB if that is not known.
func Share() int64 { return share(Total()) }

func share(total int64) int64 {
	if total == 0 {
		return unknownShare
	}
	return max(total/4>>20, 1) << 20
}

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
