package manager_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

func TestNew_BlobsOutOfRangeAreNamed(t *testing.T) {
	t.Parallel()
	for field, c := range map[string]manager.BlobConfig{"MaxBytes": {MaxBytes: -1}, "MaxBlob": {MaxBlob: -1}, "Grace": {Grace: -1}} {
		_, err := manager.New(manager.Config{AuthKey: blobKey(t), Blobs: c})
		if err == nil || !strings.Contains(err.Error(), "Config.Blobs."+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func blobKey(t *testing.T) auth.Key {
	t.Helper()
	key, _, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Where the directory cannot be one there is no master, and the journal is closed.
func TestNew_BlobsWithoutADirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	j := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	if _, err := manager.New(manager.Config{AuthKey: blobKey(t), Journal: j, Blobs: manager.BlobConfig{Dir: file}}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
}

func TestMaster_BlobsOfThisProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m, err := manager.New(manager.Config{AuthKey: blobKey(t), Blobs: manager.BlobConfig{Dir: dir, MaxBytes: 100, MaxBlob: 50}})
	if err != nil {
		t.Fatal(err)
	}
	q, err := m.Queue("tasks", reeve.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := shared.Blobs(m).PutBytes(t.Context(), []byte("content"))
	if err == nil {
		_, err = q.Put(t.Context(), []reeve.Task{{}}, reeve.WithBlobs(ref))
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := m.Stats().Blobs; n != (manager.BlobStats{Blobs: 1, Bytes: 7, Max: 100}) {
		t.Errorf("%+v", n)
	}
	if _, err := shared.Blobs(m).PutBytes(t.Context(), make([]byte, 51)); err == nil {
		t.Error("one that is too large was put")
	}
	digits := ref.Hash.String()
	if b, err := os.ReadFile(filepath.Join(dir, "blobs", digits[:2], digits)); err != nil || string(b) != "content" {
		t.Errorf("%q, %v", b, err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
