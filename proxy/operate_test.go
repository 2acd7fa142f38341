package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

func TestAct_CountsAlsoWhatWasDoneBeforeAnError(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		purge := func() <-chan outcome[int] {
			return async(func() (int, error) { return c.Purge(t.Context(), "tasks", reeve.Filter{Key: "k"}) })
		}
		for _, count := range []uint64{3, 0} {
			done := purge()
			r := s.next(wire.TypeAct)
			if a := r.msg.(*wire.Act); a.Verb != wire.ActPurge || a.Queue != "tasks" || a.Filter.Key != "k" {
				t.Errorf("%+v", a)
			}
			s.answer(func(b *wire.Builder) { b.ConfirmCount(r.req, count) })
			if n, err := await(t, "Purge", done); n != int(count) || err != nil {
				t.Errorf("Purge = %d, %v, want %d", n, err, count)
			}
		}
		done := purge()
		e := wire.ErrorFor(s.next(wire.TypeAct).req, reeve.ErrQueueFull, "")
		e.First = 7
		s.message(e)
		if n, err := await(t, "Purge", done); n != 7 || !errors.Is(err, reeve.ErrQueueFull) {
			t.Errorf("Purge = %d, %v", n, err)
		}
		// Asked of a master that then forgets the client, nobody knows.
		done = purge()
		s.next(wire.TypeAct)
		s.drop()
		if n, err := await(t, "Purge", done); n != 0 || !errors.Is(err, reeve.ErrOutcomeUnknown) {
			t.Errorf("Purge = %d, %v", n, err)
		}
	})
}

// What operators ask for does not stand in line behind Puts that wait for room:
// it may be what makes room.
func TestAct_OvertakesPutsThatWait(t *testing.T) {
	withMaster(t, func(t *testing.T, m *fake) {
		m.change(func(w *wire.Welcome) { w.MaxWaiting = 1 << 10 })
		c, s := m.dial()
		defer c.Close()
		a, b := put(t.Context(), c, "tasks", "a"), put(t.Context(), c, "tasks", "b")
		first := s.next(wire.TypePut)
		synctest.Wait() // the second may not be asked
		done := async(func() (int, error) { return c.Purge(t.Context(), "tasks", reeve.Filter{}) })
		r := s.next(wire.TypeAct)
		s.answer(func(b *wire.Builder) { b.ConfirmCount(r.req, 1) })
		if _, err := await(t, "Purge", done); err != nil {
			t.Error(err)
		}
		s.confirm(first.req, 1)
		s.confirm(s.next(wire.TypePut).req, 2)
		await(t, "Put", a)
		await(t, "Put", b)
	})
}

func TestWait_IsCancelledAtTheMaster(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx, cancel := context.WithCancel(t.Context())
		done := async(func() (reeve.Result, error) { return c.Wait(ctx, 7) })
		r := s.next(wire.TypeResult)
		if q := r.msg.(*wire.ResultRequest); q.ID != 7 || !q.Wait {
			t.Errorf("%+v", q)
		}
		cancel()
		if _, err := await(t, "Wait", done); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait = %v", err)
		}
		if x := s.next(wire.TypeCancel).msg.(*wire.Cancel); x.Req != r.req {
			t.Errorf("request %d is cancelled, want %d", x.Req, r.req)
		}
	})
}

func TestWorkers_AsksUntilThereAreNoMore(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ask := func() <-chan outcome[[]reeve.WorkerInfo] {
			return async(func() ([]reeve.WorkerInfo, error) { return c.Workers(t.Context()) })
		}
		done := ask()
		s.message(wire.Answer{Req: s.next(wire.TypeWorkers).req, Next: 2, Workers: []wire.WorkerInfo{{ID: 1}, {ID: 2}}})
		r := s.next(wire.TypeWorkers)
		if after := r.msg.(*wire.WorkersRequest).After; after != 2 {
			t.Errorf("goes on after %d", after)
		}
		s.message(wire.Answer{Req: r.req, Workers: []wire.WorkerInfo{{ID: 3, Queues: []wire.WorkerQueue{{Queue: "tasks"}}}}})
		ws, err := await(t, "Workers", done)
		if err != nil || len(ws) != 3 || ws[0].ID != 3 || ws[1].ID != 1 || ws[2].ID != 2 {
			t.Errorf("%+v, %v", ws, err)
		}
		done = ask()
		for range 2 { // a list that leads nowhere
			s.message(wire.Answer{Req: s.next(wire.TypeWorkers).req, Next: 2, Workers: []wire.WorkerInfo{{ID: 2}}})
		}
		if _, err := await(t, "Workers", done); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("Workers = %v", err)
		}
	})
}

func uniques(keys ...string) []reeve.Task {
	tasks := make([]reeve.Task, len(keys))
	for i, k := range keys {
		tasks[i] = reeve.Task{Payload: []byte(k), Rules: &reeve.Rules{Unique: k}}
	}
	return tasks
}

func TestPut_UniqueTasksAreAnsweredApartInAnyOrder(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		done := async(func() ([]reeve.ID, error) {
			return c.Queue("tasks").Put(t.Context(), uniques("a", "b", "c"))
		})
		var rs []request
		for _, key := range []string{"a", "b", "c"} {
			r := s.next(wire.TypePut)
			if r.put.Rules == nil || r.put.Rules.Unique != key || r.tasks != 1 {
				t.Fatalf("%+v", r)
			}
			rs = append(rs, r)
		}
		if rs[2].req != rs[0].req+2 {
			t.Errorf("requests %d to %d", rs[0].req, rs[2].req)
		}
		s.confirm(rs[2].req, 30)
		dup := wire.ErrorFor(rs[1].req, reeve.ErrDuplicate, "")
		dup.First = 20
		s.message(dup)
		s.confirm(rs[0].req, 10)
		ids, err := await(t, "Put", done)
		var d *reeve.DuplicateError
		if !errors.As(err, &d) || !slices.Equal(d.Tasks, []int{1}) || !slices.Equal(d.IDs, []reeve.ID{20}) || !slices.Equal(ids, []reeve.ID{10, 20, 30}) {
			t.Errorf("%v, %v", ids, err)
		}
	})
}

func TestPut_UniqueTasksGivenUpTellWhatWasPut(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx, cancel := context.WithCancel(t.Context())
		done := async(func() ([]reeve.ID, error) { return c.Queue("tasks").Put(ctx, uniques("a", "b", "c")) })
		var reqs []uint64
		for range 3 {
			reqs = append(reqs, s.next(wire.TypePut).req)
		}
		s.confirm(reqs[1], 20)
		synctest.Wait()
		cancel()
		ids, err := await(t, "Put", done)
		if !errors.Is(err, context.Canceled) || !slices.Equal(ids, []reeve.ID{0, 20, 0}) {
			t.Errorf("%v, %v", ids, err)
		}
		for _, want := range []uint64{reqs[0], reqs[2]} {
			if got := s.next(wire.TypeCancel).msg.(*wire.Cancel).Req; got != want {
				t.Errorf("request %d is cancelled, want %d", got, want)
			}
		}
		m.stop()
		s.drop()
		synctest.Wait()
		// Without a connection nothing is asked, and nothing is left behind.
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ids, err = c.Queue("tasks").Put(ctx, uniques("a", "b"))
		if !errors.Is(err, reeve.ErrDisconnected) || !errors.Is(err, context.DeadlineExceeded) || !slices.Equal(ids, []reeve.ID{0, 0}) {
			t.Errorf("%v, %v", ids, err)
		}
		if n := c.Stats().Waiting; n != 0 {
			t.Errorf("%d calls wait", n)
		}
	})
}

func TestPut_UniqueTasksOfAClosedClient(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		done := async(func() ([]reeve.ID, error) {
			return c.Queue("tasks").Put(t.Context(), uniques("a", "b"))
		})
		s.next(wire.TypePut)
		c.Close()
		if _, err := await(t, "Put", done); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("Put = %v", err)
		}
		if _, err := c.Queue("tasks").Put(t.Context(), uniques("a", "b")); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("Put = %v", err)
		}
	})
}

func TestExtend_OfACancelledTaskSaysThatTheLeaseIsLost(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		l := lease(t, c, s, 1)
		extended := make(chan error, 1)
		go func() { extended <- l.Extend(t.Context(), time.Minute) }()
		s.refuse(s.next(wire.TypeExtend).req, fmt.Errorf("%w: %w", reeve.ErrLeaseLost, reeve.ErrCancelled))
		if err := <-extended; !errors.Is(err, reeve.ErrCancelled) || !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("%v", err)
		}
		if err := l.Ack(t.Context()); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("its end: %v", err)
		}
	})
}
