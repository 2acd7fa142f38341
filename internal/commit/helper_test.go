package commit_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a Log of strings over a journal in memory, whose frames begin with
// "<", and what was told.
type rig struct {
	*commit.Log[string]
	t       *testing.T
	journal *journaltest.Memory
	start   time.Time
	calls   []string // of the journal that came to something, with their time

	mu     sync.Mutex
	told   []string // in order
	errs   []error  // with which, in the same order
	failed []error
}

// newRig is for the inside of a bubble. change may be nil.
func newRig(t *testing.T, change func(r *rig, c *commit.Config[string])) *rig {
	t.Helper()
	r := &rig{t: t, start: time.Now()}
	r.journal = journaltest.NewMemory(journaltest.MemoryConfig{TB: t, Before: r.note})
	cfg := commit.Config[string]{
		Journal: r.journal,
		Head:    func(b []byte) []byte { return append(b, '<') },
		Tell:    r.tell,
		Failed: func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.errs) > 0 && r.errs[len(r.errs)-1] != nil {
				t.Error("Failed comes after a Tell of the failure")
			}
			r.failed = append(r.failed, err)
		},
	}
	if change != nil {
		change(r, &cfg)
	}
	r.Log = commit.New(cfg)
	t.Cleanup(func() { r.Close() })
	return r
}

func (r *rig) note(c journaltest.Call) error {
	s := fmt.Sprintf("%v %v", time.Since(r.start), c.Op)
	if c.Op == journaltest.OpAppend {
		s += fmt.Sprintf(" %d %s", c.Pos, c.Frame)
	}
	if c.Reserve {
		s += " reserve"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, s)
	return nil
}

func (r *rig) tell(ts []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range ts {
		r.told = append(r.told, s)
		r.errs = append(r.errs, err)
	}
}

// section enters and leaves, and has its records told.
func (r *rig) section(recs string, d commit.Durability, by time.Duration) journal.Pos {
	s := r.Enter()
	p := s.Pos()
	r.Leave(s, []byte(recs), []string{recs}, d, by)
	return p
}

// block holds up one operation of the journal until open is called.
func (r *rig) block(op journaltest.Op) (open func()) {
	g := r.journal.Block(op)
	r.t.Cleanup(g.Open)
	return g.Open
}

// wantTold waits until nothing happens any more and looks at what was told so
// far, all of it without an error.
func (r *rig) wantTold(want ...string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.told, want) {
		r.t.Errorf("told %q, want %q", r.told, want)
	}
	for i, err := range r.errs {
		if err != nil {
			r.t.Errorf("%q is told %v", r.told[i], err)
		}
	}
}

// wantCalls waits until nothing happens any more and looks at what the journal
// was called for since the last time.
func (r *rig) wantCalls(want ...string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.calls, want) {
		r.t.Errorf("calls of the journal:\n%q, want\n%q", r.calls, want)
	}
	r.calls = nil
}

func (r *rig) wantFull(want bool) {
	r.t.Helper()
	synctest.Wait()
	if r.Full() != want {
		r.t.Errorf("Full is %v", !want)
	}
}
