package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/proxy"
)

func TestLost_AKilledWorkersTaskIsRunByAnother(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "sleep", pool.Config{})
		v := w.victim(t, 2)
		f := p.MapAsync([]int{60_000, 60_000, 60_000})
		leased(t, w.tasks, 2)
		v.kill()
		w.work(t, 3)
		if outs, err := f.Get(t.Context()); err != nil || outs[0] != 60_000 {
			t.Errorf("%v, %v", outs, err)
		}
	})
}

func TestLost_ATaskThatLosesEveryWorkerEnds(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "sleep", pool.Config{Attempts: 3})
		f := p.Go(t.Context(), 3_600_000)
		for range 3 {
			v := w.victim(t, 1)
			leased(t, w.tasks, 1)
			v.kill()
			leased(t, w.tasks, 0)
		}
		_, err := f.Get(t.Context())
		var e *pool.TaskError
		if !errors.Is(err, reeve.ErrWorkerLost) || !errors.Is(err, reeve.ErrTaskDead) || !errors.As(err, &e) {
			t.Fatalf("%v", err)
		}
		if e.Reason != "worker lost ×3" || len(e.History) != 3 || e.History[2].Outcome != "lost" || e.Attempts != 3 {
			t.Errorf("%+v", e)
		}
	})
}

// What operators do to a task is an end for who waits for it.
func TestLost_EveryEndIsHeard(t *testing.T) {
	for name, c := range map[string]struct {
		do func(t *testing.T, w way)
		is error
	}{
		"cancelled": {func(t *testing.T, w way) {
			if n, err := w.op.CancelAll(t.Context(), "tasks", reeve.Filter{}, "no"); n != 3 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}, reeve.ErrCancelled},
		"purged": {func(t *testing.T, w way) {
			if n, err := w.op.Purge(t.Context(), "tasks", reeve.Filter{States: []reeve.State{reeve.StateReady}}); n != 3 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}, reeve.ErrPurged},
		"shut down": {func(t *testing.T, w way) {
			if err := w.tasks.Shutdown(t.Context(), true); err != nil {
				t.Error(err)
			}
		}, reeve.ErrPurged},
		"moved, and cancelled there": {func(t *testing.T, w way) {
			w.Declare(t, "other", reeve.QueueConfig{})
			if n, err := w.op.Move(t.Context(), "tasks", "other", reeve.Filter{}); n != 3 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			if _, err := w.op.CancelAll(t.Context(), "other", reeve.Filter{}, "no"); err != nil {
				t.Error(err)
			}
		}, reeve.ErrCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
				p := newPool[int, int](t, w, "f", pool.Config{})
				f := p.MapAsync([]int{1, 2, 3})
				g := p.Go(t.Context(), 4)
				if err := g.Cancel(t.Context(), "so that there are three"); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				c.do(t, w)
				_, err := f.Get(t.Context())
				var e *pool.TaskError
				if !errors.Is(err, c.is) || !errors.As(err, &e) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

func TestLost_PutsThatAreRefusedAreErrors(t *testing.T) {
	eachWay(t, reeve.QueueConfig{MaxLen: 3, Refuse: true}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "f", pool.Config{})
		var failed int
		var all []*pool.Future[int]
		for i := range 8 {
			all = append(all, p.Go(t.Context(), i))
		}
		synctest.Wait()
		for _, f := range all {
			if f.Ready() {
				failed++
				if _, err := f.Get(t.Context()); !errors.Is(err, reeve.ErrQueueFull) {
					t.Error(err)
				}
			}
		}
		if failed != 5 {
			t.Errorf("%d were refused, want 5", failed)
		}
		if err := w.tasks.Shutdown(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Apply(t.Context(), 1); !errors.Is(err, reeve.ErrShutdown) {
			t.Error(err)
		}
	})
}

func TestLost_AFullQueueIsWaitedFor(t *testing.T) {
	eachWay(t, reeve.QueueConfig{MaxLen: 3}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "square", pool.Config{})
		ins := make([]int, 100)
		f := p.MapAsync(ins) // in chunks of 25, which never fit
		synctest.Wait()
		w.work(t, 1)
		if _, err := f.Get(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLost_NoSuchQueue(t *testing.T) {
	remotely(t, reeve.QueueConfig{}, func(t *testing.T, w way, c *proxy.Client) {
		p, err := pool.New[int, int](c, c.Queue("nothing"), "f", pool.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Map(t.Context(), []int{1, 2, 3}); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Error(err)
		}
	})
}

func TestLost_AMasterWithoutItsMemoryIsAnError(t *testing.T) {
	remotely(t, reeve.QueueConfig{}, func(t *testing.T, w way, c *proxy.Client) {
		p := newPool[int, int](t, w2(w, c), "square", pool.Config{})
		f := p.MapAsync([]int{1, 2, 3})
		synctest.Wait()
		w.Restart(t)
		if _, err := f.Get(t.Context()); !errors.Is(err, reeve.ErrNoSuchTask) {
			t.Errorf("%v", err)
		}
		w.work(t, 1)
		if out, err := p.Apply(t.Context(), 3); err != nil || out != 9 {
			t.Errorf("later: %d, %v", out, err)
		}
	})
}

// w2 is w with the queue of c.
func w2(w way, c *proxy.Client) way {
	w.tasks = c.Queue("tasks")
	return w
}

func TestLost_ABrokenConnectionIsWaitedFor(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		w := way{Master: m, op: c, tasks: c.Queue("tasks")}
		p := newPool[int, int](t, w, "square", pool.Config{MaxPending: 10})
		f := p.MapAsync(make([]int, 50))
		synctest.Wait()
		m.Disconnect()
		w.work(t, 1)
		if _, err := f.Get(t.Context()); err != nil {
			t.Errorf("%v", err)
		}
	})
}

func TestLost_ResultsOutlastAConnection(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		local := way{Master: m, op: m.Manager()}
		v := local.victim(t, 1) // stands for a network that is cut
		w := way{Master: m, op: v.client, tasks: v.client.Queue("tasks")}
		p := newPool[int, int](t, w, "sleep", pool.Config{Keep: time.Hour})
		f := p.Go(t.Context(), 1000)
		synctest.Wait()
		v.worker.Close()
		v.mu.Lock()
		v.conn.Close()
		v.dead = true
		v.mu.Unlock()
		local.work(t, 1)
		time.Sleep(30 * time.Minute) // it ends meanwhile
		if f.Ready() {
			t.Error("it is ready without a connection")
		}
		v.mu.Lock()
		v.dead = false
		v.mu.Unlock()
		if out, err := f.Get(t.Context()); err != nil || out != 1000 {
			t.Errorf("%d, %v", out, err)
		}
		v.kill()
	})
}

func TestLost_TheEndOfClientOrMasterEndsCalls(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "f", pool.Config{MaxPending: 2})
		f := p.MapAsync([]int{1, 2, 3, 4, 5})
		synctest.Wait()
		if c, ok := w.op.(*proxy.Client); ok {
			c.Close()
		} else {
			w.Kill()
		}
		if _, err := f.Get(context.Background()); !errors.Is(err, reeve.ErrClosed) {
			t.Error(err)
		}
	})
}
