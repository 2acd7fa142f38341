package proxy_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

// consume makes a consumer that the master knows.
func consume(t *testing.T, c *proxy.Client, s *fakeSession, slots int) (reeve.Consumer, *wire.Consume) {
	t.Helper()
	done := async(func() (reeve.Consumer, error) { return c.Queue("tasks").Consume(t.Context(), slots) })
	r := s.next(wire.TypeConsume)
	s.message(wire.Answer{Req: r.req, Lease: 30 * time.Second})
	cs, err := await(t, "Consume", done)
	if err != nil {
		t.Fatal(err)
	}
	return cs, r.msg.(*wire.Consume)
}

func next(t *testing.T, cs reeve.Consumer) *reeve.Lease {
	t.Helper()
	l, err := await(t, "Next", async(func() (*reeve.Lease, error) { return cs.Next(t.Context()) }))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestConsumer_GivesWhatIsDeliveredInOrder(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, msg := consume(t, c, s, 3)
		if msg.Slots != 3 || msg.Queue != "tasks" || msg.Consumer == 0 {
			t.Errorf("the master got %+v", msg)
		}
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 1, Attempt: 1, Payload: []byte("a")}, reeve.Task{ID: 2, Attempt: 1, Payload: []byte("b")})
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 3, Attempt: 1, Payload: []byte("c")})
		for i, want := range []string{"a", "b", "c"} {
			if l := next(t, cs); string(l.Payload) != want || l.ID != reeve.ID(i+1) {
				t.Errorf("lease %v with %q, want %q", l.ID, l.Payload, want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := cs.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next = %v, want context.DeadlineExceeded", err)
		}
	})
}

func TestConsumer_WakesOneOfManyForEachLease(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, msg := consume(t, c, s, 8)
		var waiting []<-chan outcome[*reeve.Lease]
		for range 4 {
			waiting = append(waiting, async(func() (*reeve.Lease, error) { return cs.Next(t.Context()) }))
		}
		synctest.Wait()
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 1, Attempt: 1}, reeve.Task{ID: 2, Attempt: 1}, reeve.Task{ID: 3, Attempt: 1}, reeve.Task{ID: 4, Attempt: 1})
		seen := map[reeve.ID]bool{}
		for _, w := range waiting {
			l, err := await(t, "Next", w)
			if err != nil || seen[l.ID] {
				t.Fatalf("Next = %v, %v", l, err)
			}
			seen[l.ID] = true
		}
	})
}

func TestConsumer_CloseGivesBackWhatNobodyTook(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, msg := consume(t, c, s, 3)
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 1, Attempt: 1}, reeve.Task{ID: 2, Attempt: 1}, reeve.Task{ID: 3, Attempt: 1})
		taken := next(t, cs)
		waits := async(func() (*reeve.Lease, error) { next(t, cs); next(t, cs); return cs.Next(t.Context()) })
		synctest.Wait()
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 4, Attempt: 1})
		if l, err := await(t, "Next", waits); err != nil || l.ID != 4 {
			t.Fatalf("Next = %v, %v", l, err)
		}
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 5, Attempt: 1}, reeve.Task{ID: 6, Attempt: 1})
		synctest.Wait()
		parked := async(func() (*reeve.Lease, error) {
			for {
				if l, err := cs.Next(t.Context()); err != nil || l.ID > 6 {
					return l, err
				}
			}
		})
		synctest.Wait()
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 7, Attempt: 1}, reeve.Task{ID: 8, Attempt: 1}, reeve.Task{ID: 9, Attempt: 1})
		await(t, "Next", parked)
		synctest.Wait()
		if err := cs.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		un := s.next(wire.TypeUnconsume).msg.(*wire.Unconsume)
		if un.Consumer != msg.Consumer {
			t.Errorf("ended consumer %d, want %d", un.Consumer, msg.Consumer)
		}
		for _, want := range []reeve.ID{9, 8} {
			if back := s.next(wire.TypeNack); back.end.ID != want || back.msg.(*wire.Nack).Cause != wire.CauseReturned {
				t.Errorf("given back %+v, want task %v", back.msg, want)
			}
		}
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 10, Attempt: 1}) // was on its way
		if back := s.next(wire.TypeNack); back.end.ID != 10 {
			t.Errorf("given back %+v, want task 10", back.msg)
		}
		if _, err := cs.Next(t.Context()); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("Next = %v, want ErrClosed", err)
		}
		if err := cs.SetSlots(1); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("SetSlots = %v, want ErrClosed", err)
		}
		ack := async(func() (int, error) { return 0, taken.Ack(t.Context()) }) // what was taken stands
		s.confirm(s.next(wire.TypeAck).req, 0)
		if _, err := await(t, "Ack", ack); err != nil {
			t.Errorf("Ack = %v", err)
		}
	})
}

func TestSetSlots_SendsTheLatestOnly(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, msg := consume(t, c, s, 1)
		for n := 2; n <= 50; n++ {
			if err := cs.SetSlots(n); err != nil {
				t.Fatal(err)
			}
		}
		first := s.next(wire.TypeConsume)
		if got := first.msg.(*wire.Consume); got.Slots != 2 || got.Consumer != msg.Consumer {
			t.Errorf("the master got %+v", got)
		}
		synctest.Wait()
		s.message(wire.Answer{Req: first.req})
		last := s.next(wire.TypeConsume)
		if got := last.msg.(*wire.Consume); got.Slots != 50 {
			t.Errorf("the master got %+v, want 50 slots", got)
		}
		s.message(wire.Answer{Req: last.req})
		synctest.Wait()
		if len(s.requests) > 0 {
			t.Errorf("the client sent %+v", <-s.requests)
		}
		if err := cs.SetSlots(-1); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("SetSlots(-1) = %v", err)
		}
	})
}

func TestConsumer_OutlivesTheConnection(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, msg := consume(t, c, s, 4)
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 1, Attempt: 1}, reeve.Task{ID: 2, Attempt: 1}, reeve.Task{ID: 3, Attempt: 1})
		running := next(t, cs)
		synctest.Wait()
		m.stop()
		s.drop()
		synctest.Wait()
		// Nobody knows now whether 2 and 3 still stand.
		waits := async(func() (*reeve.Lease, error) { return cs.Next(t.Context()) })
		time.Sleep(time.Second)
		if len(waits) > 0 {
			t.Error("Next gave a lease without a connection")
		}
		if err := cs.SetSlots(5); err != nil {
			t.Fatal(err)
		}
		m.listen()
		s = m.session()
		// Known, but without slots, until the claims are counted against them.
		again := s.next(wire.TypeConsume)
		if got := again.msg.(*wire.Consume); got.Slots != 0 {
			t.Errorf("asked for %d slots before the claims", got.Slots)
		}
		claim := s.next(wire.TypeClaim).msg.(*wire.Claim)
		if claim.Consumer != again.msg.(*wire.Consume).Consumer {
			t.Errorf("claimed for consumer %d", claim.Consumer)
		}
		s.message(wire.Answer{Req: again.req})
		more := s.next(wire.TypeConsume)
		if got := more.msg.(*wire.Consume); got.Slots != 5 {
			t.Errorf("asked for %d slots, want 5", got.Slots)
		}
		s.message(wire.Answer{Req: more.req})
		s.message(wire.Answer{Req: claim.Req, Kept: []bool{true, false, true}})
		if l, err := await(t, "Next", waits); err != nil || l.ID != 3 {
			t.Errorf("Next = %v, %v; want task 3: 2 was taken back", l, err)
		}
		ack := async(func() (int, error) { return 0, running.Ack(t.Context()) })
		s.confirm(s.next(wire.TypeAck).req, 0)
		if _, err := await(t, "Ack", ack); err != nil {
			t.Errorf("Ack = %v", err)
		}
		s.deliver(claim.Consumer, 0, "tasks", reeve.Task{ID: 4, Attempt: 1})
		if l := next(t, cs); l.ID != 4 {
			t.Errorf("Next = %v, want 4", l.ID)
		}
	})
}

func TestConsumer_EndsWithItsQueueAfterWhatWasDelivered(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, msg := consume(t, c, s, 4)
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 1, Attempt: 1})
		s.message(wire.End{Consumer: msg.Consumer, Queue: "tasks", Code: wire.Code(reeve.ErrShutdown)})
		synctest.Wait()
		if l := next(t, cs); l.ID != 1 {
			t.Errorf("Next = %v", l.ID)
		}
		for range 2 {
			if _, err := cs.Next(t.Context()); !errors.Is(err, reeve.ErrShutdown) {
				t.Errorf("Next = %v, want ErrShutdown", err)
			}
		}
	})
}

func TestConsumer_WaitsOutAMasterThatGoesAway(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, msg := consume(t, c, s, 4)
		waits := async(func() (*reeve.Lease, error) { return cs.Next(t.Context()) })
		s.message(wire.End{Consumer: msg.Consumer, Queue: "tasks", Code: wire.Code(reeve.ErrClosed)})
		synctest.Wait()
		m.change(func(w *wire.Welcome) { w.Epoch = 2 })
		s.drop()
		s = m.session()
		r := s.next(wire.TypeConsume)
		s.message(wire.Answer{Req: r.req})
		s.deliver(r.msg.(*wire.Consume).Consumer, 0, "tasks", reeve.Task{ID: 1, Attempt: 1})
		if l, err := await(t, "Next", waits); err != nil || l.ID != 1 {
			t.Errorf("Next = %v, %v", l, err)
		}
	})
}

func TestConsume_OfNoQueueSaysSo(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		done := async(func() (reeve.Consumer, error) { return c.Queue("taks").Consume(t.Context(), 1) })
		s.refuse(s.next(wire.TypeConsume).req, &reeve.NoSuchQueueError{Name: "taks", Known: []string{"tasks"}})
		if _, err := await(t, "Consume", done); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("Consume = %v", err)
		}
		synctest.Wait()
		if n := c.Stats().Consumers; n != 0 {
			t.Errorf("%d consumers left", n)
		}
	})
}

func TestConsumer_LeaseLostBeforeNextIsNotGiven(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, msg := consume(t, c, s, 4)
		s.deliver(msg.Consumer, 0, "tasks", reeve.Task{ID: 1, Attempt: 1}, reeve.Task{ID: 2, Attempt: 1})
		synctest.Wait()
		s.tell(wire.Lost{Queue: "tasks", ID: 1, Attempt: 1, Code: wire.Code(reeve.ErrLeaseLost)})
		synctest.Wait()
		if l := next(t, cs); l.ID != 2 {
			t.Errorf("Next = %v, want 2", l.ID)
		}
	})
}

func TestClientClose_EndsItsConsumers(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		cs, _ := consume(t, c, s, 4)
		waits := []<-chan outcome[*reeve.Lease]{
			async(func() (*reeve.Lease, error) { return cs.Next(t.Context()) }),
			async(func() (*reeve.Lease, error) { return cs.Next(t.Context()) }),
		}
		synctest.Wait()
		c.Close()
		for _, w := range waits {
			if _, err := await(t, "Next", w); !errors.Is(err, reeve.ErrClosed) {
				t.Errorf("Next = %v, want ErrClosed", err)
			}
		}
	})
}
