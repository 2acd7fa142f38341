package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

// run is one batch run. One goroutine, that of run, owns all its fields.
type run struct {
	Numbers
	cfg  Config
	gate *gate
	out  *writer

	fed     chan fed
	results chan got

	under   map[reeve.ID]lineOf // lines under way
	lastID  reeve.ID            // all ids up to it are known, those after it may come
	putting bool                // a Put is under way, whose ids are not known
	early   []*reeve.Lease      // results whose ids are not known yet
	acks    []*reeve.Lease      // written, not flushed
	unsure  int64               // lines counted as done whose results are not flushed

	first    reeve.QueueStats // of Tasks, before the first Put
	polls    int
	deadSeen int    // dead tasks of the queue that were looked at
	deadGone uint64 // of those that were taken away
	ends     uint64 // of tasks, at the last look at all lines
	idle     int    // polls in a row that found nobody at work
	stopped  bool
	inputErr error
}

type lineOf struct {
	line, size int64
}

// got is what the fetcher got.
type got struct {
	leases []*reeve.Lease
	err    error
}

func newRun(cfg Config) *run {
	return &run{
		cfg: cfg, gate: newGate(int64(cfg.Window)), out: newWriter(cfg.Output, cfg.Ordered),
		fed: make(chan fed), results: make(chan got), under: map[reeve.ID]lineOf{},
	}
}

func (r *run) run(ctx context.Context) error {
	var err error
	if r.first, err = r.cfg.Tasks.Stats(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	feeding, stopFeeding := context.WithCancel(work)
	var helpers sync.WaitGroup
	helpers.Go(func() { r.fetch(work) })
	f := &feeder{cfg: &r.cfg, lines: newLineReader(r.cfg.Input, r.cfg.MaxLine, readSize), gate: r.gate, out: r.fed, heard: work}
	go f.run(feeding) // not waited for: nothing interrupts a Read
	defer func() {
		stopFeeding()
		cancel()
		helpers.Wait()
		r.Done -= r.unsure
		r.giveBack()
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	stop := ctx.Done()
	var grace <-chan time.Time
	for !r.ReadAll || len(r.under) > 0 {
		var err error
		select {
		case m := <-r.fed:
			err = r.onFed(m)
		case g := <-r.results:
			err = r.onResults(g)
		case <-tick.C:
			err = r.poll(work)
			r.cfg.OnProgress(r.Numbers)
		case <-stop:
			stop, r.stopped = nil, true
			stopFeeding()
			grace = time.After(r.cfg.Grace)
		case <-grace:
			return ErrStopped
		}
		if err != nil {
			return err
		}
		if r.stopped && !r.putting && (!r.ReadAll || len(r.under) > 0) {
			if over, err := r.drained(work); over || err != nil {
				return errors.Join(ErrStopped, err)
			}
		}
	}
	if r.Done+r.Dead < r.Lines { // what was dropped is not under way either
		return ErrStopped
	}
	return r.inputErr
}

// fetch gets results until ctx ends.
func (r *run) fetch(ctx context.Context) {
	const most = 512
	for {
		leases, err := r.cfg.Results.Get(ctx, most)
		select {
		case r.results <- got{leases, err}:
		case <-ctx.Done():
			giveBack(leases)
			return
		}
		if err != nil {
			return
		}
	}
}

func (r *run) onFed(m fed) error {
	switch m.kind {
	case putting:
		r.putting = true
	case placed:
		r.putting = false
		r.Lines += int64(len(m.ids))
		for i, id := range m.ids {
			r.under[id] = lineOf{m.first + int64(i), m.sizes[i]}
			r.ReadSize += m.sizes[i]
			r.lastID = max(r.lastID, id)
		}
		return r.takeEarly()
	case refused:
		r.putting = false
		r.Lines++
		r.ReadSize += m.sizes[0]
		return r.settle(lineOf{m.first, m.sizes[0]}, m.why)
	case ended:
		r.putting = false
		if r.stopped {
			return r.takeEarly()
		}
		r.ReadAll = true
		var input *InputError
		if m.err != nil && !errors.As(m.err, &input) {
			return m.err
		}
		r.inputErr = m.err
		return r.takeEarly()
	}
	return nil
}

func (r *run) onResults(g got) error {
	if g.err != nil {
		return fmt.Errorf("results: %w", g.err)
	}
	for _, l := range g.leases {
		if err := r.take(l); err != nil {
			return err
		}
	}
	return r.flush()
}

// takeEarly looks again at the results whose lines were not known.
func (r *run) takeEarly() error {
	early := r.early
	r.early = nil
	for _, l := range early {
		if err := r.take(l); err != nil {
			return err
		}
	}
	return r.flush()
}

// take writes the result that l holds, if it is one of ours.
func (r *run) take(l *reeve.Lease) error {
	of, known := r.under[l.Source]
	if !known {
		if r.putting && l.Source > r.lastID {
			r.early = append(r.early, l)
			return nil
		}
		r.Foreign++
		r.acks = append(r.acks, l)
		return nil
	}
	delete(r.under, l.Source)
	_, err := r.out.add(of.line, result{text: l.Payload})
	if err != nil {
		return err
	}
	r.acks = append(r.acks, l)
	r.Done++
	r.unsure++
	r.left(of)
	return nil
}

// settle ends a line that has no result.
func (r *run) settle(of lineOf, why string) error {
	r.Dead++
	r.cfg.OnDead(DeadLine{Line: of.line, Reason: why})
	_, err := r.out.add(of.line, result{none: true})
	r.left(of)
	if err != nil {
		return err
	}
	return r.flush()
}

// left counts a line that is not under way any more.
func (r *run) left(of lineOf) {
	r.DoneSize += of.size
	r.Held = int64(len(r.out.held))
	r.gate.leave(1, of.size, r.out.heldBytes > maxHeld)
}

// flush writes out what was written and then acks it.
func (r *run) flush() error {
	if err := r.out.flush(); err != nil {
		return err
	}
	r.unsure = 0
	for _, l := range r.acks {
		// An ack that comes too late brings the result again; it belongs to no
		// line then.
		l.Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
	}
	r.acks = r.acks[:0]
	return nil
}

// giveBack returns what was not written.
func (r *run) giveBack() {
	giveBack(r.acks)
	giveBack(r.early)
}

func giveBack(leases []*reeve.Lease) {
	for _, l := range leases {
		l.Settle(&reeve.Outcome{Verb: reeve.Return}, nil)
	}
}
