//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestMakeDir_GoesWhereALinkLeads(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	real, link := filepath.Join(top, "disk", "empty"), filepath.Join(top, "link")
	if err := errors.Join(os.MkdirAll(real, 0o700), os.Symlink(real, link)); err != nil {
		t.Fatal(err)
	}
	if err := makeDir(link, func(part string) error {
		return errors.Join(os.Mkdir(part, 0o700), os.WriteFile(filepath.Join(part, "whole"), nil, 0o600))
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(real, "whole")); err != nil {
		t.Error(err)
	}
	if got, err := os.Readlink(link); err != nil || got != real {
		t.Errorf("the link leads to %s, %v", got, err)
	}
}
