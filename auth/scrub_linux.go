package auth

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"unsafe"
)

// ScrubArgs overwrites the values of the flag -authkey in this process's
// argument list, so that ps and /proc/PID/cmdline no longer show them, and
// returns how many. It must be called after the key has been parsed, since
// strings taken from os.Args change with it, and before other goroutines use
// os.Args. A short time in which the key was visible, and the shell's history,
// remain.
func ScrubArgs() int {
	start, end, ok := argumentArea()
	if !ok {
		return 0
	}
	scrubbed := 0
	for _, value := range authkeyValues(os.Args) {
		// Only the kernel's own copy is overwritten: a test may have put
		// constants, which cannot be written to, into os.Args.
		first := uintptr(unsafe.Pointer(unsafe.StringData(value)))
		if len(value) == 0 || first < start || first+uintptr(len(value)) > end {
			continue
		}
		b := unsafe.Slice(unsafe.StringData(value), len(value))
		for i := range b {
			b[i] = 'x'
		}
		scrubbed++
	}
	return scrubbed
}

// argumentArea is where the kernel reads the command line: fields 48 and 49 of
// /proc/self/stat, counted from 1.
func argumentArea() (start, end uintptr, ok bool) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, false
	}
	// Field 2 is the program's name in parentheses, and may hold anything.
	i := bytes.LastIndexByte(stat, ')')
	if i < 0 {
		return 0, 0, false
	}
	fields := strings.Fields(string(stat[i+1:])) // fields[0] is field 3
	if len(fields) < 47 {
		return 0, 0, false
	}
	first, err1 := strconv.ParseUint(fields[45], 10, 64)
	last, err2 := strconv.ParseUint(fields[46], 10, 64)
	return uintptr(first), uintptr(last), err1 == nil && err2 == nil && first != 0 && last > first
}
