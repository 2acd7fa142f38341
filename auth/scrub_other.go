//go:build !linux

package auth

// ScrubArgs overwrites the values of the flag -authkey in this process's
// argument list and returns how many: on this system it cannot, and returns 0.
func ScrubArgs() int { return 0 }
