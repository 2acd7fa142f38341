//go:build !linux

package limit

import "os"

// datasync is what the journal syncs with.
func datasync(f *os.File) error { return f.Sync() }
