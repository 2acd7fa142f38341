package proxy_test

import (
	"context"
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
