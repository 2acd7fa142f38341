package limit

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
)

func TestDisk_TimesEachBlockAndBeginsAgainAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	const bytes, blocks = diskFile/2 + 1, 3 // of which only one fits in the file
	took, err := disk{}.Append(t.Context(), dir, bytes, blocks, 0)
	if err != nil || len(took) != blocks {
		t.Fatalf("%d times, %v", len(took), err)
	}
	for _, d := range took {
		if d <= 0 {
			t.Errorf("a block took %v", d)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "blocks"))
	if err != nil || info.Size() != diskFile {
		t.Errorf("%v, %v", info, err)
	}
}

func TestDisk_EndsWithItsTimeAndItsContext(t *testing.T) {
	took, err := disk{}.Append(t.Context(), t.TempDir(), 100, 1<<30, time.Microsecond)
	if err != nil || len(took) > 1000 {
		t.Errorf("%d blocks, %v", len(took), err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if took, err := (disk{}).Append(ended, t.TempDir(), 100, 10, 0); err == nil {
		t.Errorf("%d blocks after the end", len(took))
	}
}

func TestDisk_IsNoQueue(t *testing.T) {
	s, err := disk{}.Start(t.Context(), system.Settings{Dir: t.TempDir(), Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (disk{}).Dial(t.Context(), s.Endpoint); err == nil {
		t.Error("a connection to a disk")
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
