package proxy_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

func callObject(ctx context.Context, c *proxy.Client, method string, waits bool) <-chan outcome[reeve.ObjectAnswer] {
	return async(func() (reeve.ObjectAnswer, error) {
		return c.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: "x"}, Method: method, Args: []byte{0x80}, Waits: waits})
	})
}

// What ends the wait must get through, however many wait.
func TestObjectCalls_ThatWaitHoldUpNoOthers(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx, cancel := context.WithCancel(t.Context())
		const many = 13_000
		var waiting []<-chan outcome[reeve.ObjectAnswer]
		for range many {
			waiting = append(waiting, callObject(ctx, c, "wait", true))
		}
		synctest.Wait()
		asked := len(s.requests)
		if asked == 0 || asked == many {
			t.Fatalf("%d of %d calls were asked: the test tests nothing", asked, many)
		}
		callObject(ctx, c, "go", false)
		synctest.Wait()
		for range asked {
			<-s.requests
		}
		if len(s.requests) == 0 {
			t.Error("a call that does not wait is held up by those that do")
		} else if r := <-s.requests; r.typ != wire.TypeCall || r.method != "go" {
			t.Errorf("the client asked for %v %s", r.typ, r.method)
		}
		cancel()
		for _, w := range waiting {
			<-w
		}
	})
}

// The method of a user's object outlives the connection: it must be told.
func TestObjectCalls_GivenUpWithoutAConnectionAreCancelledByTheNext(t *testing.T) {
	withMaster(t, func(t *testing.T, m *fake) {
		m.change(func(w *wire.Welcome) { w.Life, w.Recalled = 7, true })
		c, s := m.dial()
		defer c.Close()
		ctx, cancel := context.WithCancel(t.Context())
		before, beforeCancel := context.WithCancel(t.Context())
		during, goesOn := callObject(ctx, c, "during", true), callObject(t.Context(), c, "goes on", true)
		early := callObject(before, c, "before", true)
		ids := map[string]uint64{}
		for range 3 {
			r := s.next(wire.TypeCall)
			ids[r.method] = r.req
		}
		beforeCancel() // may be lost with the connection
		<-early
		m.stop()
		s.conn.Reset()
		synctest.Wait()
		cancel()
		if o := <-during; !errors.Is(o.err, context.Canceled) {
			t.Errorf("the call ends with %v", o.err)
		}
		m.listen()
		s = m.session()
		synctest.Wait()
		cancelled := map[uint64]bool{}
		asked := 0
		for len(s.requests) > 0 {
			switch r := <-s.requests; r.typ {
			case wire.TypeCancel:
				cancelled[r.req] = true
			case wire.TypeCall:
				asked++
				if r.req != ids["goes on"] {
					t.Errorf("asked again: %d, %s", r.req, r.method)
				}
			}
		}
		if len(cancelled) != 2 || !cancelled[ids["before"]] || !cancelled[ids["during"]] || asked != 1 {
			t.Errorf("of %v were cancelled %v, and %d asked again", ids, cancelled, asked)
		}
		s.conn.Reset() // who was told is not told again
		s = m.session()
		synctest.Wait()
		for len(s.requests) > 0 {
			if r := <-s.requests; r.typ == wire.TypeCancel {
				t.Errorf("%d is cancelled once more", r.req)
			}
		}
		c.Close()
		<-goesOn
	})
}
