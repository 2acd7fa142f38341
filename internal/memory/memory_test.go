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
