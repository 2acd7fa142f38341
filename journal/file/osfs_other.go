//go:build !linux

package file

// datasync is the whole sync: F_FULLFSYNC on macOS, FlushFileBuffers on Windows.
func (f osFile) datasync() error { return f.Sync() }
