package workload

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve/bench/internal/process"
	"github.com/reeveq/reeve/bench/internal/system"
	"golang.org/x/sync/errgroup"
)

const (
	backlogTasks = 1_000_000
	backlogWarm  = 500 // more, put before
	backlogConns = 4   // that drain it
	// backlogTimes is for how many times the measurement's time a slow system may
	// put, and drain, before it is left at what it has done.
	backlogTimes = 4
)

// backlog is a queue that grows long before anybody takes from it.
func backlog() Workload {
	return Workload{
		Name:     "backlog",
		About:    "1,000,000 tasks of 100 bytes, or what is put in a few seconds; then drained by 4 connections",
		settings: system.Settings{ItemBytes: itemBytes, Backlog: backlogTasks + 1000},
		measure:  func(ctx context.Context, m *Measurement) error { return m.backlog(ctx) },
	}
}

func (m *Measurement) backlog(ctx context.Context) error {
	c, err := m.start(ctx, "stock", order{})
	if err != nil {
		return err
	}
	// Warm. Nobody takes these before the others: where nothing is acknowledged,
	// one who takes and goes away takes some with him.
	if _, err := m.ask(ctx, c, order{Op: "put", Tasks: backlogWarm}); err != nil {
		return err
	}
	o := order{Op: "put", First: backlogWarm, Tasks: m.Tasks}
	if m.Tasks == 0 {
		o.Tasks, o.Time = backlogTasks, backlogTimes*m.Time
	}
	before, known := process.Tree(m.server.PID)
	r, err := m.ask(ctx, c, o)
	if err != nil {
		return err
	}
	n := r.Tasks
	m.add(Figure{Metric: "put", Unit: "/s", Main: true, Value: r.rate()})
	var queued float64
	err = m.ifKnown(known, func() error {
		rss, err := m.settled(ctx, time.Second, 10*time.Second)
		queued = float64(rss-before.RSS)/float64(n) - itemBytes
		return err
	})
	if err != nil {
		return err
	}
	o.Op, o.Tasks = "drain", backlogWarm+n
	if r, err = m.ask(ctx, c, o); err != nil {
		return err
	}
	m.add(Figure{Metric: "drained", Unit: "/s", Value: r.rate()})
	if known == nil {
		m.add(Figure{Metric: "memory per queued task, beside its payload", Unit: "B", Lower: true, Value: queued})
	}
	m.add(Figure{Metric: "tasks queued", Value: float64(n)})
	return nil
}

// settled is the server's memory when it has not changed by more than a
// hundredth for a while: collectors of garbage, and what is given back to the
// system, take their time. After most it is what it is then.
func (m *Measurement) settled(ctx context.Context, quiet, most time.Duration) (int64, error) {
	began := time.Now()
	last, since := int64(0), began
	for {
		u, err := process.Tree(m.server.PID)
		if err != nil {
			return 0, err
		}
		if diff := max(u.RSS-last, last-u.RSS); diff > last/100 {
			last, since = u.RSS, time.Now()
		}
		if time.Since(since) > quiet || time.Since(began) > most {
			return u.RSS, nil
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stock puts tasks in a queue, and empties it.
func (j *job) stock(ctx context.Context) error {
	c, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return j.each(func(o order) (report, error) {
		if o.Op == "drain" {
			return j.drain(ctx, o)
		}
		return j.fill(ctx, c, o)
	})
}

// fill puts so many tasks, or those that it can in the order's time.
func (j *job) fill(ctx context.Context, c system.Client, o order) (report, error) {
	began := time.Now()
	source := &source{first: o.First, left: o.Tasks, batch: j.sys.Batch()}
	if o.Time > 0 {
		defer time.AfterFunc(o.Time, source.end).Stop()
	}
	team, ctx := errgroup.WithContext(ctx)
	for range producers(j.sys) {
		var made maker
		team.Go(func() error {
			return source.put(ctx, func(first, n int) error { return c.Put(ctx, tasksQueue, made.numbers(first, n)) })
		})
	}
	err := team.Wait()
	return report{Tasks: source.first - o.First, Took: time.Since(began)}, err
}

// drain takes so many tasks, or those that it can in the order's time, over
// several connections. All of them have to be those that were put, each once.
func (j *job) drain(ctx context.Context, o order) (report, error) {
	d := &drain{job: j, ctx: ctx, want: int64(o.Tasks)}
	var stop context.CancelFunc
	d.taking, stop = context.WithCancel(ctx)
	d.stop = stop
	defer stop()
	conns := make([]system.Client, backlogConns)
	for i := range conns {
		var err error
		if conns[i], err = j.dial(ctx); err != nil {
			return report{}, err
		}
		defer conns[i].Close()
	}
	if o.Time > 0 {
		defer time.AfterFunc(o.Time, stop).Stop()
	}
	began := time.Now()
	var team errgroup.Group
	for _, c := range conns {
		team.Go(func() error { return d.from(c) })
	}
	err := team.Wait()
	n := d.taken.Load()
	if err == nil && n >= d.want && (n > d.want || d.sum.Load() != n*(n-1)/2) {
		err = fmt.Errorf("%d tasks came, whose numbers have the sum %d: not those that were put", n, d.sum.Load())
	}
	return report{Tasks: int(n), Took: time.Since(began)}, err
}

// drain is what the connections that empty a queue share.
type drain struct {
	*job
	ctx, taking context.Context // taking ends when all were taken
	stop        func()
	want        int64
	taken, sum  atomic.Int64 // sum is that of the numbers
}

// from takes tasks over one connection.
func (d *drain) from(c system.Client) error {
	in, err := c.Consume(d.taking, tasksQueue, prefetch(d.sys))
	if err != nil {
		return d.unlessDone(err)
	}
	defer in.Close()
	items := make([]system.Item, 0, d.sys.Batch())
	for d.taken.Load() < d.want {
		if items, err = in.Next(d.taking, items[:0], cap(items)); err != nil {
			break
		}
		sum := int64(0)
		for i := range items {
			n, err := numberOf(items[i].Payload)
			if err != nil {
				return err
			}
			sum += int64(n)
		}
		if err := in.End(d.ctx, items, "", nil); err != nil {
			return err
		}
		d.sum.Add(sum)
		if d.taken.Add(int64(len(items))) >= d.want {
			d.stop()
		}
	}
	// A connection whose wait was broken off may be of no use any more.
	return d.unlessDone(errors.Join(err, in.Flush(d.ctx)))
}

// unlessDone is err, unless it came of it that everything was taken.
func (d *drain) unlessDone(err error) error {
	if d.taking.Err() != nil && d.ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
