//go:build !windows

package main

import "os"

// understandsColours reports whether the terminal f shows colours.
func understandsColours(*os.File) bool { return true }
