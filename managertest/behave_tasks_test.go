package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// tested is a queue of the round, as the master itself has it.
type tested struct {
	reeve.Queue
	cfg reeve.QueueConfig // with its defaults
}

// resultsAt is where the queue of results stands among the queues.
const resultsAt = 4

var (
	types  = []string{"", "a", "b", "c"}
	labels = []string{"gpu", "eu"}
	keys   = []string{"", "", "k0", "k1", "k2", "k3"}
)

// declare makes queues that differ in everything that may get into the way of
// tasks. All have a wait after failures: so it is known which tasks are delayed.
func (w *world) declare() {
	wait := reeve.Backoff{Base: 200 * time.Millisecond, Max: 2 * time.Second, Jitter: reeve.NoJitter}
	lease := 5 * time.Second
	for i, cfg := range []reeve.QueueConfig{
		{Lease: lease, Backoff: wait, MaxLen: 40, Concurrency: 6, KeepResult: time.Hour},
		{Lease: lease, Backoff: wait, Rate: reeve.Rate{Tasks: 20, Burst: 3}, KeyRate: reeve.Rate{Tasks: 2, Burst: 1}, KeyConcurrency: 2, History: 2},
		{Lease: lease, Backoff: wait, TypeConcurrency: map[string]int{"a": 1, "b": 2}, KeyConcurrency: 2, Timeout: 1500 * time.Millisecond, LIFO: true, KeepResult: time.Hour},
		{
			Lease: lease, Backoff: wait, Ageing: time.Second, Reserve: reeve.Reserve{Slots: 2, Priority: 5}, CountSnoozed: true, MaxDead: 20,
			// Rounds begin at midnight: what is left then waits for a minute.
			Windows: []reeve.Window{{From: 0, To: time.Minute}, {From: 2 * time.Minute, To: 24 * time.Hour}},
		},
		{Lease: lease, Backoff: wait, MaxLen: 10},
	} {
		if w.disk != nil { // it is only known how what is kept has ended
			cfg.KeepResult = time.Hour
		}
		name := fmt.Sprint("q", i)
		if i == resultsAt {
			name = "results"
		}
		cfg = cfg.WithDefaults()
		w.queues = append(w.queues, &tested{Queue: w.m.Declare(w.t, name, cfg), cfg: cfg})
	}
}

func (w *world) queue(name string) *tested {
	for _, q := range w.queues {
		if q.Name() == name {
			return q
		}
	}
	return nil
}

// spec is a task that a producer put, or tried to.
type spec struct {
	n     int // its number, which its payload begins with
	queue string
	task  reeve.Task
	rules reeve.Rules // task's, never nil
	id    reeve.ID    // 0: it was not put
	other reeve.ID    // the task that had its unique key
	asked time.Time
	told  time.Time
}

func (s *spec) String() string {
	return fmt.Sprintf("task number %d, %v, put into %s: type %q, priority %d, delay %v, timeout %v, %+v",
		s.n, s.id, s.queue, s.task.Type, s.task.Priority, s.task.Delay, s.task.Timeout, s.rules)
}

// delayed reports whether the task, which was put at put, has to wait for its
// time first.
func (s *spec) delayed(put time.Time) bool { return s.task.Delay > 0 || s.rules.At.After(put) }

func (w *world) newSpec(d *dice) *spec {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &spec{n: len(w.specs), queue: w.queues[d.IntN(resultsAt)].Name(), asked: time.Now()}
	w.specs = append(w.specs, s)
	s.task = reeve.Task{Payload: fmt.Appendf(nil, "%08d%s", s.n, strings.Repeat(".", d.IntN(200))), Type: pick(d, types)}
	if d.chance(2) {
		s.task.Payload = fmt.Appendf(nil, "%08d%s", s.n, strings.Repeat(".", 100<<10)) // on a stream of its own
	}
	r := &s.rules
	if d.chance(40) {
		s.task.Priority = int32(d.IntN(20)) - 8
	}
	switch {
	case d.chance(20):
		s.task.Delay = d.upTo(5 * time.Second)
	case d.chance(10):
		r.At = s.asked.Add(10*time.Millisecond + d.upTo(5*time.Second))
	}
	if d.chance(20) {
		s.task.Timeout = d.upTo(2 * time.Second)
	}
	switch {
	case d.chance(10):
		r.Expiry = d.upTo(20 * time.Second)
	case d.chance(5):
		r.ExpireAt = s.asked.Add(d.upTo(20 * time.Second))
	}
	r.Key = pick(d, keys)
	if d.chance(25) {
		r.Unique = fmt.Sprint("u", d.IntN(12))
		r.UniqueMode = reeve.UniqueMode(d.IntN(3))
		if r.UniqueMode == reeve.UniqueForTime {
			r.UniqueFor = d.upTo(6 * time.Second)
		}
		r.Unique += " " + r.UniqueMode.String()
	}
	if d.chance(30) {
		r.Attempts = 1 + d.IntN(4)
	}
	if d.chance(20) {
		r.Backoff = reeve.Backoff{Base: d.upTo(500 * time.Millisecond), Factor: 1.5, Jitter: reeve.NoJitter}
	}
	if d.chance(10) {
		r.Labels = labels[:1+d.IntN(2)]
	}
	if d.chance(20) {
		r.KeepResult = []time.Duration{-1, time.Hour}[d.IntN(2)]
	}
	s.task.Rules = &s.rules
	if d.chance(5) {
		s.task.Rules = nil
		s.rules = reeve.Rules{}
	}
	return s
}

// produce puts n tasks, and stays until all are there: who puts always learns
// what became of it.
func (w *world) produce(d *dice, queue func(name string) reeve.Queue, n int) {
	for n > 0 {
		specs := []*spec{w.newSpec(d)}
		for range d.IntN(3) {
			s := w.newSpec(d)
			s.queue = specs[0].queue
			specs = append(specs, s)
		}
		n -= len(specs)
		tasks, unique := make([]reeve.Task, len(specs)), false
		for i, s := range specs {
			tasks[i] = s.task
			unique = unique || s.rules.Unique != ""
		}
		var opts []reeve.PutOption
		noWait := d.chance(20)
		if noWait {
			opts = append(opts, reeve.NoWait())
		}
		ids, err := queue(specs[0].queue).Put(context.Background(), tasks, opts...)
		w.answered(specs, ids, err, noWait, unique)
		time.Sleep(d.upTo(250 * time.Millisecond))
	}
}

func (w *world) answered(specs []*spec, ids []reeve.ID, err error, noWait, unique bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var dup *reeve.DuplicateError
	other := map[int]reeve.ID{}
	switch {
	case err == nil:
	case errors.As(err, &dup) && unique:
		for i, n := range dup.Tasks {
			other[n] = dup.IDs[i]
		}
	case errors.Is(err, reeve.ErrQueueFull) && noWait, errors.Is(err, reeve.ErrJournalFull) && w.disk != nil:
	default:
		w.t.Errorf("Put: %v", err)
	}
	for i, s := range specs {
		s.told = time.Now()
		switch {
		case i >= len(ids) || ids[i] == 0:
			if err == nil || dup != nil {
				w.t.Errorf("%v has no id: %v, %v", s, ids, err)
			}
		case other[i] != 0:
			if s.other = other[i]; s.other != ids[i] {
				w.t.Errorf("%v is a duplicate of %v, and has the id %v", s, s.other, ids[i])
			}
		case w.byID[ids[i]] != nil:
			w.t.Errorf("%v has the id of %v", s, w.byID[ids[i]])
		default:
			s.id = ids[i]
			w.byID[s.id] = s
		}
	}
}

// someID is the id of a task of the round, rather a late one.
func (w *world) someID(d *dice) (reeve.ID, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range 10 {
		n := len(w.specs)
		if n == 0 {
			return 0, false
		}
		from := 0
		if d.chance(70) {
			from = max(0, n-60)
		}
		if s := w.specs[from+d.IntN(n-from)]; s.id != 0 {
			return s.id, true
		}
	}
	return 0, false
}
