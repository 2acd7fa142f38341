package memory_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/reeveq/reeve/internal/memory"
)

// TestTotal_IsTheMachinesOrWhatGoIsAllowed is one test: it sets the limit of
// the whole process.
func TestTotal_IsTheMachinesOrWhatGoIsAllowed(t *testing.T) {
	machine := memory.Total()
	switch runtime.GOOS {
	case "linux", "darwin", "windows":
		if machine < 16<<20 || machine > 1<<50 {
			t.Errorf("this machine has %d bytes", machine)
		}
	}
	const allowed = 12 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(allowed))
	if n := memory.Total(); n != allowed {
		t.Errorf("%d bytes, where Go may use %d", n, allowed)
	}
}

func TestShare_IsAQuarterInWholeMiB(t *testing.T) {
	t.Parallel()
	for total, want := range map[int64]int64{0: 256 << 20, 1: 1 << 20, 4 << 20: 1 << 20, 1<<33 + 12345: 1 << 31, 25276502016: 6026 << 20} {
		if got := memory.ShareOf(total); got != want {
			t.Errorf("of %d: %d, want %d", total, got, want)
		}
	}
}
