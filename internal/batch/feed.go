package batch

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/reeveq/reeve"
)

// fed is what the feeder tells the run, in order.
type fed struct {
	kind  fedKind
	first int64      // number of the first line
	sizes []int64    // of the lines, with what ends them
	ids   []reeve.ID // of their tasks
	why   string     // refused: the reason
	err   error      // ended: nil at the end of the input
}

type fedKind uint8

const (
	putting fedKind = iota // lines are about to be put: results may come before their ids
	placed                 // and now have ids
	refused                // one line will never be a task
	ended                  // no more will come
)

// feeder reads lines and puts them. It runs in one goroutine.
type feeder struct {
	cfg   *Config
	lines *lineReader
	gate  *gate
	out   chan<- fed
	heard context.Context // ends when nobody receives from out any more

	maxTasks int   // of one Put
	maxBytes int64 // of one Put, with more than one task

	n     int64 // lines read
	tasks []reeve.Task
	sizes []int64
	bytes int64
}

const (
	putTasks   = 512
	putBytes   = 1 << 20
	retryAfter = 50 * time.Millisecond
)

// run ends when the input has, an error does not let it go on, or ctx has.
// What was put by then is told in any case.
func (f *feeder) run(ctx context.Context) {
	_ = f.tell(fed{kind: ended, err: f.feed(ctx)})
}

func (f *feeder) feed(ctx context.Context) error {
	stats, err := f.cfg.Tasks.Stats(ctx)
	if err != nil {
		return err
	}
	f.maxTasks, f.maxBytes = putTasks, putBytes
	if stats.MaxLen > 0 {
		f.maxTasks = min(f.maxTasks, stats.MaxLen)
	}
	if stats.MaxBytes > 0 {
		f.maxBytes = min(f.maxBytes, stats.MaxBytes/2)
	}
	for {
		if len(f.tasks) > 0 && !f.lines.ready() { // what came is not kept waiting for more
			if err := f.flush(ctx); err != nil {
				return err
			}
		}
		ln, err := f.lines.next()
		if err != nil {
			if flushErr := f.flush(ctx); flushErr != nil {
				return flushErr
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return &InputError{Line: f.n, Err: err}
		}
		if err := f.add(ctx, ln); err != nil {
			return err
		}
	}
}

func (f *feeder) add(ctx context.Context, ln line) error {
	full := len(f.tasks) >= f.maxTasks || f.bytes+int64(len(ln.text)) > f.maxBytes
	if full || ln.over {
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	if err := f.gate.enter(ctx, ln.size, len(f.tasks) > 0, func() error { return f.flush(ctx) }); err != nil {
		return err
	}
	f.n++
	if ln.over {
		return f.tell(fed{kind: refused, first: f.n, sizes: []int64{ln.size},
			why: (&reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "line bytes", Value: ln.size, Max: f.cfg.MaxLine, Set: "-max-payload"}).Error()})
	}
	f.tasks = append(f.tasks, reeve.Task{Payload: ln.text})
	f.sizes = append(f.sizes, ln.size)
	f.bytes += int64(len(ln.text))
	return nil
}

// flush puts the lines that were gathered.
func (f *feeder) flush(ctx context.Context) error {
	if len(f.tasks) == 0 {
		return nil
	}
	tasks, sizes, first := f.tasks, f.sizes, f.n-int64(len(f.tasks))+1
	f.tasks, f.sizes, f.bytes = nil, nil, 0
	return f.put(ctx, first, tasks, sizes)
}

func (f *feeder) put(ctx context.Context, first int64, tasks []reeve.Task, sizes []int64) error {
	if err := f.tell(fed{kind: putting}); err != nil {
		return err
	}
	for {
		ids, err := f.cfg.Tasks.Put(ctx, tasks)
		switch {
		case err == nil:
			return f.tell(fed{kind: placed, first: first, sizes: sizes, ids: ids})
		case errors.Is(err, reeve.ErrQueueFull), errors.Is(err, reeve.ErrJournalFull):
			// A queue that refuses instead of waiting, or a disk that somebody has
			// to make room on: the master tells that.
			if err := pause(ctx, retryAfter); err != nil {
				return err
			}
		case !errors.Is(err, reeve.ErrTooLarge):
			return err
		case len(tasks) == 1:
			return f.tell(fed{kind: refused, first: first, sizes: sizes, why: err.Error()})
		default: // one is too large, or they are together
			for i := range tasks {
				if err := f.put(ctx, first+int64(i), tasks[i:i+1], sizes[i:i+1]); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

func (f *feeder) tell(m fed) error {
	select {
	case f.out <- m:
		return nil
	case <-f.heard.Done():
		return context.Cause(f.heard)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// gate bounds what is under way. The feeder enters lines, the run lets them
// leave.
type gate struct {
	maxLines int64
	wake     chan struct{} // cap 1: the run sends without blocking, only the feeder receives

	mu     sync.Mutex // guards the fields below
	lines  int64
	bytes  int64
	closed bool // for the moment, whatever is under way
}

func newGate(lines int64) *gate { return &gate{maxLines: lines, wake: make(chan struct{}, 1)} }

// enter waits for room for a line of size bytes. A line over all bounds enters
// alone. Before it waits it calls flush, if lines that entered are not put yet.
func (g *gate) enter(ctx context.Context, size int64, unput bool, flush func() error) error {
	for {
		if g.tryEnter(size) {
			return nil
		}
		if unput {
			if err := flush(); err != nil {
				return err
			}
			unput = false
			continue
		}
		select {
		case <-g.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (g *gate) tryEnter(size int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lines > 0 && (g.closed || g.lines >= g.maxLines || g.bytes+size > maxUnderWay) {
		return false
	}
	g.lines++
	g.bytes += size
	return true
}

// leave lets lines with so many bytes out. close keeps others from entering
// until the next call, unless nothing is under way.
func (g *gate) leave(lines, bytes int64, close bool) {
	g.mu.Lock()
	g.lines -= lines
	g.bytes -= bytes
	g.closed = close
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}
