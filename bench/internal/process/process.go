// Package process tells what a process and all that it started take of the
// machine: CPU time and memory, as /proc has them. It starts and ends none.
package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrUnknown is that this machine does not tell: it has no /proc as Linux has.
var ErrUnknown = errors.New("process: no figures without Linux's /proc")

// tick is the unit of times in /proc: Linux tells programs 100 of them a second
// whatever the kernel's own clock is.
const tick = 10 * time.Millisecond

// Usage is what a tree of processes takes.
type Usage struct {
	CPU  time.Duration // of user and system, those that have ended included; in steps of 10 ms
	RSS  int64         // resident bytes now; pages that several share count in each
	Peak int64         // the sum of the most that each had
}

// Tree is the usage of the process pid and of its descendants. The error is
// [ErrUnknown], or that there is no such process.
func Tree(pid int) (Usage, error) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return Usage{}, ErrUnknown
	}
	sum, err := read(pid)
	if err != nil {
		return Usage{}, err
	}
	children, err := parents()
	if err != nil {
		return Usage{}, err
	}
	for list := children[pid]; len(list) > 0; {
		next := list[0]
		list = append(list[1:], children[next]...)
		if u, err := read(next); err == nil { // else it has just ended
			sum.CPU += u.CPU
			sum.RSS += u.RSS
			sum.Peak += u.Peak
		}
	}
	return sum, nil
}

// parents lists the children of every process.
func parents() (map[int][]int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if _, fields, err := stat(pid); err == nil {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
		}
	}
	return children, nil
}

// stat reads what /proc/PID/stat has after the name: its first field is the
// state, the third of the manual.
func stat(pid int) (dir string, fields []string, err error) {
	dir = filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return "", nil, err
	}
	_, rest, ok := strings.Cut(string(text), ") ")
	for ok && strings.Contains(rest, ") ") { // the name may have it, too
		_, rest, _ = strings.Cut(rest, ") ")
	}
	fields = strings.Fields(rest)
	if len(fields) < 15 {
		return "", nil, fmt.Errorf("%s/stat: %w", dir, ErrUnknown)
	}
	return dir, fields, nil
}

func read(pid int) (u Usage, err error) {
	dir, fields, err := stat(pid)
	if err != nil {
		return Usage{}, err
	}
	for _, f := range fields[11:15] { // utime, stime, and those of children that were waited for
		n, _ := strconv.ParseInt(f, 10, 64)
		u.CPU += time.Duration(n) * tick
	}
	text, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Usage{}, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		n, _ := strconv.ParseInt(kib, 10, 64)
		switch name {
		case "VmRSS":
			u.RSS = n << 10
		case "VmHWM":
			u.Peak = n << 10
		}
	}
	return u, nil
}
