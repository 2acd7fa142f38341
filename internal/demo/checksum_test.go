package demo_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reeveq/reeve/internal/demo"
)

func TestChecksum_ReadsTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a file")
	for _, content := range []string{"", "x", "one\ntwo\n", "one\ntwo", strings.Repeat("line\n", 50_000)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := demo.Run(t.Context(), "checksum", []byte(path))
		want := fmt.Sprintf("%x %d", sha256.Sum256([]byte(content)), strings.Count(content, "\n"))
		if err != nil || string(out) != want {
			t.Errorf("%d bytes: %s, %v, want %s", len(content), out, err, want)
		}
	}
}

func TestChecksum_RefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := demo.Run(t.Context(), "checksum", []byte(filepath.Join(dir, "none"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := demo.Run(t.Context(), "checksum", []byte(dir)); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%v", err)
	}
}

func TestChecksum_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := demo.Run(ctx, "checksum", []byte(path)); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}
