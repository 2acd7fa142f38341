package locking

import (
	"fmt"
	"slices"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// semaphore has places that are held. One that is not bounded gets more when
// somebody releases what nobody holds.
type semaphore struct {
	held
	cfg semaphoreSpec
}

var semaphoreMethods = []reeve.MethodInfo{
	{Name: "acquire", Signature: "acquire(owners, try, wait, n) (token, grace, notified)"},
	{Name: "undo", Signature: "undo(owner, try)"},
	{Name: "end", Signature: "end(owner, token, left)"},
	{Name: "release", Signature: "release(owner, n) [tokens]"},
	{Name: "holds", Signature: "holds(owner, token) bool"},
	{Name: "locked", Signature: "locked() bool", Reads: true},
	{Name: "value", Signature: "value() int", Reads: true},
}

type semaphoreSpec struct {
	Value   int           `cbor:"1,keyasint,omitempty"`
	Bounded bool          `cbor:"2,keyasint,omitempty"`
	Grace   time.Duration `cbor:"3,keyasint,omitempty"`
}

func (sp *space) newSemaphore(env *shared.Env, spec []byte) (shared.Object, error) {
	s := &semaphore{}
	if err := configure(spec, &s.cfg); err != nil {
		return nil, err
	}
	if s.cfg.Value < 0 || s.cfg.Value > maxCount {
		return nil, fmt.Errorf("%w: SemaphoreConfig.Value is %d, want 0 to %d", reeve.ErrInvalid, s.cfg.Value, maxCount)
	}
	if err := checkGrace(s.cfg.Grace); err != nil {
		return nil, err
	}
	s.gate = sp.newGate(env, s, s.cfg.Grace, s.cfg.Value)
	return s, nil
}

func (s *semaphore) Call(c *shared.Call) {
	if err := s.call(c); err != nil {
		c.Fail(err)
	}
}

func (s *semaphore) call(c *shared.Call) error {
	switch c.Method {
	case "acquire":
		return s.acquire(c)
	case "release":
		return s.release(c)
	case "value":
		if err := shared.NoArgs(c); err != nil {
			return err
		}
		s.gate.sp.mu.Lock()
		defer s.gate.sp.mu.Unlock()
		if s.gate.closed != nil {
			return s.gate.closed
		}
		shared.ReturnValue(c, s.gate.free)
		return nil
	}
	return s.gate.callHeld(c, "end")
}

func (s *semaphore) acquire(c *shared.Call) error {
	var a acquireArgs[int]
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	most := maxCount
	if s.cfg.Bounded {
		most = s.cfg.Value
	}
	if a.With < 1 || a.With > max(most, 1) {
		return fmt.Errorf("%w: %d places of %s, want 1 to %d", reeve.ErrInvalid, a.With, s.gate.name, most)
	}
	w, err := s.gate.waiter(c, a.Owners, a.Try)
	if err != nil {
		return err
	}
	w.places = a.With
	s.gate.sp.mu.Lock()
	defer s.gate.sp.mu.Unlock()
	return s.gate.acquire(w, a.Wait)
}

// release gives n places back: of those that the owner holds, the oldest first,
// and beyond these new ones. It answers with the tokens of the holds that ended.
func (s *semaphore) release(c *shared.Call) error {
	var a struct {
		_     struct{} `cbor:",toarray"`
		Owner uint64
		N     int
	}
	if err := shared.DecodeArgs(c, &a); err != nil {
		return err
	}
	if a.N < 1 || a.N > maxCount {
		return fmt.Errorf("%w: release of %d places, want 1 to %d", reeve.ErrInvalid, a.N, maxCount)
	}
	g := s.gate
	g.sp.mu.Lock()
	defer g.sp.mu.Unlock()
	if g.closed != nil {
		return g.closed
	}
	o := owner{c.Client, a.Owner}
	var own, all int
	for _, h := range g.holds {
		if all += h.places; h.owner == o {
			own += h.places
		}
	}
	more := max(a.N-own, 0)
	switch {
	case more == 0:
	case s.cfg.Bounded:
		return fmt.Errorf("%w: %d of %s, of which this owner has %d", reeve.ErrOverRelease, a.N, g.name, own)
	case c.Again: // by an earlier life of the master
		return reeve.ErrOutcomeUnknown
	case g.free+all+more > maxCount:
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "places of a semaphore", Value: int64(g.free + all + more), Max: maxCount}
	}
	var ended []uint64
	n := a.N - more
	for _, h := range slices.Clone(g.holds) {
		switch {
		case n == 0 || h.owner != o:
		case h.places > n:
			h.places -= n
			g.free += n
			n = 0
		default:
			n -= h.places
			g.drop(h)
			ended = append(ended, h.token)
		}
	}
	g.free += more
	g.advance()
	shared.ReturnValue(c, ended)
	return nil
}

// Describe is the state of the semaphore.
func (s *semaphore) Describe() string {
	s.gate.sp.mu.Lock()
	defer s.gate.sp.mu.Unlock()
	return fmt.Sprintf("%d free, %d wait", s.gate.free, s.gate.queue.Len())
}
