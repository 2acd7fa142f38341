package shared

import (
	"context"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
)

// Barrier is a handle of a barrier: a number of parties wait for each other, again
// and again.
type Barrier struct{ *Object }

// BarrierConfig configures a barrier.
type BarrierConfig struct {
	// Parties is how many have to wait for all to go on. At least 1.
	Parties int `cbor:"1,keyasint,omitempty"`
	// Timeout breaks the barrier when a Wait takes longer that has a ctx without a
	// deadline; 0: none.
	Timeout time.Duration `cbor:"2,keyasint,omitempty"`
}

// BarrierState is what a barrier tells of itself.
type BarrierState struct {
	_       struct{} `cbor:",toarray"`
	Parties int
	Waiting int
	Broken  bool
	Reason  string // why it is broken
}

// NewBarrier declares a barrier; see [NewLock].
func NewBarrier(ctx context.Context, o reeve.Objects, name string, cfg BarrierConfig) (*Barrier, error) {
	x, err := declare(ctx, o, "barrier", name, cfg, false)
	if err != nil {
		return nil, err
	}
	return &Barrier{x}, nil
}

// BarrierOf is the barrier of that name; see [ObjectOf].
func BarrierOf(o reeve.Objects, name string) *Barrier { return BarrierAt(o, reeve.Ref{Name: name}) }

// BarrierAt is the barrier that ref names.
func BarrierAt(o reeve.Objects, ref reeve.Ref) *Barrier { return &Barrier{typed(o, ref, "barrier")} }

// Wait blocks until as many wait as there are parties, and returns this one's
// place among them in the order in which they came, from 0: so one of them can be
// told to do what is to be done once.
//
// [reeve.ErrBrokenBarrier], with the reason: the barrier was broken, or is. It
// breaks for all who wait and will wait when the ctx of one ends, whose error
// matches ctx's, too, when one's connection is lost, when a Timeout is over, and by
// Abort.
func (b *Barrier) Wait(ctx context.Context) (int, error) {
	var index int
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	err := b.call(ctx, "wait", waits, &index)
	if isOver(err) {
		err = fmt.Errorf("%w: %w", reeve.ErrBrokenBarrier, err)
	}
	return index, err
}

// Reset makes the barrier as new. Those who wait get a [reeve.ErrBrokenBarrier].
func (b *Barrier) Reset(ctx context.Context) error { return b.call(ctx, "reset", 0, nil) }

// Abort breaks the barrier, until a Reset.
func (b *Barrier) Abort(ctx context.Context) error { return b.call(ctx, "abort", 0, nil) }

// State tells how many there have to be, how many wait, and whether the barrier is
// broken.
func (b *Barrier) State(ctx context.Context) (BarrierState, error) {
	var s BarrierState
	err := b.call(ctx, "state", reads, &s)
	return s, err
}
