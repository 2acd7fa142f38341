package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// operate looks and interferes at random, from afar or, the last one, as the
// master itself.
func (w *world) operate(ctx context.Context, i int) {
	name := fmt.Sprint("operator ", i)
	o := &operator{w: w, d: w.rand("operator", i), name: name, Operator: w.m.Manager(), queue: w.m.Manager().Lookup}
	if i < 2 {
		c, cable := w.connect(name, nil)
		defer cable.Heal()
		o.Operator, o.queue = c, func(name string) (reeve.Queue, error) { return c.Queue(name), nil }
	}
	for ctx.Err() == nil {
		sleep(ctx, o.d.upTo(200*time.Millisecond))
		o.step(ctx)
	}
}

type operator struct {
	reeve.Operator
	w     *world
	d     *dice
	name  string
	queue func(name string) (reeve.Queue, error)
}

// step does one thing, and gives it up after a few seconds: there are faults
// that take longer.
func (o *operator) step(ctx context.Context) {
	ctx, end := context.WithTimeout(ctx, 4*time.Second)
	defer end()
	steps := []struct {
		weight int
		do     func(context.Context) error
	}{
		{10, o.cancel}, {2, o.cancelAll}, {3, o.pause}, {8, o.revive}, {5, o.purge}, {5, o.move},
		{4, o.list}, {3, o.peek}, {8, o.explain}, {6, o.look}, {8, o.result}, {3, o.command}, {2, o.follow}, {2, o.numbers},
	}
	n := 0
	for _, s := range steps {
		n += s.weight
	}
	n = o.d.IntN(n)
	for _, s := range steps {
		if n -= s.weight; n >= 0 {
			continue
		}
		err := s.do(ctx)
		switch {
		case o.w.disk != nil && errors.Is(err, reeve.ErrJournalFull):
		case err != nil && o.w.disk != nil && strings.Contains(err.Error(), journal.ErrClosed.Error()): // a payload, in the moment of the end
		case err == nil, ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, reeve.ErrNoSuchTask), errors.Is(err, reeve.ErrNotDone):
		default:
			o.w.t.Errorf("%s: %v", o.name, err)
		}
		return
	}
}

func (o *operator) someQueue() string { return o.w.queues[o.d.IntN(resultsAt)].Name() }

// filter means a few tasks.
func (o *operator) filter() reeve.Filter {
	var f reeve.Filter
	switch o.d.IntN(4) {
	case 0:
		f.Types, f.Before = []string{pick(o.d, types)}, time.Now().Add(-o.d.upTo(10*time.Second))
	case 1:
		f.Key, f.States = keys[2+o.d.IntN(len(keys)-2)], []reeve.State{reeve.StateReady, reeve.StateDelayed}
	default:
		for range 1 + o.d.IntN(5) {
			if id, ok := o.w.someID(o.d); ok {
				f.IDs = append(f.IDs, id)
			}
		}
		if len(f.IDs) == 0 {
			f.IDs = []reeve.ID{1}
		}
	}
	return f
}

func (o *operator) cancel(ctx context.Context) error {
	id, ok := o.w.someID(o.d)
	if !ok {
		return nil
	}
	err := o.Cancel(ctx, id, "not wanted by "+o.name)
	if err == nil {
		o.w.mu.Lock()
		defer o.w.mu.Unlock()
		o.w.cancelled[id] = true
	}
	return err
}

func (o *operator) cancelAll(ctx context.Context) error {
	f := o.filter()
	if f.IDs == nil && o.d.chance(80) {
		return nil // that is many
	}
	_, err := o.CancelAll(ctx, o.someQueue(), f, "none of them")
	return err
}

func (o *operator) pause(ctx context.Context) error {
	q, err := o.queue(o.someQueue())
	if err != nil {
		return err
	}
	if err := q.Pause(ctx, "a break"); err != nil {
		return err
	}
	sleep(ctx, o.d.upTo(2*time.Second))
	return q.Resume(context.WithoutCancel(ctx))
}

func (o *operator) revive(ctx context.Context) error {
	f := o.filter()
	f.States = nil
	if o.d.chance(70) { // a few tasks at random are hardly ever dead
		f = reeve.Filter{}
	}
	_, err := o.Revive(ctx, o.someQueue(), f)
	return err
}

func (o *operator) purge(ctx context.Context) error {
	_, err := o.Purge(ctx, o.someQueue(), o.filter())
	return err
}

func (o *operator) move(ctx context.Context) error {
	from, to := o.someQueue(), o.someQueue()
	if from == to {
		return nil
	}
	_, err := o.Move(ctx, from, to, o.filter())
	if errors.Is(err, reeve.ErrQueueFull) {
		return nil
	}
	return err
}

func (o *operator) list(ctx context.Context) error {
	name, last := o.someQueue(), reeve.ID(0)
	for after := reeve.ID(0); ; {
		p, err := o.List(ctx, name, reeve.Filter{}, reeve.ListOptions{After: after, Max: 1 + o.d.IntN(30), Payload: 8})
		if err != nil {
			return err
		}
		for _, t := range p.Tasks {
			if t.ID <= last || t.Queue != name || t.State.Ended() {
				o.w.t.Errorf("%s: a list of %s has %v, %v, of queue %s after %v", o.name, name, t.ID, t.State, t.Queue, last)
			}
			last = t.ID
		}
		if after = p.Next; after == 0 {
			return nil
		}
	}
}

func (o *operator) peek(ctx context.Context) error {
	name := o.someQueue()
	ts, err := o.Peek(ctx, name, 1+o.d.IntN(10), 0)
	for _, t := range ts {
		if t.State != reeve.StateReady {
			o.w.t.Errorf("%s: Peek has %v, which is %v", o.name, t.ID, t.State)
		}
	}
	return err
}

func (o *operator) explain(ctx context.Context) error {
	id, ok := o.w.someID(o.d)
	if !ok {
		return nil
	}
	x, err := o.Explain(ctx, id)
	if err != nil {
		return err
	}
	codes := map[reeve.ReasonCode]bool{}
	for _, r := range x.Reasons {
		codes[r.Code] = true
		if r.Text == "" {
			o.w.t.Errorf("%s: why %v is %v: %q has no text", o.name, id, x.State, r.Code)
		}
	}
	need := map[reeve.State]reeve.ReasonCode{reeve.StateDead: reeve.ReasonDead}[x.State]
	switch {
	case len(x.Reasons) == 0:
		o.w.t.Errorf("%s: no reason why %v, which is %v, does not run", o.name, id, x.State)
	case x.State == reeve.StateLeased && !codes[reeve.ReasonLeased] && !codes[reeve.ReasonResult], x.State.Ended() && !codes[reeve.ReasonEnded],
		need != "" && !codes[need], x.State == reeve.StateDelayed && !codes[reeve.ReasonDelayed] && !codes[reeve.ReasonBackoff]:
		o.w.t.Errorf("%s: %v is %v because of %+v", o.name, id, x.State, x.Reasons)
	}
	return nil
}

func (o *operator) look(ctx context.Context) error {
	id, ok := o.w.someID(o.d)
	if !ok {
		return nil
	}
	info, err := o.Task(ctx, id)
	if err != nil {
		return err
	}
	if info.ID != id || info.State == reeve.StateLeased && (info.Worker == "" || info.Attempt == 0) || info.State == reeve.StateDelayed && info.Due.IsZero() {
		o.w.t.Errorf("%s: %v is %+v", o.name, id, info)
	}
	return nil
}

// result waits for a task, or asks once.
func (o *operator) result(ctx context.Context) error {
	id, ok := o.w.someID(o.d)
	if !ok {
		return nil
	}
	ask := o.Result
	if o.d.chance(50) {
		ask = o.Wait
		short, end := context.WithTimeout(ctx, o.d.upTo(time.Second))
		defer end()
		ctx = short
	}
	r, err := ask(ctx, id)
	if err != nil {
		return err
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.w.waited[id] = append(o.w.waited[id], r)
	return nil
}

// command reports what is wrong with the answers; workers that are gone or end
// meanwhile say so.
func (o *operator) command(ctx context.Context) error {
	if _, err := o.Workers(ctx); err != nil {
		return err
	}
	c := reeve.Command{Do: reeve.CommandReport}
	var to reeve.WorkerSelector
	switch o.d.IntN(4) {
	case 0:
		c.Do, to.Labels = reeve.CommandDrain, []string{pick(o.d, labels)}
	case 1:
		c = reeve.Command{Do: reeve.CommandConcurrency, Concurrency: 1 + o.d.IntN(6)}
	}
	reports, err := o.Command(ctx, to, c, time.Second)
	for _, r := range reports {
		if r.ID == 0 || r.Worker == "" || (r.Error == "") == (r.Status == nil) {
			o.w.t.Errorf("%s: report %+v", o.name, r)
		}
	}
	return err
}

// follow follows events for a while; what it sees has been.
func (o *operator) follow(ctx context.Context) error {
	ctx, end := context.WithTimeout(ctx, o.d.upTo(8*time.Second))
	defer end()
	var seen []reeve.Event
	for ev, err := range o.Events(ctx) {
		if err != nil {
			return err
		}
		seen = append(seen, ev)
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.w.seen[fmt.Sprint(o.name, " at ", o.w.at(time.Now()))] = seen
	return nil
}

func (o *operator) numbers(ctx context.Context) error {
	all, err := o.Queues(ctx)
	for i := range all {
		o.w.addsUp("to "+o.name, &all[i])
	}
	return err
}

// watchNumbers checks the master's own numbers all the time.
func (w *world) watchNumbers(ctx context.Context) {
	for ctx.Err() == nil {
		w.checkNumbers("all the time")
		sleep(ctx, 37*time.Millisecond)
	}
}

func (w *world) checkNumbers(when string) {
	for _, q := range w.queues {
		s, err := q.Stats(context.Background())
		if err != nil {
			w.t.Error(err)
			continue
		}
		w.addsUp(when, &s)
		switch {
		case q.cfg.Concurrency > 0 && s.Leased > q.cfg.Concurrency:
			w.t.Errorf("%s: %d of %s are leased, want at most %d", when, s.Leased, q.Name(), q.cfg.Concurrency)
		case q.cfg.MaxDead > 0 && s.Dead > q.cfg.MaxDead:
			w.t.Errorf("%s: %d of %s are dead, want at most %d", when, s.Dead, q.Name(), q.cfg.MaxDead)
		}
	}
}

// addsUp: what came is there, or has ended in one way. Where masters end, only
// who looks at one that lives for as long as it takes can say that.
func (w *world) addsUp(when string, s *reeve.QueueStats) {
	if w.disk != nil {
		return
	}
	if in, out, there := s.Put+s.MovedIn, left(s), uint64(there(s)); in != out+there {
		w.t.Errorf("%s: %d came into %s, %d left, and %d are there: %+v", when, in, s.Name, out, there, s)
	}
}
