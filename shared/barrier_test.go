package shared_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func newBarrier(p *place, cfg shared.BarrierConfig) *shared.Barrier {
	p.t.Helper()
	return must[*shared.Barrier](p.t)(shared.NewBarrier(p.ctx, p.client(1), "b", cfg))
}

func (p *place) wait(b *shared.Barrier, ctx context.Context) *pending[int] {
	return begin(p, func() (int, error) { return b.Wait(ctx) })
}

func (p *place) wantState(b *shared.Barrier, parties, waiting int, broken bool) {
	p.t.Helper()
	s := must[shared.BarrierState](p.t)(b.State(p.ctx))
	if s.Parties != parties || s.Waiting != waiting || s.Broken != broken || broken != (s.Reason != "") {
		p.t.Errorf("%+v", s)
	}
}

// wantBroken checks that a wait ended with a broken barrier, and why.
func wantBroken(t *testing.T, err error, why string) {
	t.Helper()
	if !errors.Is(err, reeve.ErrBrokenBarrier) || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v, want that the barrier is broken: %s", err, why)
	}
}

func TestBarrier_LetsAllGoWhenAllAreThereAgainAndAgain(t *testing.T) {
	locksTest(t, func(p *place) {
		b := newBarrier(p, shared.BarrierConfig{Parties: 3})
		for range 3 {
			x, y := p.wait(b, p.ctx), p.wait(b, p.ctx)
			p.wantState(b, 3, 2, false)
			z := p.wait(b, p.ctx)
			for i, c := range []*pending[int]{x, y, z} {
				if n := c.ends(nil); n != i {
					t.Errorf("number %d has index %d", i, n)
				}
			}
			p.wantState(b, 3, 0, false)
		}
		if n := must[int](t)(must[*shared.Barrier](t)(shared.NewBarrier(p.ctx, p.client(1), "", shared.BarrierConfig{Parties: 1})).Wait(p.ctx)); n != 0 {
			t.Error(n)
		}
	})
}

func TestBarrier_BreaksWhenOneWaitsNoMore(t *testing.T) {
	for name, c := range map[string]struct {
		leave func(p *place, b *shared.Barrier) error // what the one who left was told
		why   string
	}{
		"deadline": {func(p *place, b *shared.Barrier) error {
			_, err := b.Wait(p.within(time.Second))
			wantErr(p.t, err, context.DeadlineExceeded)
			return err
		}, "time is over for A (box, pid 1)"},
		"cancel": {func(p *place, b *shared.Barrier) error {
			ctx, cancel := p.cancellable()
			w := p.wait(b, ctx)
			cancel()
			w.ends(context.Canceled)
			return w.err
		}, "A (box, pid 1) gave up"},
		"abort": {func(p *place, b *shared.Barrier) error {
			return errors.Join(reeve.ErrBrokenBarrier, b.Abort(p.ctx))
		}, "aborted by A"},
		"death": {func(p *place, b *shared.Barrier) error {
			c := p.client(9)
			w := p.wait(shared.BarrierOf(c, "b"), p.ctx)
			c.Close(false)
			w.ends(reeve.ErrClosed)
			return reeve.ErrBrokenBarrier
		}, "I (box, pid 9) waits no more: connection lost"},
	} {
		t.Run(name, func(t *testing.T) {
			locksTest(t, func(p *place) {
				b := newBarrier(p, shared.BarrierConfig{Parties: 3})
				other := shared.BarrierOf(p.client(2), "b")
				w := p.wait(other, p.ctx)
				wantBroken(t, c.leave(p, b), "")
				_, err := w.end()
				wantBroken(t, err, c.why)
				_, err = other.Wait(p.ctx) // and all that come later
				wantBroken(t, err, c.why)
				p.wantState(b, 3, 0, true)
				wantErr(t, b.Reset(p.ctx), nil)
				p.wantState(b, 3, 0, false)
				p.wait(b, p.ctx).waits()
				wantErr(t, b.Abort(p.ctx), nil)
			})
		})
	}
}

func TestBarrier_ResetEndsTheWaits(t *testing.T) {
	locksTest(t, func(p *place) {
		b := newBarrier(p, shared.BarrierConfig{Parties: 2})
		w := p.wait(b, p.ctx)
		wantErr(t, b.Reset(p.ctx), nil)
		_, err := w.end()
		wantBroken(t, err, "reset by A")
		p.wantState(b, 2, 0, false)
	})
}

func TestBarrier_TimeoutCountsForThoseWhoSetNone(t *testing.T) {
	locksTest(t, func(p *place) {
		b := newBarrier(p, shared.BarrierConfig{Parties: 3, Timeout: time.Second})
		patient := p.wait(b, p.within(time.Hour))
		time.Sleep(time.Minute)
		patient.waits()
		w := p.wait(b, p.ctx)
		time.Sleep(time.Second)
		_, err := w.end()
		wantBroken(t, err, "1s are over since A")
		_, err = patient.end()
		wantBroken(t, err, "1s are over since A")
		wantErr(t, b.Reset(p.ctx), nil)
		a, c, d := p.wait(b, p.ctx), p.wait(b, p.ctx), p.wait(b, p.ctx)
		a.ends(nil)
		c.ends(nil)
		d.ends(nil)
		time.Sleep(time.Minute)
		p.wantState(b, 3, 0, false)
	})
}

func TestBarrier_RefusesNoParties(t *testing.T) {
	locksTest(t, func(p *place) {
		for _, cfg := range []shared.BarrierConfig{{}, {Parties: -1}, {Parties: 1 << 30}, {Parties: 1, Timeout: -1}} {
			_, err := shared.NewBarrier(p.ctx, p.client(1), "", cfg)
			wantErr(t, err, reeve.ErrInvalid)
		}
	})
}
