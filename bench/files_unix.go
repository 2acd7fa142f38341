//go:build unix

package main

import "syscall"

// enoughFiles is more than any workload opens, and not so many that a program
// which makes room for all that it may open takes the memory for it.
const enoughFiles = 64 << 10

// raiseFiles has all that this process starts open enough files, or as many as
// the system permits: 5,000 connections are more than the usual 1,024. The
// runtime does that for this process alone; a limit that is set explicitly is
// handed on. Where it cannot be set, what needs more fails and says so.
func raiseFiles() {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil {
		files.Cur = min(files.Max, enoughFiles)
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files)
	}
}
