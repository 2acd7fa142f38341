package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/reeveq/reeve/internal/program"
)

// makeDir has f make a journal in a directory beside dir, which becomes dir when
// f has succeeded and is removed when it has not: dir is whole, or not there, or
// as empty as it was. It refuses one that has something in it, and one whose
// place another cannot take, as where a disk is mounted, before it calls f.
func makeDir(dir string, f func(dir string) error) error {
	dir = filepath.Clean(dir)
	names, err := os.ReadDir(dir)
	exists := err == nil
	switch {
	case len(names) > 0:
		return program.Fail(program.ExitOutput, fmt.Errorf("%s is not empty: name a directory that does not exist", dir))
	case exists: // where a link leads, the disk may be another one
		dir, err = filepath.EvalSymlinks(dir)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return program.Fail(program.ExitOutput, err)
	}
	part := dir + ".tmp"
	if _, err := os.Lstat(part); err == nil {
		return program.Fail(program.ExitOutput, fmt.Errorf("%s is there: a command that makes %s runs, or was ended before its end; then remove it", part, dir))
	}
	if exists { // even an empty one may be in the way of a rename
		if err := os.Remove(dir); err != nil {
			return program.Fail(program.ExitOutput, fmt.Errorf("%w: name a directory that does not exist, in it for example", err))
		}
	}
	if err := f(part); err != nil {
		undo := os.RemoveAll(part)
		if exists {
			undo = errors.Join(undo, os.Mkdir(dir, 0o700))
		}
		return errors.Join(err, program.Fail(program.ExitOutput, undo))
	}
	if err = os.Rename(part, dir); err == nil {
		err = syncDir(filepath.Dir(dir))
	}
	return program.Fail(program.ExitOutput, err)
}

// syncDir makes the names in a directory survive a power cut, where that needs
// to be asked for.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
