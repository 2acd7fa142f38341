package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/sessiontest"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

// withFake runs a test with a client that is connected to a fake master, in a
// bubble: a goroutine left behind by either fails it.
func withFake(t *testing.T, f func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession), how ...func(*proxy.Config)) {
	t.Helper()
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		defer m.close()
		c, s := m.dial(how...)
		defer c.Close()
		f(t, m, c, s)
	})
}

// withMaster is withFake without a client.
func withMaster(t *testing.T, f func(t *testing.T, m *fake)) {
	t.Helper()
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		defer m.close()
		f(t, m)
	})
}

func put(ctx context.Context, c *proxy.Client, queue, payload string, opts ...reeve.PutOption) <-chan outcome[reeve.ID] {
	return async(func() (reeve.ID, error) {
		ids, err := c.Queue(queue).Put(ctx, []reeve.Task{{Payload: []byte(payload)}}, opts...)
		if err != nil {
			return 0, err
		}
		return ids[0], nil
	})
}

func get(ctx context.Context, c *proxy.Client, queue string) <-chan outcome[*reeve.Lease] {
	return async(func() (*reeve.Lease, error) {
		leases, err := c.Queue(queue).Get(ctx, 1)
		if err != nil {
			return nil, err
		}
		return leases[0], nil
	})
}

func TestPut_ReturnsTheIDsOfTheMaster(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		done := async(func() ([]reeve.ID, error) {
			return c.Queue("tasks").Put(t.Context(), []reeve.Task{{Payload: []byte("a")}, {Payload: []byte("b")}}, reeve.WithType("x"))
		})
		r := s.next(wire.TypePut)
		if r.queue != "tasks" || r.tasks != 2 || string(r.put.Payload) != "a" || r.put.Type != "x" || r.req != 1 || r.low != 1 {
			t.Errorf("the master got %+v", r)
		}
		s.confirm(r.req, 40)
		ids, err := await(t, "Put", done)
		if err != nil || len(ids) != 2 || ids[0] != 40 || ids[1] != 41 {
			t.Errorf("Put = %v, %v; want 40, 41", ids, err)
		}
	})
}

func TestPut_OfOneConfirmedTogetherGetsItsOwnID(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		var done []<-chan outcome[reeve.ID]
		for i := range 3 {
			done = append(done, put(t.Context(), c, "tasks", fmt.Sprint(i)))
			synctest.Wait()
		}
		first := s.next(wire.TypePut)
		s.answer(func(b *wire.Builder) { b.Confirm(first.req, 3, 70) })
		for i := range done {
			if id, err := await(t, "Put", done[i]); err != nil || id != reeve.ID(70+i) {
				t.Errorf("Put %d = %v, %v; want %v", i, id, err, reeve.ID(70+i))
			}
		}
	})
}

func TestAnswers_InAnyOrderTwiceOrUnasked_ReachTheRightCalls(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		a := put(t.Context(), c, "tasks", "a")
		ra := s.next(wire.TypePut)
		b := put(t.Context(), c, "tasks", "b")
		rb := s.next(wire.TypePut)
		s.confirm(rb.req, 2)
		s.confirm(rb.req, 9)
		s.confirm(1000, 9)
		s.refuse(1001, reeve.ErrEmpty)
		s.message(wire.Answer{Req: 1002})
		s.answer(func(b *wire.Builder) { b.Confirm(900, 1<<30, 1) })
		s.confirm(ra.req, 1)
		s.refuse(ra.req, reeve.ErrShutdown)
		if id, err := await(t, "Put a", a); id != 1 || err != nil {
			t.Errorf("Put a = %v, %v", id, err)
		}
		if id, err := await(t, "Put b", b); id != 2 || err != nil {
			t.Errorf("Put b = %v, %v", id, err)
		}
		d := put(t.Context(), c, "tasks", "d")
		rd := s.next(wire.TypePut)
		if rd.req != 3 || rd.low != 3 {
			t.Errorf("the next request has id %d and low %d, want 3 and 3", rd.req, rd.low)
		}
		s.confirm(rd.req, 3)
		await(t, "Put d", d)
	})
}

func TestErrors_OfTheMasterArriveTyped(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		for _, want := range []error{reeve.ErrQueueFull, reeve.ErrShutdown, reeve.ErrPermission, reeve.ErrInternal} {
			done := put(t.Context(), c, "tasks", "a")
			s.refuse(s.next(wire.TypePut).req, want)
			if _, err := await(t, "Put", done); !errors.Is(err, want) {
				t.Errorf("Put = %v, want %v", err, want)
			}
		}
		done := put(t.Context(), c, "taks", "a")
		s.refuse(s.next(wire.TypePut).req, &reeve.NoSuchQueueError{Name: "taks", Known: []string{"tasks"}})
		_, err := await(t, "Put", done)
		if missing, ok := errors.AsType[*reeve.NoSuchQueueError](err); !ok || missing.Name != "taks" || missing.Known[0] != "tasks" {
			t.Errorf("Put = %v, want what queues there are", err)
		}
	})
}

func TestWrongKindOfAnswer_EndsTheCallAlone(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		g := get(t.Context(), c, "tasks")
		s.confirm(s.next(wire.TypeGet).req, 0)
		if _, err := await(t, "Get", g); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("a confirmed Get = %v, want ErrProtocol", err)
		}
		p := put(t.Context(), c, "tasks", "a")
		r := s.next(wire.TypePut)
		s.deliver(0, r.req, "tasks", reeve.Task{ID: 5, Attempt: 1})
		if _, err := await(t, "Put", p); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("a delivered Put = %v, want ErrProtocol", err)
		}
		if back := s.next(wire.TypeNack); back.end.ID != 5 {
			t.Errorf("given back: %+v, want task 5", back.end)
		}
		p = put(t.Context(), c, "tasks", "a")
		r = s.next(wire.TypePut)
		s.raw([]byte{0, 0, 0, 5, 0x18, 0x63, 0xa1, 0x01, byte(r.req)}) // type 99, {1: req}
		if _, err := await(t, "Put", p); !errors.Is(err, reeve.ErrUnsupported) {
			t.Errorf("an unknown answer = %v, want ErrUnsupported", err)
		}
		s.raw([]byte{0, 0, 0, 3, 0x18, 0x63, 0xa0}) // type 99, {}: of no request
		p = put(t.Context(), c, "tasks", "a")
		s.confirm(s.next(wire.TypePut).req, 3)
		if _, err := await(t, "Put", p); err != nil {
			t.Errorf("after an unknown message: %v", err)
		}
	})
}

func TestGarbage_EndsTheSessionAndTheCallGoesOnInTheNext(t *testing.T) {
	for name, garbage := range map[string][]byte{
		"no CBOR":        {0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff},
		"empty frame":    {0, 0, 0, 0},
		"too long":       {0xff, 0xff, 0xff, 0xff},
		"wrong contents": {0, 0, 0, 4, 0x18, 0x40, 0xa1, 0x01},
	} {
		t.Run(name, func(t *testing.T) {
			withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
				p := put(t.Context(), c, "tasks", "a")
				first := s.next(wire.TypePut)
				m.change(func(w *wire.Welcome) { w.Resumed = true })
				var after wire.Builder
				after.Confirm(first.req, 1, 5) // counts no more
				s.raw(append(garbage, after.Take()...))
				if bye := <-s.bye; bye.Code != wire.Code(reeve.ErrProtocol) {
					t.Errorf("the client said goodbye with %+v, want ErrProtocol", bye)
				}
				s = m.session()
				again := s.next(wire.TypePut)
				if again.req != first.req {
					t.Errorf("asked again as %d, want %d", again.req, first.req)
				}
				s.confirm(again.req, 7)
				if id, err := await(t, "Put", p); id != 7 || err != nil {
					t.Errorf("Put = %v, %v", id, err)
				}
			})
		})
	}
}

func TestCancelledGet_ReturnsAtOnceAndGivesALateTaskBack(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx, cancel := context.WithCancelCause(t.Context())
		g := get(ctx, c, "tasks")
		r := s.next(wire.TypeGet)
		why := errors.New("enough")
		cancel(why)
		if _, err := await(t, "Get", g); !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Errorf("Get = %v, want context.Canceled and its cause", err)
		}
		if got := s.next(wire.TypeCancel); got.req != r.req {
			t.Errorf("cancelled request %d, want %d", got.req, r.req)
		}
		// The master was faster: it had handed tasks over already.
		s.deliver(0, r.req, "tasks", reeve.Task{ID: 11, Attempt: 1}, reeve.Task{ID: 12, Attempt: 1})
		for _, want := range []reeve.ID{12, 11} { // the last first, each to the front
			back := s.next(wire.TypeNack)
			if nack := back.msg.(*wire.Nack); nack.Cause != wire.CauseReturned || nack.ID != want {
				t.Errorf("given back: %+v, want task %v unstarted", nack, want)
			}
		}
		if n := c.Stats().Leases; n != 0 {
			t.Errorf("%d leases stand, want none", n)
		}
		p := put(t.Context(), c, "tasks", "a")
		rp := s.next(wire.TypePut)
		s.confirm(rp.req, 1)
		if _, err := await(t, "Put", p); err != nil {
			t.Errorf("the session was harmed: %v", err)
		}
	})
}

func TestCancelledPut_ThatWaitsForRoomIsCancelledAtTheMaster(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := put(ctx, c, "tasks", "a")
		r := s.next(wire.TypePut)
		if _, err := await(t, "Put", p); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Put = %v, want context.DeadlineExceeded", err)
		}
		if got := s.next(wire.TypeCancel); got.req != r.req {
			t.Errorf("cancelled %d, want %d", got.req, r.req)
		}
		s.refuse(r.req, context.Canceled)
		synctest.Wait()
		if n := c.Stats().Unanswered; n != 0 {
			t.Errorf("%d requests unanswered, want none", n)
		}
	})
}

func TestWindow_IsNeverExceededAndParkedCallsDoNotFillIt(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		m.change(func(w *wire.Welcome) { w.Window = 16 })
		defer m.close()
		c, s := m.dial()
		defer c.Close()
		parked := get(t.Context(), c, "results")
		waits := s.next(wire.TypeGet)
		var held uint64 = waits.req // the request id of the parked Get
		for i := range 100 {
			p := put(t.Context(), c, "tasks", fmt.Sprint(i))
			synctest.Wait()
			var r request
			for {
				select {
				case r = <-s.requests:
				case <-time.After(time.Minute):
					t.Fatalf("Put %d was never asked", i)
				}
				if r.typ != wire.TypeCancel && r.req-r.low >= m.welcome.Window {
					t.Fatalf("request %d with low %d is beyond the window of %d", r.req, r.low, m.welcome.Window)
				}
				if r.typ == wire.TypePut {
					break
				}
				switch r.typ {
				case wire.TypeCancel:
					s.refuse(r.req, context.Canceled)
				case wire.TypeGet:
					held = r.req
				}
			}
			s.confirm(r.req, 1)
			if _, err := await(t, "Put", p); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for len(s.requests) > 0 {
			if r := <-s.requests; r.typ == wire.TypeGet {
				held = r.req
			}
		}
		if held == waits.req {
			t.Error("the parked Get was never renewed")
		}
		s.deliver(0, held, "results", reeve.Task{ID: 3, Attempt: 1})
		if l, err := await(t, "Get", parked); err != nil || l.ID != 3 {
			t.Errorf("Get = %v, %v", l, err)
		}
	})
}

func TestLargePayload_TravelsApartAndSmallCallsGoOn(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		big := bytes.Repeat([]byte("0123456789abcdef"), 128<<10) // 2 MiB: more than a stream's window
		large := put(t.Context(), c, "tasks", string(big))
		small := put(t.Context(), c, "tasks", "small")
		var got [2]request
		for range got {
			r := s.next(wire.TypePut)
			i := 0
			if r.bulk {
				i = 1
			}
			got[i] = r
		}
		if string(got[0].put.Payload) != "small" || !bytes.Equal(got[1].put.Payload, big) {
			t.Errorf("on the calls stream %d bytes, on the bulk stream %d", len(got[0].put.Payload), len(got[1].put.Payload))
		}
		s.confirm(got[0].req, 1)
		s.confirm(got[1].req, 2)
		if id, err := await(t, "small Put", small); id != 1 || err != nil {
			t.Errorf("small Put = %v, %v", id, err)
		}
		if id, err := await(t, "large Put", large); id != 2 || err != nil {
			t.Errorf("large Put = %v, %v", id, err)
		}
		// The other way round.
		g := get(t.Context(), c, "tasks")
		r := s.next(wire.TypeGet)
		bulk, err := s.s.Open(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		var b wire.Builder
		b.SetMaxFrame(8 << 20)
		if err := b.Deliver(0, r.req, "tasks", &reeve.Task{ID: 9, Attempt: 1, Payload: big}); err != nil {
			t.Fatal(err)
		}
		if _, err := bulk.Write(b.Take()); err != nil {
			t.Fatal(err)
		}
		if l, err := await(t, "Get", g); err != nil || !bytes.Equal(l.Payload, big) {
			t.Errorf("Get = %v", err)
		}
	})
}

func TestArguments_OutOfRangeAreRefusedHere(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx, q := t.Context(), c.Queue("tasks")
		one := []reeve.Task{{}}
		for name, f := range map[string]func() error{
			"no name":        func() error { _, err := c.Queue("").Put(ctx, one); return err },
			"long name":      func() error { return c.Queue(string(make([]byte, 256))).Join(ctx) },
			"name no UTF-8":  func() error { return c.Queue("\xff").Join(ctx) },
			"no tasks":       func() error { _, err := q.Put(ctx, nil); return err },
			"many tasks":     func() error { _, err := q.Put(ctx, make([]reeve.Task, reeve.MaxBatch+1)); return err },
			"past delay":     func() error { _, err := q.Put(ctx, one, reeve.WithDelay(-1)); return err },
			"past timeout":   func() error { _, err := q.Put(ctx, one, reeve.WithTimeout(-1)); return err },
			"type no UTF-8":  func() error { _, err := q.Put(ctx, one, reeve.WithType("\xff")); return err },
			"Get of none":    func() error { _, err := q.Get(ctx, 0); return err },
			"Get of many":    func() error { _, err := q.TryGet(ctx, reeve.MaxBatch+1); return err },
			"no slots":       func() error { _, err := q.Consume(ctx, 0); return err },
			"many slots":     func() error { _, err := q.Consume(ctx, reeve.MaxSlots+1); return err },
			"skip below 0":   func() error { _, err := q.Dead(ctx, -1, 1); return err },
			"Dead of none":   func() error { _, err := q.Dead(ctx, 0, 0); return err },
			"no name, Stats": func() error { _, err := c.Queue("").Stats(ctx); return err },
		} {
			if err := f(); !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", name, err)
			}
		}
		_, err := q.Put(ctx, []reeve.Task{{Payload: make([]byte, m.welcome.MaxPayload+1)}})
		if limit, ok := errors.AsType[*reeve.LimitError](err); !ok || !errors.Is(err, reeve.ErrTooLarge) || limit.Max != int64(m.welcome.MaxPayload) {
			t.Errorf("too large a payload: %v", err)
		}
		most := make([]reeve.Task, 3)
		for i := range most {
			most[i].Payload = make([]byte, m.welcome.MaxPayload)
		}
		if _, err := q.Put(ctx, most); !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("too large a batch: %v", err)
		}
		if len(s.requests) > 0 {
			t.Errorf("the master was asked: %+v", <-s.requests)
		}
	})
}

func TestClose_EndsEverythingAndSaysGoodbye(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		g := get(t.Context(), c, "tasks")
		s.next(wire.TypeGet)
		p := put(t.Context(), c, "tasks", "a")
		s.next(wire.TypePut)
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		<-c.Done()
		if _, err := await(t, "Get", g); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("Get = %v, want ErrClosed", err)
		}
		if _, err := await(t, "Put", p); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("Put = %v, want ErrClosed", err)
		}
		if bye := <-s.bye; bye.Code != 0 {
			t.Errorf("goodbye = %+v, want the normal one", bye)
		}
		if err := c.Queue("tasks").Join(t.Context()); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("after Close: %v, want ErrClosed", err)
		}
		if err := c.Err(); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("Err = %v, want ErrClosed", err)
		}
	})
}

func TestClose_OfABlackHoleIsPrompt(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		m.net.BlackHole()
		start := time.Now()
		c.Close()
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("Close took %v", took)
		}
		m.net.Heal()
	})
}

func TestQuestions_AreAnswered(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		q := c.Queue("tasks")
		stats := async(func() (reeve.QueueStats, error) { return q.Stats(t.Context()) })
		s.message(wire.Answer{Req: s.next(wire.TypeStats).req, Queues: []wire.Stats{{Name: "tasks", Ready: 3}}})
		if v, err := await(t, "Stats", stats); err != nil || v.Ready != 3 {
			t.Errorf("Stats = %+v, %v", v, err)
		}
		all := async(func() ([]reeve.QueueStats, error) { return c.Queues(t.Context()) })
		s.message(wire.Answer{Req: s.next(wire.TypeStats).req, Queues: []wire.Stats{{Name: "a"}, {Name: "b"}}})
		if v, err := await(t, "Queues", all); err != nil || len(v) != 2 || v[1].Name != "b" {
			t.Errorf("Queues = %+v, %v", v, err)
		}
		dead := async(func() ([]reeve.DeadTask, error) { return q.Dead(t.Context(), 1, 2) })
		s.message(wire.Answer{Req: s.next(wire.TypeDead).req, Dead: []wire.Dead{{ID: 4, Reason: "why"}}})
		if v, err := await(t, "Dead", dead); err != nil || len(v) != 1 || v[0].Reason != "why" {
			t.Errorf("Dead = %+v, %v", v, err)
		}
		join := async(func() (int, error) { return 0, q.Join(t.Context()) })
		s.confirm(s.next(wire.TypeJoin).req, 0)
		if _, err := await(t, "Join", join); err != nil {
			t.Errorf("Join = %v", err)
		}
		down := async(func() (int, error) { return 0, q.Shutdown(t.Context(), true) })
		r := s.next(wire.TypeShutdown)
		if !r.msg.(*wire.ShutdownRequest).Immediate {
			t.Error("Shutdown was not immediate")
		}
		s.confirm(r.req, 0)
		if _, err := await(t, "Shutdown", down); err != nil {
			t.Errorf("Shutdown = %v", err)
		}
	})
}
