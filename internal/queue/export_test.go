package queue

import "time"

// Every test of the package runs with the invariants checked after each step.
func init() { verify = true }

// SetVerify switches the checks, for benchmarks and large tests. No other test
// may run meanwhile.
func SetVerify(on bool) { verify = on }

// LookAt is when the end at at, since the engine's start, of a silent holder's
// lease is seen.
func (q *Queue) LookAt(at time.Duration) time.Duration { return time.Duration(q.lookAt(int64(at))) }

// Check panics when the queue's structures disagree, whether or not the checks
// are on.
func (q *Queue) Check() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.check()
}

// TimeoutGrace is how much longer than its run time an attempt may take.
const TimeoutGrace = timeoutGrace
