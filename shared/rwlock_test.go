package shared_test

import (
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func TestRWLock_ReadersShareAndNobodyOvertakes(t *testing.T) {
	locksTest(t, func(p *place) {
		l := must[*shared.RWLock](t)(shared.NewRWLock(p.ctx, p.client(1), "rw", shared.LockConfig{}))
		first := must[*shared.Hold](t)(l.AcquireRead(p.ctx))
		second := must[*shared.Hold](t)(l.AcquireRead(p.ctx))
		_, err := l.TryAcquire(p.ctx)
		wantErr(t, err, reeve.ErrLocked)
		writer := begin(p, func() (*shared.Hold, error) { return l.Acquire(p.ctx) })
		_, err = l.TryAcquireRead(p.ctx)
		wantErr(t, err, reeve.ErrLocked)
		reader := begin(p, func() (*shared.Hold, error) { return l.AcquireRead(p.ctx) })
		another := begin(p, func() (*shared.Hold, error) { return l.AcquireRead(p.ctx) })
		last := begin(p, func() (*shared.Hold, error) { return l.Acquire(p.ctx) })
		if n, written, err := l.Locked(p.ctx); n != 2 || written || err != nil {
			t.Error(n, written, err)
		}
		wantErr(t, first.Release(p.ctx), nil)
		writer.waits()
		wantErr(t, second.Release(p.ctx), nil)
		w := writer.ends(nil)
		reader.waits()
		if n, written, err := l.Locked(p.ctx); n != 0 || !written || err != nil {
			t.Error(n, written, err)
		}
		wantErr(t, w.Release(p.ctx), nil)
		r, a := reader.ends(nil), another.ends(nil)
		last.waits()
		wantErr(t, r.Release(p.ctx), nil)
		wantErr(t, a.Release(p.ctx), nil)
		wantErr(t, last.ends(nil).Release(p.ctx), nil)
	})
}

func TestRWLock_WriterWhoGivesUpLetsReadersIn(t *testing.T) {
	locksTest(t, func(p *place) {
		l := must[*shared.RWLock](t)(shared.NewRWLock(p.ctx, p.client(1), "rw", shared.LockConfig{}))
		must[*shared.Hold](t)(l.AcquireRead(p.ctx))
		ctx, cancel := p.cancellable()
		writer := begin(p, func() (*shared.Hold, error) { return l.Acquire(ctx) })
		reader := begin(p, func() (*shared.Hold, error) { return l.AcquireRead(p.ctx) })
		reader.waits()
		cancel()
		if _, err := writer.end(); err == nil {
			t.Error("the writer has it")
		}
		reader.ends(nil)
	})
}

func TestRWLock_ReaderOfTheSameOwnerCannotBecomeAWriter(t *testing.T) {
	locksTest(t, func(p *place) {
		l := must[*shared.RWLock](t)(shared.NewRWLock(p.ctx, p.client(1), "rw", shared.LockConfig{}))
		me := l.As(shared.NewOwner())
		h := must[*shared.Hold](t)(me.AcquireRead(p.ctx))
		_, err := me.Acquire(p.ctx)
		wantErr(t, err, reeve.ErrDeadlock)
		again := must[*shared.Hold](t)(me.AcquireRead(p.ctx))
		wantErr(t, again.Release(p.ctx), nil)
		wantErr(t, h.Release(p.ctx), nil)
		must[*shared.Hold](t)(me.Acquire(p.ctx))
		_, err = me.AcquireRead(p.ctx)
		wantErr(t, err, reeve.ErrDeadlock)
		wantErr(t, l.Release(p.ctx), reeve.ErrNotOwner)
		wantErr(t, me.Release(p.ctx), nil)
		wantErr(t, me.Release(p.ctx), reeve.ErrNotLocked)
	})
}
