package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/reeveq/reeve/journal"
)

// The lock ends with the process, however it ends; the file stays. It holds the
// number of the process that has it.
//
// Who looks whether somebody has it takes it for a moment, and a process that is
// being started has what its parent had, until it runs: so it is tried more than
// once, and for longer while nobody has written a number.
const (
	lockTries  = 5
	lockNobody = 200
	lockPause  = 5 * time.Millisecond
)

func lockDir(dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		held, err := tryLock(f, false)
		if err == nil && held {
			pid := readPID(f)
			if try < lockTries || pid == 0 && try < lockNobody {
				time.Sleep(lockPause)
				continue
			}
			err = &journal.LockedError{Name: dir, PID: pid}
		}
		if err != nil {
			f.Close() // the error that counts is known
			return nil, err
		}
		break
	}
	if err := writePID(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() error { return errors.Join(f.Truncate(0), f.Close()) }, nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	if isFull(err) {
		return nil // who is refused learns no number, no more
	}
	return err
}

// readPID returns 0 for what is no number.
func readPID(f *os.File) int {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// holder tells whether a process has the journal in dir, and which; 0: not known.
func holder(dir string) (pid int, held bool, err error) {
	f, err := os.Open(filepath.Join(dir, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	held, err = tryLock(f, true)
	if err != nil || !held {
		return 0, false, err
	}
	return readPID(f), true, nil
}
