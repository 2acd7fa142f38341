package shared_test

import (
	"context"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func TestEvent_SetLetsAllGoAndClearTakesItBack(t *testing.T) {
	locksTest(t, func(p *place) {
		e := must[*shared.Event](t)(shared.NewEvent(p.ctx, p.client(1), "e", shared.EventConfig{}))
		a := beginErr(p, func() error { return e.Wait(p.ctx) })
		b := beginErr(p, func() error { return shared.EventOf(p.client(2), "e").Wait(p.ctx) })
		c := beginErr(p, func() error { return e.Wait(p.within(time.Second)) })
		time.Sleep(time.Second)
		c.ends(context.DeadlineExceeded)
		a.waits()
		wantErr(t, e.Set(p.ctx), nil)
		a.ends(nil)
		b.ends(nil)
		wantErr(t, e.Wait(p.ctx), nil)
		if set := must[bool](t)(e.IsSet(p.ctx)); !set {
			t.Error("not set")
		}
		wantErr(t, e.Clear(p.ctx), nil)
		d := beginErr(p, func() error { return e.Wait(p.ctx) })
		d.waits()
		wantErr(t, e.Delete(p.ctx), nil)
		d.ends(reeve.ErrNoSuchObject)
	})
}

func TestEvent_WaitGoesOnAcrossABreak(t *testing.T) {
	locksTest(t, func(p *place) {
		l := newLine(p.host, 1)
		e := must[*shared.Event](t)(shared.NewEvent(p.ctx, l, "e", shared.EventConfig{}))
		w := beginErr(p, func() error { return e.Wait(p.ctx) })
		l.cut()
		w.waits()
		l.connect()
		w.waits()
		wantErr(t, shared.EventOf(p.client(2), "e").Set(p.ctx), nil)
		w.ends(nil)
		l.cut()
	})
}
