//go:build !linux && !darwin && !windows

package memory

// system lists what bounds this process, in bytes: nothing is known of this
// system.
func system() []uint64 { return nil }
