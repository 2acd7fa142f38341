package workload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/reeveq/reeve/bench/internal/system"
	"golang.org/x/sync/errgroup"
)

// operations are those of system.Objects.
var operations = []struct {
	name, metric string
	main         bool
	do           func(ctx context.Context, o system.Objects, key string) error
}{
	{"call", "method calls", false, func(ctx context.Context, o system.Objects, _ string) error { return o.Call(ctx) }},
	{"lock", "locked and unlocked", false, func(ctx context.Context, o system.Objects, _ string) error { return o.Lock(ctx) }},
	{"set", "map keys set", true, func(ctx context.Context, o system.Objects, key string) error { return o.Set(ctx, key) }},
	{"get", "map keys got", false, func(ctx context.Context, o system.Objects, key string) error { return o.Get(ctx, key) }},
}

var objectCallers = []int{1, 64}

// objects is what is shared besides queues.
func objects() Workload {
	return Workload{
		Name:     "objects",
		About:    "calls of a method, of a lock, and of a map with values of 100 bytes; one connection, 1 and 64 callers",
		settings: system.Settings{ItemBytes: itemBytes, Backlog: 1000, Objects: true},
		measure:  func(ctx context.Context, m *Measurement) error { return m.objects(ctx) },
	}
}

func (m *Measurement) objects(ctx context.Context) error {
	c, err := m.start(ctx, "objects", order{})
	if err != nil {
		return err
	}
	if r, err := m.hear(ctx, c); err != nil || r.Lacks {
		return errors.Join(err, fmt.Errorf("objects: %w", system.ErrUnsupported))
	}
	for _, op := range operations {
		for _, callers := range objectCallers {
			name := fmt.Sprintf("%s per second, %d callers", op.metric, callers)
			if callers == 1 {
				name = op.metric + " per second, 1 caller"
			}
			o := order{Op: op.name, Callers: callers, Time: m.Time / 4}
			if m.Tasks > 0 {
				o.Tasks, o.Time = m.Tasks, 0
			}
			r, err := m.ask(ctx, c, o)
			if err != nil {
				return err
			}
			if r.Lacks {
				m.Left = append(m.Left, fmt.Sprintf("%s: %v", op.metric, system.ErrUnsupported))
				break
			}
			m.add(Figure{Metric: name, Unit: "/s", Main: op.main && callers > 1, Value: r.rate()})
		}
	}
	return nil
}

// objects calls operations, as many at a time as an order says. It reports at
// first whether the system has such.
func (j *job) objects(ctx context.Context) error {
	c, err := j.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	there, elsewhere := c.(system.Timed)
	shared, here := c.(system.Objects)
	has := elsewhere || here
	if err := j.report(report{Lacks: !has}); err != nil || !has {
		return err
	}
	if elsewhere {
		return j.each(func(o order) (report, error) { return operate(ctx, there, o) })
	}
	return j.each(func(o order) (report, error) {
		for _, op := range operations {
			if op.name == o.Op {
				return j.callers(ctx, o, func(caller int) func() error {
					key := "key " + strconv.Itoa(caller)
					return func() error { return op.do(ctx, shared, key) }
				})
			}
		}
		return report{}, fmt.Errorf("no operation %q", o.Op)
	})
}

// operateFirst is how many operations tell a client of another language how
// many it can do in its time.
const operateFirst = 1000

// operate has another program call an operation, and time that.
func operate(ctx context.Context, t system.Timed, o order) (report, error) {
	n, took, err := o.Tasks, time.Duration(0), error(nil)
	if o.Time > 0 {
		if took, err = t.Operate(ctx, o.Op, o.Callers, operateFirst); err == nil {
			n = max(int(operateFirst*o.Time/max(took, time.Microsecond)), operateFirst)
		}
	}
	if err == nil {
		took, err = t.Operate(ctx, o.Op, o.Callers, n)
	}
	if errors.Is(err, system.ErrUnsupported) {
		return report{Lacks: true}, nil
	}
	return report{Tasks: n, Took: took}, err
}

// callers has goroutines do one thing each again and again, as often, together,
// or as long as o says. One that the system has not is reported as such.
func (j *job) callers(ctx context.Context, o order, of func(caller int) func() error) (report, error) {
	deeds := make([]func() error, o.Callers)
	for i := range deeds {
		deeds[i] = of(i)
		switch err := deeds[i](); { // warm
		case errors.Is(err, system.ErrUnsupported):
			return report{Lacks: true}, nil
		case err != nil:
			return report{}, err
		}
	}
	began := time.Now()
	source := &source{left: o.Tasks, batch: 1}
	if o.Time > 0 {
		source.left = 1 << 40
		defer time.AfterFunc(o.Time, source.end).Stop()
	}
	team, ctx := errgroup.WithContext(ctx)
	for _, deed := range deeds {
		team.Go(func() error { return source.put(ctx, func(_, _ int) error { return deed() }) })
	}
	err := team.Wait()
	return report{Tasks: source.first, Took: time.Since(began)}, err
}
