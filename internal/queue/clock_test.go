package queue

import (
	"strings"
	"testing"
)

// Leases, delays and run times are reckoned from the engine's start. As long as
// that has a reading of the monotonic clock, nobody who sets the wall clock
// moves them.
func TestTime_IsReckonedOnTheMonotonicClock(t *testing.T) {
	e := New(Config{})
	defer e.Close()
	if s := e.start.String(); !strings.Contains(s, " m=") {
		t.Errorf("the engine's start is %s, without a reading of the monotonic clock", s)
	}
	if a := e.now(); a < 0 || e.now() < a {
		t.Error("the engine's time runs backwards")
	}
}
