package proxy_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

// told waits until everything has come to rest and returns what progress was
// told of since the last time.
func told(t *testing.T, s *fakeSession) (out []string) {
	t.Helper()
	synctest.Wait()
	for len(s.requests) > 0 {
		if p, ok := (<-s.requests).msg.(*wire.Progress); ok {
			out = append(out, fmt.Sprint(p.ID, " ", p.Percent, " ", p.Text))
		}
	}
	return out
}

func TestProgress_TellsTheLatestAndNotTooOften(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		a, b := lease(t, c, s, 1), lease(t, c, s, 2)
		tell := func(l *reeve.Lease, n int) {
			t.Helper()
			for i := 1; i <= n; i++ {
				if err := l.Progress(float64(i), "of many"); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := func(what string, want ...string) {
			t.Helper()
			if got := told(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		tell(a, 50)
		tell(b, 20)
		want("at once", a.ID.String()+" 1 of many")
		time.Sleep(999 * time.Millisecond)
		want("before a second is over")
		time.Sleep(time.Millisecond)
		want("after a second", a.ID.String()+" 50 of many", b.ID.String()+" 20 of many")
		time.Sleep(time.Hour)
		want("without anything new")
		tell(b, 1)
		want("at once again", b.ID.String()+" 1 of many")

		// What ended meanwhile is not told of.
		tell(a, 60)
		tell(b, 60)
		done := async(func() (int, error) { return 0, a.Ack(t.Context()) })
		s.confirm(s.next(wire.TypeAck).req, 0)
		await(t, "Ack", done)
		time.Sleep(time.Second)
		want("after the end of one", b.ID.String()+" 60 of many")
		if err := a.Progress(1, ""); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("progress of an ended lease: %v", err)
		}

		// A break loses nothing.
		s.drop()
		synctest.Wait()
		tell(b, 70)
		s = m.session()
		r := s.next(wire.TypeClaim)
		want("before the claim is answered")
		s.message(wire.Answer{Req: r.req, Kept: []bool{true}})
		time.Sleep(time.Second)
		want("after the claim", b.ID.String()+" 70 of many")
	}, func(cfg *proxy.Config) { cfg.ProgressEvery = time.Second })
}
