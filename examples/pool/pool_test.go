package main

import (
	"testing"

	"github.com/reeveq/reeve/examples/internal/exampletest"
)

func TestPool_CountsPrimesAndOutlivesItsWorkers(t *testing.T) {
	t.Parallel()
	u := exampletest.New(t, "pool")
	stdout, stderr, code := u.Run("pool")
	want := `3 workers: one here, and 2 processes
148933 primes below 2000000, in 200 parts
input 1 failed: there is nothing from 10 to 5
one process died, and attempt 2 returned
a function that kills every worker ended: worker lost ×3
`
	if code != 0 || stdout != want {
		t.Errorf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
}
