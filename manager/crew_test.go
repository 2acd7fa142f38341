package manager

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestCrew_DoesEverythingAndKeepsFew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c crew
		var done atomic.Int64
		var all sync.WaitGroup
		gate := make(chan struct{})
		for range 100 {
			all.Add(1)
			c.do(func() {
				defer all.Done()
				<-gate
				done.Add(1)
			})
		}
		close(gate)
		all.Wait()
		synctest.Wait()
		if len(c.idle) != maxIdle {
			t.Errorf("%d goroutines are kept", len(c.idle))
		}
		for range 10 { // by those that are kept
			c.do(func() { done.Add(1) })
			synctest.Wait()
			if len(c.idle) != maxIdle {
				t.Errorf("%d goroutines are kept", len(c.idle))
			}
		}
		running := make(chan struct{})
		c.do(func() { <-running; done.Add(1) })
		closed := make(chan struct{})
		go func() { // waited for below
			defer close(closed)
			c.close()
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("close did not wait for what had begun")
		default:
		}
		close(running)
		<-closed
		if n := done.Load(); n != 111 {
			t.Errorf("%d pieces of work were done", n)
		}
	})
}
