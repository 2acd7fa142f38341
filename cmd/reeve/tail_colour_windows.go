package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// understandsColours reports whether the terminal f shows colours, and asks a
// console for it that does so only when asked.
func understandsColours(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
