package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
	"golang.org/x/sync/errgroup"
)

// scale does what its orders say, each with connections of its own.
func (j *job) scale(ctx context.Context) error {
	return j.each(func(o order) (r report, err error) {
		conns := make([]system.Client, max(o.Conns, 1))
		defer func() {
			for _, c := range conns {
				if c != nil {
					err = errors.Join(err, c.Close())
				}
			}
		}()
		for i := range conns {
			if conns[i], err = j.dial(ctx); err != nil {
				return report{}, err
			}
		}
		switch o.Op {
		case "fill":
			return j.fill(ctx, conns[0], o)
		case "flow":
			return j.flow(ctx, o, conns)
		case "trips":
			return j.exchange(ctx, o, conns, scaleNames()[:o.Callers], 1)
		case "rounds":
			o.Callers = 1
			return j.exchange(ctx, o, conns, []string{tasksQueue}, j.sys.Batch())
		}
		return report{}, fmt.Errorf("no operation %q", o.Op)
	})
}

// exchange has goroutines, each with a queue of its own, put so many tasks at a
// time and take as many.
func (j *job) exchange(ctx context.Context, o order, conns []system.Client, queues []string, step int) (report, error) {
	ends := make([]*exchanger, len(queues))
	for i, queue := range queues {
		e := &exchanger{conn: conns[i%len(conns)], queue: queue, step: step}
		var err error
		if e.in, err = e.conn.Consume(ctx, queue, step); err != nil {
			return report{}, err
		}
		ends[i] = e
	}
	r, err := j.callers(ctx, o, func(i int) func() error {
		return func() error { return ends[i].round(ctx) }
	})
	r.Tasks *= step
	for _, e := range ends {
		err = errors.Join(err, e.in.Close())
	}
	return r, err
}

// exchanger is one that puts and takes.
type exchanger struct {
	conn  system.Client
	in    system.Consumer
	queue string
	step  int
	made  maker
	items []system.Item
}

func (e *exchanger) round(ctx context.Context) (err error) {
	if err := e.conn.Put(ctx, e.queue, e.made.numbers(0, e.step)); err != nil {
		return err
	}
	for n := 0; n < e.step; n += len(e.items) {
		if e.items, err = e.in.Next(ctx, e.items[:0], e.step-n); err != nil {
			return err
		}
		if err := e.in.End(ctx, e.items, "", nil); err != nil {
			return err
		}
	}
	return e.in.Flush(ctx)
}

// flow has goroutines put batches while as many others take and end them, all in
// one queue, or each pair in one of several.
func (j *job) flow(ctx context.Context, o order, conns []system.Client) (report, error) {
	queues := []string{tasksQueue}
	if o.Queues > 1 {
		queues = scaleNames()[:o.Queues]
	}
	began := time.Now()
	w := newWindow(pipelineWindow)
	source := &source{left: o.Tasks, batch: j.sys.Batch(), window: w}
	if o.Time > 0 {
		source.left = 1 << 40
		defer time.AfterFunc(o.Time, source.end).Stop()
	}
	taking, stop := context.WithCancel(ctx)
	defer stop()
	putters, putting := errgroup.WithContext(ctx)
	var takers errgroup.Group
	defer context.AfterFunc(taking, w.close)()
	for i := range o.Callers {
		c, queue := conns[i%len(conns)], queues[i%len(queues)]
		in, err := c.Consume(ctx, queue, prefetch(j.sys))
		if err != nil {
			return report{}, err
		}
		takers.Go(func() error {
			defer in.Close()
			err := j.takeFrom(taking, in, w)
			if taking.Err() != nil && ctx.Err() == nil {
				return in.Flush(ctx)
			}
			stop()
			return err
		})
		var made maker
		putters.Go(func() error {
			return source.put(putting, func(first, n int) error { return c.Put(putting, queue, made.numbers(first, n)) })
		})
	}
	err := putters.Wait()
	if err == nil {
		w.drained()
	}
	stop()
	err = errors.Join(err, takers.Wait())
	return report{Tasks: source.first, Took: time.Since(began)}, err
}

// takeFrom takes and ends tasks until ctx does.
func (j *job) takeFrom(ctx context.Context, in system.Consumer, w *window) (err error) {
	items := make([]system.Item, 0, j.sys.Batch())
	for {
		if items, err = in.Next(ctx, items[:0], cap(items)); err != nil {
			return err
		}
		if err := in.End(ctx, items, "", nil); err != nil {
			return err
		}
		w.give(len(items))
	}
}
