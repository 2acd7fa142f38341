// Package batch runs a file of lines through two queues: every line becomes a
// task on one, and the results that come back on the other are written out,
// one per line of output.
//
// It knows queues and who looks after them only by their interfaces: nothing of
// a master, the network or a terminal. The input is streamed and so may be larger than memory: at most
// [Config.Window] lines, and about 64 MiB of them, are under way at a time.
//
// What a line is: it ends at LF, a CR before that is not part of it; the last
// needs no LF; an empty line is a task too; bytes are not interpreted. What a
// result is: the task's output without the one LF it may end with. Results are
// matched to lines by their Source. A result is acked when it has been written
// and flushed, and a second one for the same line is not written, so that
// nothing a worker or a lease does can lose or double a line. The exception is
// ordered output: a result that came before its turn is held in memory and
// acked at once, since otherwise it could fill the result queue and keep out
// the very result that is waited for.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reeveq/reeve"
)

// Operator is what a run needs of a [reeve.Operator].
type Operator interface {
	Task(ctx context.Context, id reeve.ID) (reeve.TaskInfo, error)
	List(ctx context.Context, queue string, f reeve.Filter, o reeve.ListOptions) (reeve.Page, error)
	Purge(ctx context.Context, queue string, f reeve.Filter) (int, error)
}

// Config says what is run. The fields of the first group are required.
type Config struct {
	Tasks, Results reeve.Queue
	Operator       Operator // of their master
	Input          io.Reader
	Output         io.Writer

	// Ordered writes results in the order of the lines instead of as they come.
	Ordered bool
	// MaxLine bounds a line, in bytes: what the queue takes as a payload. A
	// longer one is reported as dead. 0: 16 MiB.
	MaxLine int64
	// Window is how many lines may be under way at a time. 0: 16384.
	Window int
	// Grace is how long running tasks may go on when the run is stopped.
	Grace time.Duration
	// OnDead is told of each line without a result. nil: nobody.
	OnDead func(DeadLine)
	// OnProgress is told the numbers, ten times a second. nil: nobody.
	OnProgress func(Numbers)
}

// DeadLine is a line that has no result: its task is dead, was skipped or
// discarded by its handler, was cancelled or purged, has expired, or was acked
// as it is; or the line is longer than a task may be.
type DeadLine struct {
	Line   int64 // from 1
	Reason string
}

// Numbers tell how far a run is.
type Numbers struct {
	Lines    int64 // read so far
	Done     int64 // results written
	Dead     int64 // lines without a result
	Held     int64 // ordered: results that wait for their turn
	Foreign  int64 // results that belong to no line, dropped
	ReadSize int64 // bytes of input read
	DoneSize int64 // bytes of the lines that are done or dead
	ReadAll  bool  // the input has ended
}

// InputError says that the input could not be read on. What was read before
// has been run.
type InputError struct {
	Line int64 // the last that was read
	Err  error
}

func (e *InputError) Error() string {
	return fmt.Sprintf("cannot read the input after line %d: %v", e.Line, e.Err)
}

func (e *InputError) Unwrap() error { return e.Err }

// OutputError says that a result could not be written. The run ended there.
type OutputError struct{ Err error }

func (e *OutputError) Error() string { return "cannot write the output: " + e.Err.Error() }

func (e *OutputError) Unwrap() error { return e.Err }

// ErrStopped is the error of a run that was stopped before its end.
var ErrStopped = errors.New("stopped before all lines were done")

const (
	maxUnderWay = 64 << 20               // bytes of lines under way
	maxHeld     = 64 << 20               // bytes held for their turn at which no more lines are put
	pollEvery   = 100 * time.Millisecond // dead tasks announce themselves to nobody
	lookEvery   = 10                     // polls after which all lines under way are looked at
)

// Run runs all lines and returns when each has its result written or will have
// none, the output cannot be written ([OutputError]) or a queue fails. When ctx ends
// no more is read, lines that no worker has begun are dropped, the others may
// finish within Grace, and the error matches [ErrStopped]. An [InputError] is
// returned after all that could be read was run. The numbers hold in any case.
//
// The end of ctx does not interrupt a Write to Output.
func Run(ctx context.Context, cfg Config) (Numbers, error) {
	if cfg.Tasks == nil || cfg.Results == nil || cfg.Operator == nil || cfg.Input == nil || cfg.Output == nil {
		return Numbers{}, errors.New("batch: Config.Tasks, Results, Operator, Input and Output are required")
	}
	if cfg.MaxLine < 0 || cfg.Window < 0 || cfg.Grace < 0 {
		return Numbers{}, errors.New("batch: Config.MaxLine, Window and Grace must not be negative")
	}
	if cfg.MaxLine == 0 {
		cfg.MaxLine = 16 << 20
	}
	if cfg.Window == 0 {
		cfg.Window = 16384
	}
	if cfg.OnDead == nil {
		cfg.OnDead = func(DeadLine) {}
	}
	if cfg.OnProgress == nil {
		cfg.OnProgress = func(Numbers) {}
	}
	r := newRun(cfg)
	err := r.run(ctx)
	cfg.OnProgress(r.Numbers)
	return r.Numbers, err
}
