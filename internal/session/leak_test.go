package session_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the package when a session leaves a goroutine behind. The
// program is also the other end of BenchmarkIdleMemory.
func TestMain(m *testing.M) {
	if address := os.Getenv(idleClientEnv); address != "" {
		if err := idleClients(address); err != nil {
			fmt.Fprintln(os.Stderr, "idle clients:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
