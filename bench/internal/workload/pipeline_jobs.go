package workload

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
	"golang.org/x/sync/errgroup"
)

// work takes tasks over so many connections and puts their results, until the
// input ends. It reports when it takes them.
func (j *job) work(ctx context.Context) error {
	team, ctx := errgroup.WithContext(ctx)
	var ready sync.WaitGroup
	ready.Add(j.first.Conns)
	for range j.first.Conns {
		team.Go(func() error {
			if err := j.workOn(ctx, ready.Done); err != nil {
				return err
			}
			return errors.New("a worker has ended by itself")
		})
	}
	all := make(chan struct{})
	go func() { ready.Wait(); close(all) }() // ends with all, or with the process
	select {
	case <-all:
		if err := j.report(report{}); err != nil {
			return err
		}
	case <-ctx.Done():
	}
	return team.Wait()
}

// workOn works over one connection. It calls ready once, when it takes tasks.
func (j *job) workOn(ctx context.Context, ready func()) error {
	if r, ok := j.sys.(system.Runner); ok {
		// The library may call handle from several goroutines.
		makers := sync.Pool{New: func() any { return new(maker) }}
		return r.Run(ctx, j.endpoint, tasksQueue, resultsQueue, func(task []byte) []byte {
			m := makers.Get().(*maker)
			defer makers.Put(m)
			return m.result(task)
		}, ready)
	}
	c, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	in, err := c.Consume(ctx, tasksQueue, prefetch(j.sys))
	if err != nil {
		return err
	}
	defer in.Close()
	ready()
	var made maker
	batch := j.sys.Batch()
	items := make([]system.Item, 0, batch)
	for {
		if items, err = in.Next(ctx, items[:0], batch); err != nil {
			return err
		}
		results := made.list(len(items))
		for i := range items {
			results[i] = made.result(items[i].Payload)
		}
		if err := in.End(ctx, items, resultsQueue, results); err != nil {
			return err
		}
	}
}

// prefetch is how many tasks a worker holds: two batches, so that one is on its
// way while the other is worked on; or one where everything goes one by one.
func prefetch(s system.System) int {
	if s.Batch() == 1 {
		return 1
	}
	return 2 * s.Batch()
}

// producers is how many goroutines put: enough that the server need not wait.
func producers(s system.System) int {
	if s.Batch() == 1 {
		return 16
	}
	return 4
}

// collectorBatches is how many batches of results are held.
const collectorBatches = 8

// drive puts tasks over one connection and collects their results over another,
// and checks that each is right and there once. It reports how long it took,
// from before the first put until the last result's acknowledgement is confirmed.
// Or it puts one by one, and reports how long one takes.
func (j *job) drive(ctx context.Context) error {
	c, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	other, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer other.Close()
	in, err := other.Consume(ctx, resultsQueue, collectorBatches*j.sys.Batch())
	if err != nil {
		return err
	}
	defer in.Close()
	var alone maker
	return j.each(func(o order) (report, error) {
		if o.Op == "put" { // one by one, where nobody ends them
			return j.timed(o, func() (time.Duration, error) {
				began := time.Now()
				err := c.Put(ctx, resultsQueue, alone.numbers(0, 1))
				return time.Since(began), err
			})
		}
		began := time.Now()
		w := newWindow(pipelineWindow)
		team, ctx := errgroup.WithContext(ctx)
		defer context.AfterFunc(ctx, w.close)()
		source := &source{first: o.First, left: o.Tasks, batch: j.sys.Batch(), window: w}
		for range producers(j.sys) {
			var made maker
			team.Go(func() error {
				return source.put(ctx, func(first, n int) error { return c.Put(ctx, tasksQueue, made.numbers(first, n)) })
			})
		}
		team.Go(func() error { return j.collect(ctx, in, newChecklist(o.First, o.Tasks), w) })
		err := team.Wait()
		return report{Tasks: o.Tasks, Took: time.Since(began)}, err
	})
}

// collect takes and acknowledges the results on the list.
func (j *job) collect(ctx context.Context, in system.Consumer, list *checklist, w *window) error {
	batch := j.sys.Batch()
	items := make([]system.Item, 0, batch)
	var err error
	for list.left > 0 {
		if items, err = in.Next(ctx, items[:0], batch); err != nil {
			return err
		}
		for i := range items {
			if err := list.note(items[i].Payload); err != nil {
				return err
			}
		}
		if err := in.End(ctx, items, "", nil); err != nil {
			return err
		}
		w.give(len(items))
	}
	return in.Flush(ctx)
}
