package shared_test

import (
	"context"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/shared"
)

func TestElection_LeadersFollowEachOtherAndAllSeeIt(t *testing.T) {
	locksTest(t, func(p *place) {
		a := p.client(1)
		e := must[*shared.Election](t)(shared.NewElection(p.ctx, a, "e", shared.ElectionConfig{}))
		if l := must[shared.Leader](t)(e.Leader(p.ctx)); l.Token != 0 || l.Version == 0 {
			t.Errorf("%+v", l)
		}
		ctx, cancel := p.cancellable()
		seen := make(chan shared.Leader, 10)
		watch := beginErr(p, func() error {
			for l, err := range shared.ElectionOf(p.client(3), "e").Observe(ctx) {
				if err != nil {
					return err
				}
				seen <- l
			}
			return nil
		})
		first := must[*shared.Hold](t)(e.Campaign(p.ctx, "a:1"))
		_, err := e.TryCampaign(p.ctx, "a:2")
		wantErr(t, err, reeve.ErrLocked)
		watch.waits()
		b := shared.ElectionOf(p.client(2), "e")
		c := begin(p, func() (*shared.Hold, error) { return b.Campaign(p.ctx, "b:1") })
		c.waits()
		a.Close(false)
		second := c.ends(nil)
		watch.waits()
		l := must[shared.Leader](t)(b.Leader(p.ctx))
		if l.Value != "b:1" || l.Token != second.Token() || l.Owner != "B" || l.Host != "box" || l.PID != 2 || !l.Since.Equal(time.Now()) {
			t.Errorf("%+v", l)
		}
		wantErr(t, b.Resign(p.ctx), nil)
		watch.waits()
		wantErr(t, second.Release(p.ctx), reeve.ErrNotLocked)
		cancel()
		watch.ends(context.Canceled)
		close(seen)
		version, want := uint64(0), []uint64{0, first.Token(), second.Token(), 0}
		for l := range seen {
			if len(want) == 0 || l.Token != want[0] || l.Version <= version {
				t.Fatalf("saw %+v after version %d, want one of %d", l, version, want)
			}
			version, want = l.Version, want[1:]
		}
		if len(want) > 0 {
			t.Errorf("did not see %d", want)
		}
	})
}

func TestElection_CandidateWhoGivesUpDoesNotLead(t *testing.T) {
	locksTest(t, func(p *place) {
		e := must[*shared.Election](t)(shared.NewElection(p.ctx, p.client(1), "e", shared.ElectionConfig{}))
		h := must[*shared.Hold](t)(e.Campaign(p.ctx, ""))
		c := begin(p, func() (*shared.Hold, error) { return e.Campaign(p.within(time.Second), "") })
		before := must[shared.Leader](t)(e.Leader(p.ctx))
		time.Sleep(time.Second)
		c.ends(context.DeadlineExceeded)
		if l := must[shared.Leader](t)(e.Leader(p.ctx)); l.Version != before.Version {
			t.Error("nothing has changed, and there is another version")
		}
		wantErr(t, h.Release(p.ctx), nil)
		if l := must[shared.Leader](t)(e.Leader(p.ctx)); l.Token != 0 {
			t.Errorf("%+v", l)
		}
		me := e.As(shared.NewOwner())
		must[*shared.Hold](t)(me.Campaign(p.ctx, ""))
		_, err := me.Campaign(p.ctx, "")
		wantErr(t, err, reeve.ErrDeadlock)
		_, err = me.Campaign(p.ctx, string(make([]byte, 65<<10)))
		wantErr(t, err, reeve.ErrTooLarge)
	})
}

func TestElection_ObserversOfOneThatIsDeletedAreTold(t *testing.T) {
	locksTest(t, func(p *place) {
		e := must[*shared.Election](t)(shared.NewElection(p.ctx, p.client(1), "e", shared.ElectionConfig{}))
		w := beginErr(p, func() error {
			for _, err := range e.Observe(p.ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		})
		w.waits()
		wantErr(t, e.Delete(p.ctx), nil)
		w.ends(reeve.ErrNoSuchObject)
	})
}
