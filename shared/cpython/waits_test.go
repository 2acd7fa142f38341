package cpython_test

import (
	"context"
	"errors"

	"github.com/reeveq/reeve/shared"
)

// waited is whether what was waited for has come, as Python returns it.
func waited(err error) (any, error) {
	if errors.Is(err, context.DeadlineExceeded) {
		return false, nil
	}
	return err == nil, err
}

type eventSubject struct{ handles [3]*shared.Event }

func makeEvent(p *play) ([]subject, error) {
	_, err := shared.NewEvent(p.t.Context(), p.objects[0], p.name, shared.EventConfig{})
	x := &eventSubject{}
	for i, o := range p.objects {
		x.handles[i] = shared.EventOf(o, p.name)
	}
	return []subject{x}, err
}

func (x *eventSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	e := x.handles[actor]
	switch c.Call {
	case "is_set":
		return e.IsSet(ctx)
	case "set":
		return nil, e.Set(ctx)
	case "clear":
		return nil, e.Clear(ctx)
	case "wait":
		if d, timed := c.timeout("timeout", 0); timed && d <= 0 {
			return e.IsSet(ctx)
		}
		ctx, cancel := c.within(ctx, "timeout", 0)
		defer cancel()
		return waited(e.Wait(ctx))
	case "_callmethod":
		return nil, e.Invoke(ctx, c.Args[0].(string), nil)
	}
	return nil, errNoSuchCall
}

type conditionSubject struct {
	lock    *lockSubject
	handles [3]*shared.Condition
}

// makeCondition makes a condition, with a lock of its own or one that the scenario
// has besides.
func makeCondition(p *play) ([]subject, error) {
	var cfg shared.ConditionConfig
	subjects := make([]subject, 1, 2)
	if len(p.scenario.Args) > 0 {
		name := p.name + " lock"
		l, err := shared.NewLock(p.t.Context(), p.objects[0], name, shared.LockConfig{})
		if err != nil {
			return nil, err
		}
		cfg.Lock = l.Ref()
		subjects = append(subjects, lockNamed(p, name))
	}
	_, err := shared.NewCondition(p.t.Context(), p.objects[0], p.name, cfg)
	x := &conditionSubject{lock: &lockSubject{forever: true, release: release}}
	for i, o := range p.objects {
		x.handles[i] = shared.ConditionOf(o, p.name)
		if len(subjects) > 1 { // one owner, whether it uses the lock or the condition
			l := subjects[1].(*lockSubject)
			l.handles[i] = l.handles[i].(*shared.Lock).As(x.handles[i].Owner())
		}
		x.lock.handles[i] = x.handles[i]
	}
	subjects[0] = x
	return subjects, err
}

func (x *conditionSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	h := x.handles[actor]
	switch c.Call {
	case "wait":
		ctx, cancel := c.within(ctx, "timeout", 0)
		defer cancel()
		return waited(h.Wait(ctx))
	case "wait_for":
		ctx, cancel := c.within(ctx, "timeout", 1)
		defer cancel()
		return waitFor(ctx, h, c.Args[0].(map[string]any)["predicate"].([]any))
	case "notify":
		_, err := h.Notify(ctx, int(c.num("n", 0, 1)))
		return nil, err
	case "notify_all":
		_, err := h.NotifyAll(ctx)
		return nil, err
	}
	return x.lock.call(ctx, actor, c)
}

// errEvaluated says that a predicate was evaluated too often.
var errEvaluated = errors.New("the predicate was called more often than CPython does")

// waitFor waits with a predicate that finds one of results after the other, and
// returns the last one.
func waitFor(ctx context.Context, h *shared.Condition, results []any) (v any, err error) {
	calls := 0
	err = h.WaitFor(ctx, func() bool {
		if calls++; calls > len(results) {
			return true
		}
		v = results[calls-1]
		return v != false && v != int64(0)
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	if calls > len(results) {
		err = errEvaluated
	}
	return v, err
}

type barrierSubject struct{ handles [3]*shared.Barrier }

func makeBarrier(p *play) ([]subject, error) {
	cfg := shared.BarrierConfig{Parties: int(p.scenario.Args[0].(int64))}
	cfg.Timeout, _ = p.scenario.timeout("timeout", 2)
	if action, ok := p.scenario.arg("action", 1); ok && action != nil {
		return nil, errNoSuchCall
	}
	_, err := shared.NewBarrier(p.t.Context(), p.objects[0], p.name, cfg)
	x := &barrierSubject{}
	for i, o := range p.objects {
		x.handles[i] = shared.BarrierOf(o, p.name)
	}
	return []subject{x}, err
}

func (x *barrierSubject) call(ctx context.Context, actor int, c *step) (any, error) {
	b := x.handles[actor]
	switch c.Call {
	case "wait":
		ctx, cancel := c.within(ctx, "timeout", 0)
		defer cancel()
		return b.Wait(ctx)
	case "reset":
		return nil, b.Reset(ctx)
	case "abort":
		return nil, b.Abort(ctx)
	}
	s, err := b.State(ctx)
	switch c.Call {
	case "parties":
		return s.Parties, err
	case "n_waiting":
		return s.Waiting, err
	case "broken":
		return s.Broken, err
	}
	return nil, errNoSuchCall
}
