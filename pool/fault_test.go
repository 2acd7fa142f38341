package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/worker"
)

// faulty is a master some of whose answers are others.
type faulty struct {
	reeve.Operator
	wait func(reeve.Result, error) (reeve.Result, error)
	task error
	list error
}

func (f *faulty) Wait(ctx context.Context, id reeve.ID) (reeve.Result, error) {
	r, err := f.Operator.Wait(ctx, id)
	if f.wait != nil {
		return f.wait(r, err)
	}
	return r, err
}

func (f *faulty) Task(ctx context.Context, id reeve.ID) (reeve.TaskInfo, error) {
	if f.task != nil {
		return reeve.TaskInfo{}, f.task
	}
	return f.Operator.Task(ctx, id)
}

func (f *faulty) List(ctx context.Context, queue string, filter reeve.Filter, o reeve.ListOptions) (reeve.Page, error) {
	if f.list != nil {
		return reeve.Page{}, f.list
	}
	return f.Operator.List(ctx, queue, filter, o)
}

func TestFault_TooManyWaitsAreTriedAgain(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		var n atomic.Int64
		w.op = &faulty{Operator: w.op, wait: func(r reeve.Result, err error) (reeve.Result, error) {
			if n.Add(1)%3 != 0 {
				return reeve.Result{}, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "waits"}
			}
			return r, err
		}}
		p := newPool[int, int](t, w, "square", pool.Config{})
		outs, err := p.Map(t.Context(), []int{1, 2, 3, 4, 5})
		if err != nil || fmt.Sprint(outs) != "[1 4 9 16 25]" {
			t.Errorf("%v, %v", outs, err)
		}
	})
}

func TestFault_AnErrorOfAWaitIsTheCalls(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		for _, want := range []error{reeve.ErrJournal, reeve.ErrPermission} {
			w := w
			w.op = &faulty{Operator: w.op, wait: func(reeve.Result, error) (reeve.Result, error) { return reeve.Result{}, want }}
			if _, err := newPool[int, int](t, w, "square", pool.Config{}).Apply(t.Context(), 1); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		w.op = &faulty{Operator: w.op, wait: func(r reeve.Result, _ error) (reeve.Result, error) {
			r.State = 77 // of a newer version
			return r, nil
		}}
		if _, err := newPool[int, int](t, w, "square", pool.Config{}).Apply(t.Context(), 1); !errors.Is(err, reeve.ErrInternal) {
			t.Errorf("%v", err)
		}
	})
}

func TestFault_LostWorkersAreToldWithoutAHistory(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.op = &faulty{Operator: w.op, task: reeve.ErrNoSuchTask}
		p := newPool[int, int](t, w, "sleep", pool.Config{Attempts: 1})
		f := p.Go(t.Context(), 3_600_000)
		v := w.victim(t, 1)
		leased(t, w.tasks, 1)
		v.kill()
		if _, err := f.Get(t.Context()); !errors.Is(err, reeve.ErrWorkerLost) {
			t.Error(err)
		}
		w.work(t, 1)
		if _, err := newPool[int, int](t, w, "fail", pool.Config{Attempts: 1}).Apply(t.Context(), 1); !errors.Is(err, reeve.ErrTaskDead) || errors.Is(err, reeve.ErrWorkerLost) {
			t.Error(err)
		}
	})
}

// doubtful is a queue of whose puts nobody knows what became of them.
type doubtful struct{ reeve.Queue }

func (doubtful) Put(context.Context, []reeve.Task, ...reeve.PutOption) ([]reeve.ID, error) {
	return nil, reeve.ErrOutcomeUnknown
}

func TestFault_APutInDoubtIsAnError(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.tasks = doubtful{w.tasks}
		if _, err := newPool[int, int](t, w, "f", pool.Config{}).Map(t.Context(), []int{1, 2}); !errors.Is(err, reeve.ErrOutcomeUnknown) {
			t.Error(err)
		}
	})
}

// Without the patrol what is watched is heard of all the same.
func TestFault_APatrolThatFailsHarmsNobody(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.op = &faulty{Operator: w.op, list: reeve.ErrPermission}
		p := newPool[int, int](t, w, "square", pool.Config{})
		f := p.MapAsync(make([]int, 2000))
		time.Sleep(time.Minute)
		w.work(t, 4)
		if _, err := f.Get(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestFault_ADeletedQueueEndsItsTasks(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "f", pool.Config{MaxPending: 600})
		f := p.MapAsync(make([]int, 1000)) // some are watched, some are not, some are not put
		synctest.Wait()
		q := w.op.(interface {
			DeleteQueue(ctx context.Context, name string, force bool) error
		})
		if err := q.DeleteQueue(t.Context(), "tasks", true); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Get(t.Context()); !errors.Is(err, reeve.ErrPurged) {
			t.Error(err)
		}
		if _, err := p.Apply(t.Context(), 1); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Error(err)
		}
	})
}

func TestFault_AMasterThatKeepsItsQueuesGoesOn(t *testing.T) {
	cfg := manager.Config{Journal: managertest.Reopen(func(prev journal.Journal) (journal.Journal, error) {
		if prev != nil {
			return prev.(*journaltest.Memory).Crash(journaltest.PowerCut()), nil
		}
		return journaltest.NewMemory(journaltest.MemoryConfig{TB: t}), nil
	})}
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		w := way{Master: m, op: c, tasks: c.Queue("tasks")}
		p := newPool[int, int](t, w, "square", pool.Config{MaxPending: 10})
		f := p.MapAsync([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
		synctest.Wait()
		m.Restart(t)
		w.work(t, 2)
		if outs, err := f.Get(t.Context()); err != nil || outs[12] != 144 {
			t.Errorf("%v, %v", outs, err)
		}
	}, cfg)
}

func TestWorkers_MayBeInTheMastersProcess(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		tasks := m.Declare(t, "tasks", reeve.QueueConfig{})
		here := worker.New(tasks, worker.Config{Concurrency: 2})
		functions(here)
		done := make(chan error, 1)
		go func() { done <- here.Run(context.Background()) }() // received below
		c := m.Dial(t)
		remote := newPool[int, int](t, way{Master: m, op: c, tasks: c.Queue("tasks")}, "square", pool.Config{})
		local := newPool[int, int](t, way{Master: m, op: m.Manager(), tasks: tasks}, "square", pool.Config{})
		for name, p := range map[string]*pool.Pool[int, int]{"remote": remote, "local": local} {
			if outs, err := p.Map(t.Context(), []int{5, 6}); err != nil || outs[1] != 36 {
				t.Errorf("%s: %v, %v", name, outs, err)
			}
		}
		if err := here.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
}
