package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared/blob"
	public "github.com/reeveq/reeve/shared"
)

// inFiles opens a store in dir.
func inFiles(t testing.TB, dir string) *fixture {
	return open(t, blob.Config{Backend: blob.NewFiles(dir), Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

// pathOf is where the file of a blob is, as the documentation says.
func pathOf(dir string, ref reeve.BlobRef) string {
	digits := ref.Hash.String()
	return filepath.Join(dir, digits[:2], digits)
}

// filesIn are all files below dir.
func filesIn(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestFiles_AreThereAgainAfterARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "blobs")
	f := inFiles(t, dir)
	o := f.client()
	contents := [][]byte{nil, contentOf(1), contentOf(2_500_000)}
	for _, b := range contents {
		ref := mustPut(t, o, b)
		if was, err := os.ReadFile(pathOf(dir, ref)); err != nil || !bytes.Equal(was, b) {
			t.Fatalf("%d bytes, %v", len(was), err)
		}
	}
	f.close()
	f = inFiles(t, dir)
	if n := f.store.Stats(); n.Blobs != 3 || n.Bytes != 2_500_001 {
		t.Errorf("%+v", n)
	}
	o = f.client()
	for _, b := range contents {
		mustGet(t, o, b)
		sent := &counting{Objects: o, method: "chunk"}
		mustPut(t, sent, b)
		if sent.calls.Load() > 0 {
			t.Errorf("%d bytes were sent again", len(b))
		}
	}
	f.check()
}

// What is there at a start and named by no task goes after the grace, which begins
// when the tasks are known.
func TestFiles_ThatNobodyNamesGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := inFiles(t, dir)
	o := f.client()
	kept, gone := mustPut(t, o, []byte("kept")), mustPut(t, o, []byte("gone"))
	f.close()
	synctest.Test(t, func(t *testing.T) {
		s, err := blob.Open(blob.Config{Backend: blob.NewFiles(dir)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		s.Keep([]reeve.BlobRef{kept})
		s.Begin()
		time.Sleep(59 * time.Second)
		if n := s.Stats(); n.Blobs != 2 {
			t.Errorf("%+v", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := s.Stats(); n.Blobs != 1 {
			t.Errorf("%+v", n)
		}
		s.Close(nil)
	})
	if _, err := os.Stat(pathOf(dir, gone)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if names := filesIn(t, dir); !slices.Equal(names, []string{pathOf(dir, kept)}) {
		t.Errorf("%q", names)
	}
}

// A master that was killed leaves uploads behind: they are removed, and what is
// not a blob's is left alone.
func TestFiles_LeftBehindAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("half of a"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	foreign := []string{"notes.txt", "ab/notes.txt", "ab/" + strings.Repeat("cd", 32), "old/" + strings.Repeat("cd", 32),
		"cd/" + strings.Repeat("cd", 32) + ".damaged", "CD/" + strings.Repeat("CD", 32)}
	for _, name := range append(foreign, "123.tmp", "ab/1.tmp") {
		write(name)
	}
	f := inFiles(t, dir)
	if n := f.store.Stats(); n.Blobs != 0 || n.Bytes != 0 {
		t.Errorf("%+v", n)
	}
	var want []string
	for _, name := range foreign {
		want = append(want, filepath.Join(dir, name))
	}
	slices.Sort(want)
	if names := filesIn(t, dir); !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

func TestFiles_ThatAreDamagedAreNamedAndHealed(t *testing.T) {
	t.Parallel()
	content := contentOf(1_500_000)
	ref := refOf(content)
	for name, damage := range map[string]func(path string) error{
		"cut":    func(path string) error { return os.Truncate(path, 1_000_000) },
		"empty":  func(path string) error { return os.Truncate(path, 0) },
		"longer": func(path string) error { return os.Truncate(path, 1_500_001) },
		"changed": func(path string) error {
			return os.WriteFile(path, append(content[:700_000:700_000], contentOf(800_000)...), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := inFiles(t, dir)
			mustPut(t, f.client(), content)
			f.close()
			if err := damage(pathOf(dir, ref)); err != nil {
				t.Fatal(err)
			}
			f = inFiles(t, dir)
			f.store.Keep([]reeve.BlobRef{ref}) // as a task that names it
			o := f.client()
			_, err := public.Blobs(o).Get(context.Background(), ref)
			damaged, ok := errors.AsType[*blob.DamagedError](err)
			if !ok || damaged.File != pathOf(dir, ref) || damaged.Hash != ref.Hash || !errors.Is(err, reeve.ErrNoSuchBlob) {
				t.Fatalf("%v", err)
			}
			if err := f.store.Take([]reeve.BlobRef{ref}); err != damaged {
				t.Errorf("taken: %v", err)
			}
			if names := filesIn(t, dir); !slices.Equal(names, []string{pathOf(dir, ref) + ".damaged"}) {
				t.Errorf("%q", names)
			}
			f.check()
			mustPut(t, o, content)
			mustGet(t, o, content)
			f.check()
		})
	}
}

// A Put of what is there, but damaged, heals it, too: it is looked at before it is
// said to be there.
func TestFiles_ThatAreDamagedAreHealedByAPut(t *testing.T) {
	t.Parallel()
	dir, content := t.TempDir(), contentOf(1000)
	f := inFiles(t, dir)
	mustPut(t, f.client(), content)
	f.close()
	if err := os.Truncate(pathOf(dir, refOf(content)), 10); err != nil {
		t.Fatal(err)
	}
	f = inFiles(t, dir)
	o := f.client()
	mustPut(t, o, content)
	mustGet(t, o, content)
	f.check()
}

// Many who read at once what was not looked at yet have it looked at once, and all
// get the answer.
func TestFiles_AreLookedAtOnce(t *testing.T) {
	t.Parallel()
	dir, content := t.TempDir(), contentOf(500_000)
	f := inFiles(t, dir)
	mustPut(t, f.client(), content)
	f.close()
	f = inFiles(t, dir)
	errs := make(chan error)
	for range 20 {
		go func() {
			got, err := public.Blobs(f.client0()).Get(context.Background(), refOf(content))
			if err == nil && !bytes.Equal(got, content) {
				err = errors.New("another content")
			}
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	f.check()
}
