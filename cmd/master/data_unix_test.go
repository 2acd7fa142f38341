//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRealPath_FollowsLinksAsFarAsTheyGo(t *testing.T) {
	t.Parallel()
	dir := realPath(t.TempDir())
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "real", "not", "there")
	if got := realPath(filepath.Join(dir, "link", "not", "there")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
