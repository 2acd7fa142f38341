//go:build unix

package main

import "syscall"

// raiseFiles has all that this process starts open as many files as the system
// permits: 5,000 connections are more than the usual 1,024. The runtime does that
// for this process alone; a limit that is set explicitly is handed on. Where it
// cannot be set, what needs more fails and says so.
func raiseFiles() {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil {
		files.Cur = files.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files)
	}
}
