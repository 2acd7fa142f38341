package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// hand is a process that runs workers: one after the other, and after its end
// another process.
type hand struct {
	w      *world
	name   string
	d      *dice // only live uses it
	types  []string
	labels []string
	spared bool // its connections suffer no faults

	mu     sync.Mutex     // guards the field below
	worker *worker.Worker // that runs; nil: none
}

func (w *world) newHand(i int) *hand {
	h := &hand{w: w, name: fmt.Sprint("hand ", i), d: w.rand("hand", i)}
	switch i {
	case 0:
		h.spared = true
	case 1:
		h.labels = labels
	case 2:
		h.types, h.labels = []string{"a", "b"}, labels[:1]
	case 3:
		h.types = []string{"", "c"}
	}
	return h
}

// live runs workers until ctx ends.
func (h *hand) live(ctx context.Context) {
	for ctx.Err() == nil {
		h.process(ctx)
	}
}

// process is one process: it is killed, or ends in order.
func (h *hand) process(ctx context.Context) {
	client, cable := h.dial()
	defer client.Close()
	for lives := 1 + h.d.IntN(4); lives > 0 && ctx.Err() == nil; lives-- {
		cfg := worker.Config{
			Concurrency: 1 + h.d.IntN(4), Prefetch: h.d.IntN(2), Results: "results",
			Labels: h.labels, Grace: 2 * time.Second, MaxTasks: uint64(h.d.IntN(2) * 40),
		}
		if h.w.calm.Load() {
			cfg.Concurrency, cfg.MaxTasks = 10, 0 // more than are reserved
		}
		wk := worker.New(h.source(client), cfg)
		h.handle(wk)
		h.mu.Lock()
		h.worker = wk
		h.mu.Unlock()
		ended := make(chan error, 1)
		go func() { ended <- wk.Run(context.Background()) }() // received below
		span := h.d.upTo(12 * time.Second)
		if h.w.calm.Load() {
			span = 1000 * time.Hour // until ctx ends
		}
		var err error
		select {
		case err = <-ended: // told to drain, or has run enough
		case <-waitFor(ctx, span):
			switch how := h.d.IntN(4); {
			case how == 0 && !h.spared && !h.w.calm.Load():
				cable.Kill()
				wk.Close()
				<-ended
				return
			case how == 1 && !h.w.calm.Load():
				err = wk.Close()
				<-ended
			default:
				err = wk.Shutdown(context.Background())
				<-ended
			}
		}
		if err != nil && !errors.Is(err, worker.ErrUnanswered) {
			h.w.t.Errorf("%s: Run: %v", h.name, err)
		}
	}
}

func (h *hand) dial() (*proxy.Client, *memnet.Cable) {
	if !h.spared {
		return h.w.connect(h.name, h.control)
	}
	client, cable, err := plug(context.Background(), h.w.m, proxy.Config{Name: h.name, Control: h.control})
	if err != nil {
		panic(err)
	}
	return client, cable
}

// control passes commands on to the worker that runs.
func (h *hand) control(ctx context.Context, c reeve.Command) (*reeve.WorkerStatus, error) {
	h.mu.Lock()
	wk := h.worker
	h.mu.Unlock()
	if wk == nil {
		return nil, reeve.ErrClosed
	}
	return wk.Control(ctx, c)
}

// source is one queue or several; of all, when it is the only one left.
func (h *hand) source(c *proxy.Client) worker.Source {
	var all []reeve.Source
	strict := h.d.chance(50)
	for _, q := range h.w.queues[:resultsAt] {
		weight := 1 + h.d.IntN(5)
		if strict {
			weight = 0
		}
		all = append(all, reeve.Source{Queue: q.Name(), Weight: weight})
	}
	h.d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if h.w.calm.Load() || h.d.chance(70) {
		if !h.w.calm.Load() {
			all = all[:1+h.d.IntN(len(all))]
		}
		return c.From(all...)
	}
	return c.Queue(all[0].Queue)
}

func (h *hand) handle(wk *worker.Worker) {
	opts := func(typ string) []worker.HandleOption {
		if typ == "c" {
			return []worker.HandleOption{worker.To("")} // their results are had by the id only
		}
		return nil
	}
	if h.types == nil {
		wk.HandleFunc("c", h.run, opts("c")...)
		wk.HandleDefaultFunc(h.run)
		return
	}
	for _, typ := range h.types {
		wk.HandleFunc(typ, h.run, opts(typ)...)
	}
}

// run is one call of a handler.
type run struct {
	h          *hand
	n          int // the task's number
	id         reeve.ID
	attempt    uint32
	queue, typ string
	begin, end time.Time
	said       string
	after      time.Duration // that it asked for
	result     string

	// Guarded by world.mu.
	over  time.Time // the context ended before the handler did
	cause error
}

func (r *run) String() string {
	return fmt.Sprintf("%s ran %v/%d of %s, %v to %v, and said %q; its context: %v, %v",
		r.h.name, r.id, r.attempt, r.queue, r.begin, r.end, r.said, r.over, r.cause)
}

// run is the handler of all tasks.
func (h *hand) run(ctx context.Context, t *reeve.Task) ([]byte, error) {
	queue, _ := worker.QueueFrom(ctx)
	r := &run{h: h, id: t.ID, attempt: t.Attempt, queue: queue, typ: t.Type, begin: time.Now(), said: "nothing"}
	n, err := strconv.Atoi(string(t.Payload[:8]))
	if err != nil {
		h.w.t.Errorf("the payload of %v is broken: %.20q", t.ID, t.Payload)
	}
	r.n = n
	h.w.mu.Lock()
	h.w.runs = append(h.w.runs, r)
	h.w.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		h.w.mu.Lock()
		defer h.w.mu.Unlock()
		if r.end.IsZero() {
			r.over, r.cause = time.Now(), context.Cause(ctx)
		}
	})
	defer func() {
		h.w.mu.Lock()
		r.end = time.Now()
		h.w.mu.Unlock()
		stop()
	}()
	d := h.w.rand("task", n*100+int(t.Attempt))
	if h.w.calm.Load() {
		return r.done()
	}
	return r.work(ctx, d)
}

func (r *run) done() ([]byte, error) {
	r.said, r.result = "done", fmt.Sprintf("%v/%d", r.id, r.attempt)
	return []byte(r.result), nil
}

func (r *run) work(ctx context.Context, d *dice) ([]byte, error) {
	deaf := d.chance(10) // goes on when its context has ended
	for range d.IntN(4) {
		if d.chance(30) {
			if err := worker.SetProgress(ctx, float64(d.IntN(101)), "on the way"); err != nil && !errors.Is(err, reeve.ErrLeaseLost) {
				r.h.w.t.Errorf("SetProgress: %v", err)
			}
		}
		long := time.Second
		if d.chance(3) {
			long = 8 * time.Second
		}
		if deaf {
			time.Sleep(d.upTo(long))
			continue
		}
		select {
		case <-time.After(d.upTo(long)):
		case <-ctx.Done():
			r.said = "context"
			return nil, context.Cause(ctx)
		}
	}
	r.after = 50*time.Millisecond + d.upTo(2*time.Second)
	switch d.IntN(20) {
	case 0, 1:
		r.said = "fail"
		return nil, errors.New("no luck")
	case 2:
		r.said = "panic"
		panic("out of luck")
	case 3:
		r.said = "retry"
		return nil, worker.RetryAfter(errors.New("not yet"), r.after)
	case 4:
		r.said = "snooze"
		return nil, worker.RetryAfter(nil, r.after)
	case 5:
		r.said = "skip"
		return nil, fmt.Errorf("nothing to do: %w", worker.Skip)
	case 6:
		r.said = "discard"
		return nil, worker.Discard(errors.New("nobody cares"))
	case 7:
		r.said = "permanent"
		return nil, worker.Permanent(errors.New("never"))
	}
	return r.done()
}

// waitFor is closed after d, or when ctx ends.
func waitFor(ctx context.Context, d time.Duration) <-chan struct{} {
	ctx, stop := context.WithTimeout(ctx, d)
	context.AfterFunc(ctx, stop)
	return ctx.Done()
}
