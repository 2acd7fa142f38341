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
// f has succeeded and is removed when it has not: dir is whole, or not there. It
// refuses one that exists and has something in it.
func makeDir(dir string, f func(dir string) error) error {
	dir = filepath.Clean(dir)
	names, err := os.ReadDir(dir)
	switch {
	case err == nil && len(names) > 0:
		return program.Fail(program.ExitOutput, fmt.Errorf("%s is not empty: name a directory that does not exist", dir))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return program.Fail(program.ExitOutput, err)
	}
	exists := err == nil
	part := dir + ".tmp"
	if _, err := os.Lstat(part); err == nil {
		return program.Fail(program.ExitOutput, fmt.Errorf("%s is there: a command that makes %s runs, or was ended before its end; then remove it", part, dir))
	}
	if err := f(part); err != nil {
		return errors.Join(err, program.Fail(program.ExitOutput, os.RemoveAll(part)))
	}
	if exists {
		err = os.Remove(dir) // an empty one may be in the way of a rename
	} else {
		err = nil
	}
	if err == nil {
		err = os.Rename(part, dir)
	}
	if err == nil {
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
