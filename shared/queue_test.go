package shared_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

// withQueues runs f at a master and at a client of one.
func withQueues(t *testing.T, f func(t *testing.T, m *managertest.Master, d reeve.QueueDeclarer)) {
	t.Run("client", func(t *testing.T) {
		managertest.Run(t, func(t *testing.T, m *managertest.Master) { f(t, m, m.Dial(t)) })
	})
	t.Run("master", func(t *testing.T) {
		managertest.Run(t, func(t *testing.T, m *managertest.Master) { f(t, m, m.Manager()) })
	})
}

func mustPut[T any](t *testing.T, put func(context.Context, T, ...reeve.PutOption) error, values ...T) {
	t.Helper()
	for _, v := range values {
		if err := put(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
}

// mustGet gets n values.
func mustGet[T any](t *testing.T, get func(context.Context, ...reeve.GetOption) (T, error), n int) (values []T) {
	t.Helper()
	for range n {
		v, err := get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

func TestJoinableQueue_JoinWaitsForTaskDoneNotForGet(t *testing.T) {
	withQueues(t, func(t *testing.T, _ *managertest.Master, d reeve.QueueDeclarer) {
		q, err := shared.NewJoinableQueue[string](t.Context(), d, "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		mustPut(t, q.Put, "a", "b")
		joined := make(chan error, 1)
		go func() { joined <- q.Join(t.Context()) }() // waited for below
		if got := mustGet(t, q.Get, 2); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("got %q", got)
		}
		for range 2 {
			synctest.Wait()
			select {
			case err := <-joined:
				t.Fatalf("Join returned with values that are not done: %v", err)
			default:
			}
			if err := q.TaskDone(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-joined; err != nil {
			t.Error(err)
		}
		if err := q.TaskDone(t.Context()); !errors.Is(err, reeve.ErrTooManyDone) {
			t.Errorf("TaskDone of nothing: %v", err)
		}
		if err := q.Join(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestJoinableQueue_WhatIsNotDoneComesBackWhenItsClientIsGone(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		q, err := shared.NewJoinableQueue[int](t.Context(), c, "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		mustPut(t, q.Put, 1, 2)
		mustGet(t, q.Get, 2)
		if err := q.TaskDone(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Close()
		other := shared.JoinableQueueOf[int](m.Dial(t).Queue("q"))
		if got := mustGet(t, other.Get, 1); got[0] != 2 {
			t.Errorf("got %d", got[0])
		}
		if n, err := other.Len(t.Context()); n != 0 || err != nil {
			t.Errorf("%d left, %v", n, err)
		}
	})
}

func TestJoinableQueue_WhatIsNotDoneForAContextCanBeDoneLater(t *testing.T) {
	withQueues(t, func(t *testing.T, _ *managertest.Master, d reeve.QueueDeclarer) {
		q, err := shared.NewJoinableQueue[int](t.Context(), d, "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		mustPut(t, q.Put, 1)
		mustGet(t, q.Get, 1)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := q.TaskDone(over); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if err := errors.Join(q.TaskDone(t.Context()), q.Join(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// TestSimpleQueue_AGetThatIsGivenUpTakesNothing has the ctx of a Get end when it
// has got a value.
func TestSimpleQueue_AGetThatIsGivenUpTakesNothing(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		raw, err := m.Manager().DeclareQueue(t.Context(), "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		q := shared.SimpleQueueOf[int](leaving{raw, cancel})
		mustPut(t, q.Put, 7)
		if v, err := q.Get(ctx); v != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("got %d, %v", v, err)
		}
		synctest.Wait()
		if got := mustGet(t, shared.SimpleQueueOf[int](raw).TryGet, 1); got[0] != 7 {
			t.Errorf("got %d", got[0])
		}
	})
}

// leaving ends a ctx when a Get has a value.
type leaving struct {
	reeve.Queue
	leave context.CancelFunc
}

func (q leaving) Get(ctx context.Context, max int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	defer q.leave()
	return q.Queue.Get(ctx, max, opts...)
}

func TestJoinableQueue_TellsOfItself(t *testing.T) {
	withQueues(t, func(t *testing.T, _ *managertest.Master, d reeve.QueueDeclarer) {
		q, err := shared.NewJoinableQueue[int](t.Context(), d, "q", reeve.QueueConfig{MaxLen: 2}, codec.JSON)
		if err != nil {
			t.Fatal(err)
		}
		state := func() (s string) {
			n, err1 := q.Len(t.Context())
			empty, err2 := q.Empty(t.Context())
			full, err3 := q.Full(t.Context())
			most, err4 := q.Cap(t.Context())
			next, err5 := q.Peek(t.Context(), 5)
			if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
				t.Fatal(err)
			}
			s = strconv.Itoa(n) + " of " + strconv.Itoa(most)
			if empty {
				s += " empty"
			}
			if full {
				s += " full"
			}
			for _, v := range next {
				s += " " + strconv.Itoa(v)
			}
			return s
		}
		if s := state(); s != "0 of 2 empty" {
			t.Error(s)
		}
		mustPut(t, q.TryPut, 7, 8)
		if s := state(); s != "2 of 2 full 7 8" {
			t.Error(s)
		}
		if err := q.TryPut(t.Context(), 9); !errors.Is(err, reeve.ErrQueueFull) {
			t.Errorf("%v", err)
		}
		mustGet(t, q.TryGet, 2)
		if _, err := q.TryGet(t.Context()); !errors.Is(err, reeve.ErrEmpty) {
			t.Errorf("%v", err)
		}
		if s := state(); s != "0 of 2 empty" {
			t.Error(s)
		}
		if err := q.Typed().Raw().Shutdown(t.Context(), true); err != nil || q.Name() != "q" {
			t.Error(q.Name(), err)
		}
	})
}

// TestTypedPeek_EndsBeforeWhatCannotBeRead peeks at payloads of another codec.
func TestTypedPeek_EndsBeforeWhatCannotBeRead(t *testing.T) {
	withQueues(t, func(t *testing.T, _ *managertest.Master, d reeve.QueueDeclarer) {
		raw, err := d.DeclareQueue(t.Context(), "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		q := reeve.NewTypedQueue[int](raw, codec.JSON)
		if _, err := raw.Put(t.Context(), []reeve.Task{{Payload: []byte("1")}, {Payload: []byte("x")}, {Payload: []byte("2")}}); err != nil {
			t.Fatal(err)
		}
		if next, err := q.Peek(t.Context(), 5); err != nil || !slices.Equal(next, []int{1}) {
			t.Errorf("%v, %v", next, err)
		}
		if _, err := q.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if next, err := q.Peek(t.Context(), 5); err == nil || len(next) > 0 {
			t.Errorf("%v, %v", next, err)
		}
	})
}

func TestLifoQueue_HandsOutTheLastFirst(t *testing.T) {
	withQueues(t, func(t *testing.T, _ *managertest.Master, d reeve.QueueDeclarer) {
		q, err := shared.NewLifoQueue[int](t.Context(), d, "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		mustPut(t, q.Put, 1, 2, 3)
		if got := mustGet(t, q.Get, 3); !slices.Equal(got, []int{3, 2, 1}) {
			t.Errorf("got %v", got)
		}
		if _, err := shared.NewJoinableQueue[int](t.Context(), d, "q", reeve.QueueConfig{}); !errors.Is(err, reeve.ErrQueueExists) {
			t.Errorf("a queue of another order: %v", err)
		}
	})
}

func TestPriorityQueue_HandsOutTheLowestKeyFirst(t *testing.T) {
	type job struct {
		Level int
		Name  string
	}
	level := func(j job) int { return j.Level }
	withQueues(t, func(t *testing.T, _ *managertest.Master, d reeve.QueueDeclarer) {
		q, err := shared.NewPriorityQueue(t.Context(), d, "q", reeve.QueueConfig{MaxLen: 6}, level)
		if err != nil {
			t.Fatal(err)
		}
		jobs := []job{{5, "a"}, {math.MaxInt32, "b"}, {-3, "c"}, {5, "d"}, {math.MinInt32, "e"}, {0, "f"}}
		mustPut(t, q.Put, jobs...)
		if err := q.TryPut(t.Context(), job{Level: 1}); !errors.Is(err, reeve.ErrQueueFull) {
			t.Errorf("%v", err)
		}
		var order string
		for _, j := range mustGet(t, q.Get, 6) {
			order += j.Name
		}
		if order != "ecfadb" {
			t.Errorf("got %s", order)
		}
		if err := q.TaskDone(t.Context()); err != nil {
			t.Error(err)
		}
		for _, key := range []int{math.MaxInt32 + 1, math.MinInt32 - 1, math.MaxInt, math.MinInt} {
			put, tryPut := q.Put(t.Context(), job{Level: key}), q.TryPut(t.Context(), job{Level: key})
			if !errors.Is(put, reeve.ErrInvalid) || !errors.Is(tryPut, reeve.ErrInvalid) {
				t.Errorf("key %d: %v, %v", key, put, tryPut)
			}
		}
		other := shared.PriorityQueueOf(q.Typed().Raw(), level)
		mustPut(t, other.Put, job{2, "x"}, job{1, "y"})
		if got := mustGet(t, q.Get, 2); got[0].Name != "y" {
			t.Errorf("got %v", got)
		}
	})
}

func TestSimpleQueue_WhatWasGotIsGone(t *testing.T) {
	withQueues(t, func(t *testing.T, m *managertest.Master, d reeve.QueueDeclarer) {
		q, err := shared.NewSimpleQueue[int](t.Context(), d, "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.TryGet(t.Context()); !errors.Is(err, reeve.ErrEmpty) {
			t.Errorf("%v", err)
		}
		mustPut(t, q.Put, 1, 2, 3)
		if got := mustGet(t, q.Get, 2); !slices.Equal(got, []int{1, 2}) {
			t.Errorf("got %v", got)
		}
		if got := mustGet(t, shared.SimpleQueueOf[int](q.Typed().Raw()).TryGet, 1); got[0] != 3 {
			t.Errorf("got %v", got)
		}
		if s := m.Manager().QueueStats()[0]; s.Done != 3 || s.Leased+s.Ready != 0 {
			t.Errorf("%+v", s)
		}
		n, err1 := q.Len(t.Context())
		empty, err2 := q.Empty(t.Context())
		if err := errors.Join(err1, err2); n != 0 || !empty || err != nil || q.Name() != "q" {
			t.Errorf("%d, %v, %v", n, empty, err)
		}
		if _, err := shared.NewSimpleQueue[int](t.Context(), d, "bounded", reeve.QueueConfig{MaxLen: 1}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("with a bound: %v", err)
		}
		if _, err := shared.NewSimpleQueue[int](t.Context(), d, "a\nb", reeve.QueueConfig{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("a name that is none: %v", err)
		}
	})
}

// TestSimpleQueue_PutNeverWaits fills the bytes of a queue.
func TestSimpleQueue_PutNeverWaits(t *testing.T) {
	withQueues(t, func(t *testing.T, _ *managertest.Master, d reeve.QueueDeclarer) {
		q, err := shared.NewSimpleQueue[string](t.Context(), d, "q", reeve.QueueConfig{MaxBytes: 600})
		if err != nil {
			t.Fatal(err)
		}
		mustPut(t, q.Put, "a", "b")
		if err := q.Put(t.Context(), "c"); !errors.Is(err, reeve.ErrQueueFull) {
			t.Errorf("%v", err)
		}
	})
}

// TestSimpleQueue_AValueOfALostLeaseIsNotReturned has the lease of a value end
// while it is taken out.
func TestSimpleQueue_AValueOfALostLeaseIsNotReturned(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		raw, err := m.Manager().DeclareQueue(t.Context(), "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		q := shared.SimpleQueueOf[int](cancelling{raw, m.Manager()})
		mustPut(t, q.Put, 1, 2)
		if got := mustGet(t, q.Get, 1); got[0] != 2 {
			t.Errorf("got %d, of which the task was cancelled", got[0])
		}
	})
}

// cancelling cancels the first task of the first Get.
type cancelling struct {
	reeve.Queue
	op reeve.Operator
}

func (q cancelling) Get(ctx context.Context, max int, opts ...reeve.GetOption) ([]*reeve.Lease, error) {
	leases, err := q.Queue.Get(ctx, max, opts...)
	if err == nil && string(leases[0].Payload) == "\x01" {
		err = q.op.Cancel(ctx, leases[0].ID, "")
	}
	return leases, err
}

// TestQueues_ShutdownIsPythons has the rules of queue.Queue.shutdown.
func TestQueues_ShutdownIsPythons(t *testing.T) {
	withQueues(t, func(t *testing.T, _ *managertest.Master, d reeve.QueueDeclarer) {
		declare := func(name string) *shared.JoinableQueue[int] {
			q, err := shared.NewJoinableQueue[int](t.Context(), d, name, reeve.QueueConfig{MaxLen: 2})
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		run := func(f func() error) chan error {
			c := make(chan error, 1)
			go func() { c <- f() }() // whoever made it waits for it
			synctest.Wait()
			return c
		}
		shutdown := func(q *shared.JoinableQueue[int], immediate bool) {
			if err := q.Shutdown(t.Context(), immediate); err != nil {
				t.Fatal(err)
			}
		}

		q := declare("drained")
		mustPut(t, q.Put, 1, 2)
		waits := run(func() error { return q.Put(t.Context(), 3) })
		shutdown(q, false)
		if err := <-waits; !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("a Put that waited: %v", err)
		}
		if err := q.TryPut(t.Context(), 3); !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("a later Put: %v", err)
		}
		mustGet(t, q.Get, 2)
		if _, err := q.Get(t.Context()); !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("a Get of nothing, with two values that are not done: %v", err)
		}
		if _, err := q.TryGet(t.Context()); !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("a TryGet of nothing: %v", err)
		}
		join := run(func() error { return q.Join(t.Context()) })
		for range 2 {
			if len(join) != 0 {
				t.Error("Join did not wait")
			}
			if err := q.TaskDone(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := <-join; err != nil {
			t.Error(err)
		}

		q = declare("empty")
		mustPut(t, q.Put, 1)
		mustGet(t, q.Get, 1) // is not done
		get := run(func() error { _, err := q.Get(t.Context()); return err })
		shutdown(q, false)
		if err := <-get; !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("a Get that waited: %v", err)
		}

		q = declare("immediate")
		mustPut(t, q.Put, 1, 2)
		join = run(func() error { return q.Join(t.Context()) })
		shutdown(q, true)
		if err := <-join; err != nil {
			t.Errorf("a Join of what was dropped: %v", err)
		}
		if _, err := q.Get(t.Context()); !errors.Is(err, reeve.ErrShutdown) {
			t.Errorf("a Get of what was dropped: %v", err)
		}

		q = declare("immediate, with one that was got")
		mustPut(t, q.Put, 1, 2)
		mustGet(t, q.Get, 1)
		join = run(func() error { return q.Join(t.Context()) })
		shutdown(q, true)
		time.Sleep(time.Second)
		if len(join) != 0 {
			t.Error("Join did not wait for what was got")
		}
		if err := q.TaskDone(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-join; err != nil {
			t.Error(err)
		}
	})
}
