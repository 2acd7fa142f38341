package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Who looks at a journal is not in its owner's way, on Windows either.
func TestLook_KeepsNobodyFromRenamingAndRemoving(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, other := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	if err := os.WriteFile(name, []byte("what is in it"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := lookFS{}.open(name, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // it was only read
	if err := (osFS{}).rename(name, other); err != nil {
		t.Error(err)
	}
	if err := (osFS{}).remove(other); err != nil {
		t.Error(err)
	}
	b := make([]byte, 4)
	if _, err := f.ReadAt(b, 0); err != nil || string(b) != "what" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := (lookFS{}).open(name, true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is missing: %v", err)
	}
	if err := (osFS{}).remove(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removing it: %v", err)
	}
}
