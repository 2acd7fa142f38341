package manager

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// Between the hand-over of a task and the return of the Get that it answers
// anything may happen, the loss of its lease too.
func TestLocalGet_ALeaseLostBeforeItReturnsIsToldSoAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := queue.New(queue.Config{})
		defer e.Close()
		l := newLocal(e)
		q, err := e.Declare("tasks", reeve.QueueConfig{Timeout: time.Second, Attempts: 1})
		if err != nil {
			t.Fatal(err)
		}
		h := newLocalQueue(l, q.Name())
		if _, err := h.Put(t.Context(), []reeve.Task{{Payload: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
		var a answer
		q.Get(l.holder, &queue.GetOp{Max: 1, Tag: l.expect(func(got answer) { a = got })})
		time.Sleep(time.Minute)
		synctest.Wait()
		if err := a.leases[0].Ack(t.Context()); !errors.Is(err, reeve.ErrLeaseLost) || !errors.Is(err, reeve.ErrTimeout) {
			t.Errorf("the end of a lost lease: %v", err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.leases)+len(l.waiting) != 0 {
			t.Errorf("%d leases and %d requests are still noted", len(l.leases), len(l.waiting))
		}
	})
}
