package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session/sessiontest"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

func TestReconnect_AsksAgainInOrderUnderTheSameIDs(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		a := put(t.Context(), c, "tasks", "a")
		s.next(wire.TypePut)
		g := get(t.Context(), c, "tasks")
		s.next(wire.TypeGet)
		b := put(t.Context(), c, "tasks", "b")
		s.confirm(s.next(wire.TypePut).req, 2)
		if _, err := await(t, "Put b", b); err != nil {
			t.Fatal(err)
		}
		m.change(func(w *wire.Welcome) { w.Resumed = true })
		s.drop()
		s = m.session()
		if s.hello.Epoch != 1 || s.hello.Low != 1 {
			t.Errorf("hello with epoch %d and low %d, want 1 and 1", s.hello.Epoch, s.hello.Low)
		}
		if r := s.next(wire.TypePut); r.req != 1 || string(r.put.Payload) != "a" {
			t.Errorf("asked again: %+v", r)
		}
		if r := s.next(wire.TypeGet); r.req != 2 {
			t.Errorf("asked again: %+v", r)
		}
		s.confirm(1, 1)
		s.deliver(0, 2, "tasks", reeve.Task{ID: 1, Attempt: 1, Payload: []byte("a")})
		if id, err := await(t, "Put a", a); id != 1 || err != nil {
			t.Errorf("Put a = %v, %v", id, err)
		}
		if l, err := await(t, "Get", g); err != nil || string(l.Payload) != "a" {
			t.Errorf("Get = %v, %v", l, err)
		}
		n := put(t.Context(), c, "tasks", "n")
		if r := s.next(wire.TypePut); r.req != 5 { // Claimed was 4
			t.Errorf("the next request is %d, want 5", r.req)
		}
		s.confirm(5, 4)
		await(t, "Put n", n)
	})
}

func TestReconnect_ToAMasterThatForgotTheClient_LeavesOnlySentMutationsUnknown(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		a := put(t.Context(), c, "tasks", "a")
		s.next(wire.TypePut)
		g := get(t.Context(), c, "tasks")
		s.next(wire.TypeGet)
		m.stop()
		s.drop()
		synctest.Wait()
		unsent := put(t.Context(), c, "tasks", "b")
		m.listen()
		s = m.session()
		if _, err := await(t, "Put a", a); !errors.Is(err, reeve.ErrOutcomeUnknown) {
			t.Errorf("Put a = %v, want ErrOutcomeUnknown", err)
		}
		s.deliver(0, s.next(wire.TypeGet).req, "tasks", reeve.Task{ID: 1, Attempt: 1})
		if _, err := await(t, "Get", g); err != nil {
			t.Errorf("Get = %v", err)
		}
		s.confirm(s.next(wire.TypePut).req, 2)
		if id, err := await(t, "Put b", unsent); id != 2 || err != nil {
			t.Errorf("Put b = %v, %v", id, err)
		}
	})
}

func TestReconnect_ToANewLifeOfTheMaster_AsksEverythingAgain(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		a := put(t.Context(), c, "tasks", "a")
		s.next(wire.TypePut)
		m.change(func(w *wire.Welcome) { w.Epoch = 2 })
		s.drop()
		s = m.session()
		s.confirm(s.next(wire.TypePut).req, 1)
		if _, err := await(t, "Put", a); err != nil {
			t.Errorf("Put = %v", err)
		}
		if c.Epoch() != 2 {
			t.Errorf("epoch %d, want 2", c.Epoch())
		}
	})
}

func TestReconnect_AbandonedCallsAreNotAskedAgain(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx, cancel := context.WithCancel(t.Context())
		a := put(ctx, c, "tasks", "a")
		s.next(wire.TypePut)
		cancel()
		await(t, "Put", a)
		m.change(func(w *wire.Welcome) { w.Resumed = true })
		s.drop()
		s = m.session()
		<-s.claimed
		synctest.Wait() // it has its answer
		b := put(t.Context(), c, "tasks", "b")
		r := s.next(wire.TypePut)
		if string(r.put.Payload) != "b" || r.low != r.req {
			t.Errorf("asked: %+v, want b", r)
		}
		s.confirm(r.req, 2)
		await(t, "Put b", b)
	})
}

// The master's answer is cut off after every number of bytes; whatever arrived
// of it, the call is carried out once and ends well.
func TestReply_CutAtEveryByte(t *testing.T) {
	for what, try := range map[string]func(t *testing.T, m *fake, n int) (whole bool){"Put": cutPut, "Get": cutGet, "Ack": cutAck} {
		t.Run(what, func(t *testing.T) {
			sessiontest.Bubble(t, func(t *testing.T) {
				m := newFake(t)
				defer m.close()
				m.change(func(w *wire.Welcome) { w.Resumed = true })
				n := 0
				for !t.Failed() && !try(t, m, n) {
					n++
				}
				if n == 0 {
					t.Error("nothing was cut")
				}
			})
		})
	}
}

// cut has the answer to the request of type typ cut after n bytes, and done
// anyway in the end; prepare is called for the second session.
func cut(t *testing.T, m *fake, s *fakeSession, n int, typ wire.Type, done <-chan outcome[reeve.ID], answer, prepare func(s *fakeSession, req uint64)) (whole bool) {
	t.Helper()
	r := s.next(typ)
	s.conn.CutAfter(n)
	answer(s, r.req)
	synctest.Wait()
	if whole = len(done) > 0; !whole {
		s = m.session()
		if prepare != nil {
			prepare(s, 0)
		}
		again := s.next(typ)
		if again.req != r.req {
			t.Errorf("cut after %d bytes: asked again as %d, want %d", n, again.req, r.req)
		}
		answer(s, again.req)
	}
	if id, err := await(t, typ.String(), done); id != 1 || err != nil {
		t.Errorf("cut after %d bytes: %v = %v, %v", n, typ, id, err)
	}
	return whole
}

func cutPut(t *testing.T, m *fake, n int) bool {
	c, s := m.dial()
	defer c.Close()
	return cut(t, m, s, n, wire.TypePut, put(t.Context(), c, "tasks", "a"),
		func(s *fakeSession, req uint64) { s.confirm(req, 1) }, nil)
}

func cutGet(t *testing.T, m *fake, n int) bool {
	c, s := m.dial()
	defer c.Close()
	payload := bytes.Repeat([]byte("x"), 64)
	done := async(func() (reeve.ID, error) {
		leases, err := c.Queue("tasks").Get(t.Context(), 1)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(leases[0].Payload, payload) {
			t.Errorf("payload %x", leases[0].Payload)
		}
		return leases[0].ID, nil
	})
	return cut(t, m, s, n, wire.TypeGet, done,
		func(s *fakeSession, req uint64) {
			s.deliver(0, req, "tasks", reeve.Task{ID: 1, Attempt: 1, Payload: payload})
		}, nil)
}

func cutAck(t *testing.T, m *fake, n int) bool {
	c, s := m.dial()
	defer c.Close()
	l := lease(t, c, s, 1)
	done := async(func() (reeve.ID, error) { return l.ID, l.Ack(t.Context()) })
	return cut(t, m, s, n, wire.TypeAck, done,
		func(s *fakeSession, req uint64) { s.confirm(req, 0) },
		func(s *fakeSession, _ uint64) { // it was acked: there is nothing to keep
			s.message(wire.Answer{Req: s.next(wire.TypeClaim).req, Kept: []bool{false}})
		})
}

func TestSilence_OfThreeHeartbeatsEndsTheSession(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		time.Sleep(time.Hour) // heartbeats keep an idle session
		if n := c.Stats().Connects; n != 1 {
			t.Fatalf("%d connections in an idle hour, want 1", n)
		}
		p := put(t.Context(), c, "tasks", "a")
		s.next(wire.TypePut)
		start := time.Now()
		s.conn.BlackHole()
		m.change(func(w *wire.Welcome) { w.Resumed = true })
		s = m.session()
		if took := time.Since(start); took < 2*m.welcome.Heartbeat || took > 5*m.welcome.Heartbeat {
			t.Errorf("the loss was noticed after %v", took)
		}
		s.confirm(s.next(wire.TypePut).req, 1)
		if _, err := await(t, "Put", p); err != nil {
			t.Errorf("Put = %v", err)
		}
	})
}

func TestOffline_CallsWaitAndSayWhy(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		m.stop()
		s.drop()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := await(t, "Put", put(ctx, c, "tasks", "a"))
		if !errors.Is(err, reeve.ErrDisconnected) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Put = %v, want ErrDisconnected and context.DeadlineExceeded", err)
		}
		if _, ok := errors.AsType[*net.OpError](err); !ok {
			t.Errorf("Put = %v, want the reason too", err)
		}
		if _, err := c.Queue("tasks").Consume(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Consume = %v", err)
		}
		p := put(t.Context(), c, "tasks", "b")
		m.listen()
		start := time.Now()
		s = m.session()
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("reconnected after %v", took)
		}
		r := s.next(wire.TypePut)
		if string(r.put.Payload) != "b" {
			t.Errorf("asked %+v, want b only", r)
		}
		s.confirm(r.req, 1)
		if _, err := await(t, "Put", p); err != nil {
			t.Errorf("Put = %v", err)
		}
	})
}

func TestMasterThatGoesAway_IsWaitedOut(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		g := get(t.Context(), c, "tasks")
		rg := s.next(wire.TypeGet)
		h := get(t.Context(), c, "tasks")
		rh := s.next(wire.TypeGet)
		s.deliver(0, rh.req, "tasks", reeve.Task{ID: 5, Attempt: 1})
		lease, err := await(t, "Get", h)
		if err != nil {
			t.Fatal(err)
		}
		s.refuse(rg.req, reeve.ErrClosed) // "master is shutting down"
		synctest.Wait()
		p := put(t.Context(), c, "tasks", "a")
		synctest.Wait()
		ack := async(func() (int, error) { return 0, lease.Ack(t.Context()) })
		s.confirm(s.next(wire.TypeAck).req, 0) // ends of leases still go there
		if _, err := await(t, "Ack", ack); err != nil {
			t.Errorf("Ack = %v", err)
		}
		m.change(func(w *wire.Welcome) { w.Epoch = 2 })
		s.tell(wire.Goodbye{Code: wire.Code(reeve.ErrClosed)})
		s = m.session()
		for range 2 {
			switch r := <-s.requests; r.typ {
			case wire.TypeGet:
				s.deliver(0, r.req, "tasks", reeve.Task{ID: 6, Attempt: 1})
			case wire.TypePut:
				s.confirm(r.req, 6)
			default:
				t.Errorf("asked %+v", r)
			}
		}
		if _, err := await(t, "Get", g); err != nil {
			t.Errorf("Get = %v", err)
		}
		if _, err := await(t, "Put", p); err != nil {
			t.Errorf("Put = %v", err)
		}
	})
}

func TestReconnect_ManyUnansweredAreAllAskedAgain(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		const n = 3000 // of 8 KiB: more than may wait to be written at a time
		payload := string(make([]byte, 8<<10))
		done := make([]<-chan outcome[reeve.ID], n)
		for i := range done {
			done[i] = put(t.Context(), c, "tasks", payload)
		}
		for range n {
			s.next(wire.TypePut)
		}
		m.change(func(w *wire.Welcome) { w.Resumed = true })
		s.drop()
		s = m.session()
		for i := range n {
			if r := s.next(wire.TypePut); r.req != uint64(i+1) {
				t.Fatalf("asked %d again, want %d", r.req, i+1)
			}
		}
		s.answer(func(b *wire.Builder) { b.Confirm(1, n, 1) })
		for i := range done {
			if _, err := await(t, fmt.Sprint("Put ", i), done[i]); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestDial_ReturnsWhatTryingAgainCannotMend(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		defer m.close()
		cfg := m.config()
		cfg.AuthKey, _, _ = auth.GenerateKey("other")
		_, err := proxy.Dial(t.Context(), fakeAddr, cfg)
		if _, ok := errors.AsType[*auth.RejectedError](err); !ok || !errors.Is(err, reeve.ErrAuth) || auth.ExitCode(err) != auth.ExitAuth {
			t.Errorf("Dial with another key = %v", err)
		}
		m.change(func(w *wire.Welcome) { w.Version = 2 })
		if _, err := proxy.Dial(t.Context(), fakeAddr, m.config()); !errors.Is(err, reeve.ErrVersion) {
			t.Errorf("Dial of a newer master = %v, want ErrVersion", err)
		}
		if _, err := proxy.Dial(t.Context(), fakeAddr, proxy.Config{}); err == nil {
			t.Error("Dial without a key succeeds")
		}
		if _, err := proxy.Dial(t.Context(), " , ", m.config()); err == nil {
			t.Error("Dial of nowhere succeeds")
		}
	})
}

func TestDial_TriesUntilItsCtxEndsUnlessOnce(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		defer m.close()
		m.stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		attempts := 0
		cfg := m.config()
		cfg.OnState = func(s proxy.State) {
			if s.Err == nil || s.Connected || s.Rejected {
				t.Errorf("state %+v", s)
			}
			attempts++
		}
		_, err := proxy.Dial(ctx, fakeAddr, cfg)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, reeve.ErrDisconnected) || auth.ExitCode(err) != auth.ExitUnavailable {
			t.Errorf("Dial = %v (exit %d)", err, auth.ExitCode(err))
		}
		if attempts < 10 || attempts > 100 {
			t.Errorf("%d attempts in a minute", attempts)
		}
		cfg.DialOnce = true
		cfg.OnState = nil
		start := time.Now()
		if _, err := proxy.Dial(t.Context(), fakeAddr, cfg); err == nil || time.Since(start) > time.Second {
			t.Errorf("Dial once = %v after %v", err, time.Since(start))
		}
	})
}

func TestDial_TakesTheAddressThatAnswers(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		defer m.close()
		c, err := proxy.Dial(t.Context(), "nobody:1, "+fakeAddr, m.config())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		m.session()
		if s := c.Stats(); !s.Connected || s.Addr != fakeAddr {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestOnState_TellsEveryChangeInOrder(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		defer m.close()
		states := make(chan proxy.State, 100)
		cfg := m.config()
		cfg.OnState = func(s proxy.State) { states <- s }
		c, err := proxy.Dial(t.Context(), fakeAddr, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if s := <-states; !s.Connected || s.Addr != fakeAddr || s.Epoch != 1 {
			t.Errorf("state %+v, want connected", s)
		}
		m.change(func(w *wire.Welcome) { w.Resumed = true })
		m.session().tell(wire.Goodbye{Code: wire.Code(reeve.ErrClosed), Text: "bye for now"})
		if s := <-states; s.Connected || !errors.Is(s.Err, reeve.ErrDisconnected) || !errors.Is(s.Err, reeve.ErrClosed) || s.Rejected {
			t.Errorf("state %+v, want lost by a goodbye", s)
		}
		if s := <-states; !s.Connected || !s.Resumed {
			t.Errorf("state %+v, want connected again", s)
		}
	})
}

func TestMaxWaiting_HoldsPutsBackAndNothingElse(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		defer m.close()
		m.change(func(w *wire.Welcome) { w.MaxWaiting = 100 << 10 })
		c, s := m.dial()
		defer c.Close()
		l := lease(t, c, s, 1)
		const n = 10
		var done []<-chan outcome[reeve.ID]
		for range n {
			done = append(done, put(t.Context(), c, "tasks", string(make([]byte, 20<<10))))
		}
		synctest.Wait()
		asked := []request{s.next(wire.TypePut), s.next(wire.TypePut)}
		if len(s.requests) > 0 {
			t.Fatal("more was asked than may wait at the master")
		}
		ack := async(func() (int, error) { return 0, l.Ack(t.Context()) })
		s.confirm(s.next(wire.TypeAck).req, 0)
		if _, err := await(t, "Ack", ack); err != nil {
			t.Errorf("Ack = %v", err)
		}
		for i := 2; i < n; i++ {
			s.confirm(asked[0].req, 1)
			asked = append(asked[1:], s.next(wire.TypePut))
		}
		for _, r := range asked {
			s.confirm(r.req, 1)
		}
		for _, d := range done {
			if _, err := await(t, "Put", d); err != nil {
				t.Errorf("Put = %v", err)
			}
		}
	})
}

// Clients come and go while the master does the same; nothing hangs, and the
// bubble sees that no goroutine is left.
func TestClient_StartsAndStopsAtAnyMoment(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		m := newFake(t)
		defer m.close()
		for i := range 60 {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			if i%3 == 0 {
				cancel() // before, or in the midst of, the connection
			}
			c, err := proxy.Dial(ctx, fakeAddr, m.config())
			cancel()
			if err != nil {
				continue
			}
			g := get(t.Context(), c, "tasks")
			if i%2 == 0 {
				m.session().drop()
			}
			if i%4 == 0 {
				synctest.Wait()
			}
			c.Close()
			if _, err := await(t, "Get", g); !errors.Is(err, reeve.ErrClosed) {
				t.Errorf("Get = %v, want ErrClosed", err)
			}
			for len(m.sessions) > 0 {
				<-m.sessions
			}
		}
	})
}
