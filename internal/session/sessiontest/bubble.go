// Package sessiontest lets sessions run inside testing/synctest bubbles. It
// has no sessions or connections of its own: those are made by package
// session, over connections of package memnet.
package sessiontest

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// Bubble is synctest.Test for functions that use sessions.
//
// Timers and channels in a pool that all sessions of a process share would end
// the process, or stop the bubble's clock, when they were made in a bubble and
// used outside of it, or the other way round. So Bubble empties all pools before
// and after, and makes sure that no other test runs meanwhile: the test must
// not be parallel, nor leave sessions behind for the next one. Sessions made
// in f must have ended when it returns.
func Bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Setenv("REEVE_TEST_BUBBLE", "1") // fails in a parallel test, and keeps this one from becoming one
	emptyPools()
	defer emptyPools()
	synctest.Test(t, f)
}

// emptyPools empties every sync.Pool: what survives one collection is dropped
// by the next.
func emptyPools() {
	runtime.GC()
	runtime.GC()
}
