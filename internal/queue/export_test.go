package queue

// Every test of the package runs with the invariants checked after each step.
func init() { verify = true }

// Unverified switches the checks off for benchmarks.
func Unverified() { verify = false }
