//go:build unix

package cmd_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestData_AnOrderlyEndIsOneAndTheDirectoryPrivate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, addr := s.master("-data", "data", "-durability", "none", "-memory", "1MiB")
	s.run("", "reeve", "put", "tasks", "x", "-connect", addr).wants(0)
	m.signal(syscall.SIGTERM)
	m.wants(0)
	err := filepath.WalkDir(filepath.Join(s.dir, "data"), func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	m, _ = s.master("-data", "data")
	m.says(`^recovered 1 task \(`)
}

func TestData_WhatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("data", "no directory")
	s.run("", "master", "-addr", "127.0.0.1:0", "-data", "data").wants(74, "cannot use -data data: ", "not a directory")
}
