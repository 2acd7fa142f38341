package program

import (
	"os"
	"testing"
)

// Watch and Follow are watch and follow, for tests with signals and time of
// their own.
var (
	Watch  = watch
	Follow = follow
)

// OnExit has f called in place of the end of the process until the test ends,
// which must not be parallel.
func OnExit(t *testing.T, f func(code int)) {
	t.Helper()
	exit = f
	t.Cleanup(func() { exit = os.Exit })
}
