package locking

import (
	"time"

	"github.com/reeveq/reeve/internal/shared"
)

// absences are the clients whose connections were lost and who may come back for
// what they had. Guarded by space.mu.
type absences struct {
	sp    *space
	grace time.Duration
	over  func(*shared.Client) // ends what a client has not claimed
	until map[*shared.Client]*time.Timer
}

func newAbsences(sp *space, grace time.Duration, over func(*shared.Client)) *absences {
	return &absences{sp: sp, grace: grace, over: over, until: map[*shared.Client]*time.Timer{}}
}

// begin notes that a client's connection was lost. What it has is marked before.
func (a *absences) begin(cl *shared.Client) {
	a.end(cl)
	if a.grace == 0 {
		a.over(cl)
		return
	}
	var t *time.Timer
	t = time.AfterFunc(a.grace, func() {
		a.sp.mu.Lock()
		defer a.sp.mu.Unlock()
		if a.until[cl] == t {
			delete(a.until, cl)
			a.over(cl)
		}
	})
	a.until[cl] = t
}

// has reports whether some of what a client has may still be to be claimed.
func (a *absences) has(cl *shared.Client) bool { return a.until[cl] != nil }

// end forgets a client: all is claimed, or it is gone.
func (a *absences) end(cl *shared.Client) {
	if t := a.until[cl]; t != nil {
		t.Stop()
		delete(a.until, cl)
	}
}

func (a *absences) close() {
	for cl := range a.until {
		a.end(cl)
	}
}
