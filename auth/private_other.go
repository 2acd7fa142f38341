//go:build !unix

package auth

import "io/fs"

// checkPrivate accepts every file: access lists are not visible in its mode.
func checkPrivate(fs.FileInfo) error { return nil }
