package shared

import (
	"context"
	"iter"
	"time"

	"github.com/reeveq/reeve"
)

// Election is a handle of an election: of those who campaign, one leads at a time,
// in the order in which they came, for as long as it is there and does not resign.
// Everybody can see who leads. Any number of goroutines may use a handle: each
// Campaign counts as a candidate of its own.
type Election struct{ held }

// ElectionConfig configures an election. The zero value is fine.
type ElectionConfig struct {
	// Grace is that of [LockConfig], for the leader.
	Grace time.Duration `cbor:"1,keyasint,omitempty"`
}

// Leader is who leads.
type Leader struct {
	_ struct{} `cbor:",toarray"`
	// Version is greater than that of any leader, or vacancy, before.
	Version uint64
	// Token is the fencing token of its hold; 0: nobody leads.
	Token uint64
	Value string // what it campaigned with
	Owner string // the client
	Host  string
	PID   uint64
	Since time.Time
}

// NewElection declares an election; see [NewLock].
func NewElection(ctx context.Context, o reeve.Objects, name string, cfg ElectionConfig) (*Election, error) {
	x, err := declare(ctx, o, "election", name, cfg, false)
	if err != nil {
		return nil, err
	}
	return electionOf(x, 0), nil
}

// ElectionOf is the election of that name; see [ObjectOf].
func ElectionOf(o reeve.Objects, name string) *Election {
	return ElectionAt(o, reeve.Ref{Name: name})
}

// ElectionAt is the election that ref names.
func ElectionAt(o reeve.Objects, ref reeve.Ref) *Election {
	return electionOf(typed(o, ref, "election"), 0)
}

func electionOf(x *Object, owner Owner) *Election {
	return &Election{newHeld(x, "campaign", "resign", owner)}
}

// As returns a handle with which it is owner who campaigns.
func (e *Election) As(owner Owner) *Election { return electionOf(e.Object, owner) }

// Campaign blocks until this candidate leads, or ctx ends, after which it is none.
// It leads until the hold is released or lost; its Context tells. value, at most 64
// KiB, is what others see of it, as the address where it is reached.
func (e *Election) Campaign(ctx context.Context, value string) (*Hold, error) {
	return e.acquire(ctx, true, value)
}

// TryCampaign is Campaign that does not wait: [reeve.ErrLocked].
func (e *Election) TryCampaign(ctx context.Context, value string) (*Hold, error) {
	return e.acquire(ctx, false, value)
}

// Resign ends the leadership that was won last through this handle, as does the
// Release of its hold; see [Lock.Release].
func (e *Election) Resign(ctx context.Context) error { return e.release(ctx) }

// Leader is who leads; one with Token 0: nobody.
func (e *Election) Leader(ctx context.Context) (Leader, error) {
	var l Leader
	err := e.call(ctx, "leader", reads, &l, 0)
	return l, err
}

// Observe yields who leads, and then each change: another leader, or, with Token
// 0, none. Who takes long for one misses those between. It ends with an error, or
// with that of ctx.
func (e *Election) Observe(ctx context.Context) iter.Seq2[Leader, error] {
	return func(yield func(Leader, error) bool) {
		for after := uint64(0); ; {
			var l Leader
			if err := e.call(ctx, "leader", reads|waits, &l, after); err != nil {
				yield(Leader{}, err)
				return
			}
			if !yield(l, nil) {
				return
			}
			after = l.Version
		}
	}
}
