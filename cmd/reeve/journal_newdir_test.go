package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A directory of which another one cannot take the place is refused before
// anything is read.
func TestMakeDir_RefusesOneThatCannotBeReplaced(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	called := false
	err := makeDir(".", func(string) error { called = true; return nil })
	if err == nil || called {
		t.Errorf("called %v: %v", called, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("%v is left, %v", names, err)
	}
}

func TestMakeDir_LeavesAnEmptyOneEmptyWhenItFails(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	why := errors.New("why")
	err := makeDir(dir, func(part string) error {
		return errors.Join(why, os.Mkdir(part, 0o700), os.WriteFile(filepath.Join(part, "half"), nil, 0o600))
	})
	if !errors.Is(err, why) {
		t.Error(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("%v is left in it, %v", names, err)
	}
	if names, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(names) != 1 {
		t.Errorf("%v is left beside it, %v", names, err)
	}
}
