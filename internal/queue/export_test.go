package queue

import (
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// Every test of the package runs with the invariants checked after each step,
// and with journals that are cleaned all the time.
func init() {
	verify = true
	cleanSlack, cleanStep, measureEvery = CleanSlack, 512, 512
}

// CleanSlack is how many bytes a journal may have beyond three times what lives.
const CleanSlack = 4 << 10

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

// Unused is the queue name, which nobody has asked for.
func (e *Engine) Unused(name string) *Queue {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.names[name]
}

// Tick has the queue do what is due, as the clock does.
func (q *Queue) Tick() { q.tick(q.engine.now()) }

// FrameCache has the frames that were read last.
type FrameCache struct{ c frameCache }

func NewFrameCache() *FrameCache { return &FrameCache{} }

// Payload is that of the task id, which frame p has.
func (c *FrameCache) Payload(j journal.Journal, p journal.Pos, id reeve.ID) ([]byte, error) {
	return c.c.payload(j, p, id)
}

// Bytes is about what the journal has that lives.
func (o *Objects) Bytes() int64 { return o.bytes.Load() }
