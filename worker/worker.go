package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// Source is where a worker takes tasks from: a [reeve.Queue], a
// [*reeve.TypedQueue], or several queues at once, a [reeve.Supply] that
// [reeve.Operator.From] made. One with a Codec method, as a TypedQueue has,
// also says how payloads and results are written; one with a Name method has
// that name in the log and in errors.
type Source interface {
	Consume(ctx context.Context, slots int, opts ...reeve.GetOption) (reeve.Consumer, error)
}

// Worker runs handlers for the tasks of one source. Its methods may be called
// from any number of goroutines.
type Worker struct {
	src      Source
	name     string // of the source, for people
	cfg      Config
	codec    reeve.Codec
	ledger   *ledger
	supply   *supply
	counts   counts
	unheard  limiter       // for the log lines about tasks without a handler
	permits  atomic.Uint64 // leases that slots went for or have, when MaxTasks counts them
	stopping atomic.Bool   // written with mu held; never cleared

	wake     chan struct{} // cap 1: anyone sends without blocking, only Run receives
	draining chan struct{} // closed when nothing is to be started any more
	hurry    chan struct{} // closed when Grace is to begin
	now      chan struct{} // closed when Grace is over
	kill     chan struct{} // closed when CancelGrace is over for handlers too
	done     chan struct{} // closed when Run has returned

	// Set by Run before the first slot, constant then.
	base     context.Context // of the handlers; never ends
	taking   context.Context // ends when nothing is to be taken any more
	consumer reeve.Consumer
	since    time.Time // Run began; written with mu held

	mu          sync.Mutex // guards the fields below; never held across a call of source, consumer or lease
	handlers    map[string]*handler
	fallback    *handler
	err         error // why Run cannot run
	started     bool
	stopTaking  context.CancelFunc
	why         error // what Run returns, beside what the drain finds
	slots       map[*slot]struct{}
	consuming   bool  // there is a consumer
	concurrency int   // how many slots there should be
	counted     int   // how many there are, without those that leave or are given up
	result      error // Run's; set before done is closed
}

// New makes a worker for src. An error of cfg is returned by Run. It starts
// nothing.
func New(src Source, cfg Config) *Worker {
	cfg = cfg.withDefaults()
	w := &Worker{
		src: src, cfg: cfg, err: cfg.validate(),
		ledger:   newLedger(cfg.MaxUnsent, cfg.MaxUnsentBytes),
		wake:     make(chan struct{}, 1),
		draining: make(chan struct{}), hurry: make(chan struct{}),
		now: make(chan struct{}), kill: make(chan struct{}), done: make(chan struct{}),
		handlers: make(map[string]*handler), slots: make(map[*slot]struct{}),
		concurrency: cfg.Concurrency,
	}
	if src == nil && w.err == nil {
		w.err = invalid("the source is nil")
	}
	w.supply = newSupply(cfg.slots(), cfg.Logger, w.poke)
	w.codec = cfg.Codec
	w.name = nameOf(src)
	if s, ok := src.(interface{ Codec() reeve.Codec }); ok {
		w.codec = s.Codec()
	}
	if w.codec == nil {
		w.codec = codec.CBOR
	}
	return w
}

// Run takes tasks and runs their handlers until it is stopped, and returns
// when every lease is ended and the master has answered. It may be called
// once. Handlers get the values of ctx, but not its end.
//
// It is stopped by the end of ctx, by [Worker.Shutdown] and [Worker.Close].
// Then it takes nothing more, gives back at once what no handler has started,
// and lets the handlers finish within Config.Grace. Their contexts end after
// that with [ErrDraining], and those that are not finished within
// Config.CancelGrace are given back without using up an attempt. The result
// is nil when all ends of leases were answered, else it matches
// [ErrUnanswered] and says how many were not.
//
// It stops by itself and returns nil after Config.MaxTasks tasks, and when the
// queue was shut down and is empty; it waits for the running handlers as long
// as they take then. It returns an error that matches [ErrStuck] when
// Config.MaxStuck is reached, one that matches [reeve.ErrInvalid] when the
// config or the handlers are not right, the error of Config.Init, and that of the
// source when it fails for good.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.start(ctx); err != nil {
		return err
	}
	err := w.run(ctx)
	w.mu.Lock()
	w.result = err
	w.mu.Unlock()
	close(w.done)
	return err
}

// Shutdown stops the worker as the end of Run's ctx does, and waits for Run to
// return. When ctx ends first, Grace is over. It returns what Run returns. It
// must not be called from a handler, which it would wait for. A worker that
// does not run yet never will.
func (w *Worker) Shutdown(ctx context.Context) error {
	if !w.requestStop() {
		return nil
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		w.closeOnce(w.now)
		<-w.done
	}
	return w.outcome()
}

// Close stops the worker at once: the contexts of all handlers end, what they
// have not finished is given back, and no handler is waited for, only, as long
// as Config.CancelGrace, the answers of the master. It returns what Run
// returns. A worker that does not run yet never will.
func (w *Worker) Close() error {
	if !w.requestStop() {
		return nil
	}
	w.closeOnce(w.kill)
	<-w.done
	return w.outcome()
}

func (w *Worker) start(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.started:
		return errors.New("worker: Run was called before")
	case w.err != nil:
		return w.err
	case len(w.handlers) == 0 && w.fallback == nil:
		return invalid("no handler was registered")
	}
	if err := w.checkWants(); err != nil {
		return err
	}
	w.started, w.since = true, time.Now()
	w.base = context.WithoutCancel(ctx)
	w.taking, w.stopTaking = context.WithCancel(ctx)
	return nil
}

func (w *Worker) run(ctx context.Context) error {
	defer w.stopTaking()
	if w.cfg.Init != nil {
		if err := w.cfg.Init(w.taking); err != nil {
			if w.taking.Err() != nil {
				return w.reason() // stopped before anything began
			}
			return fmt.Errorf("worker: Config.Init: %w", err)
		}
	}
	slots := w.cfg.slots()
	if w.cfg.MaxTasks > 0 && w.cfg.MaxTasks < uint64(slots) {
		slots = int(w.cfg.MaxTasks)
		w.supply.left = w.cfg.MaxTasks
	}
	c, err := w.src.Consume(w.taking, slots, w.wants()...)
	if err != nil {
		if w.taking.Err() != nil {
			return w.reason() // stopped before anything began
		}
		if errors.Is(err, reeve.ErrShutdown) {
			return nil // as it does later: a worker may come when all is done
		}
		return fmt.Errorf("worker: consume %s: %w", w.name, err)
	}
	w.consumer = c
	w.supply.begin(c, slots)
	w.mu.Lock()
	w.consuming = true
	w.fillLocked()
	w.mu.Unlock()

	ended := make(chan struct{})
	var helpers sync.WaitGroup
	if w.cfg.Watchdog > 0 {
		helpers.Go(func() { w.watch(ended) }) // joined below
	}
	defer helpers.Wait()
	defer close(ended)

	w.cfg.Logger.Debug("worker runs", "source", w.name, "concurrency", w.cfg.Concurrency, "slots", slots)
	for {
		select {
		case <-ctx.Done():
			w.stop(nil, urgent)
		case <-w.draining:
			return w.drain(ctx)
		case <-w.wake:
			w.supply.apply()
		}
	}
}

// haste is how much time the running handlers have when the worker stops.
type haste bool

const (
	patient haste = false // as much as they take
	urgent  haste = true  // Grace
)

// stop has the worker drain and Run return why. A later call may only make it
// urgent or add the reason.
func (w *Worker) stop(why error, how haste) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopLocked(why, how)
}

func (w *Worker) stopLocked(why error, how haste) {
	if w.why == nil {
		w.why = why
	}
	if w.stopping.CompareAndSwap(false, true) {
		w.stopTaking()
		close(w.draining)
	}
	if how == urgent {
		closeOpen(w.hurry)
	}
}

// requestStop is stop on behalf of the user. False when Run has not begun.
func (w *Worker) requestStop() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.started {
		if w.err == nil {
			w.err = fmt.Errorf("worker: stopped before Run: %w", reeve.ErrClosed)
		}
		return false
	}
	w.stopLocked(nil, urgent)
	return true
}

func (w *Worker) closeOnce(c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	closeOpen(c)
}

// closeOpen closes c if it is open. The caller holds Worker.mu.
func closeOpen(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

func (w *Worker) reason() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

func (w *Worker) outcome() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.result
}

func (w *Worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

var (
	_ Source = reeve.Queue(nil)
	_ Source = reeve.Supply(nil)
	_ Source = (*reeve.TypedQueue[int])(nil)
)
