package pool

import (
	"context"
	"time"

	"github.com/reeveq/reeve"
)

// Master is what a pool needs of a master, besides its queue: how tasks ended,
// and a way to cancel them. A *proxy.Client and a *manager.Master are both one,
// as every [reeve.Operator] is.
type Master interface {
	Wait(ctx context.Context, id reeve.ID) (reeve.Result, error)
	Result(ctx context.Context, id reeve.ID) (reeve.Result, error)
	Task(ctx context.Context, id reeve.ID) (reeve.TaskInfo, error)
	List(ctx context.Context, queue string, f reeve.Filter, o reeve.ListOptions) (reeve.Page, error)
	CancelAll(ctx context.Context, queue string, f reeve.Filter, reason string) (int, error)
}

// Pool calls one function, that of the workers of a queue for one type of tasks,
// with inputs of type In and results of type Out. Its methods may be called from
// any number of goroutines.
type Pool[In, Out any] struct {
	core *core
}

// New makes a pool of tasks of type typ in the queue q, which is one of m:
//
//	pool.New[int, int](c, c.Queue("tasks"), "square", pool.Config{}) // of a *proxy.Client
//	pool.New[int, int](m, tasks, "square", pool.Config{})            // of a *manager.Master
//
// It asks nobody: whether there is such a queue shows at the first call
// ([reeve.ErrNoSuchQueue]), and without a worker that has a function for the type
// calls wait for one. [reeve.ErrInvalid] names a field of cfg that is out of
// range.
func New[In, Out any](m Master, q reeve.Queue, typ string, cfg Config) (*Pool[In, Out], error) {
	cfg = cfg.withDefaults()
	if m == nil || q == nil {
		return nil, invalid("the master or the queue is nil")
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	option, err := cfg.options(typ)
	if err != nil {
		return nil, err
	}
	return &Pool[In, Out]{core: newCore(m, q, cfg, option)}, nil
}

// Apply calls the function and waits for its result, or for ctx: then the task
// is cancelled. [reeve.ErrClosed] after Close.
func (p *Pool[In, Out]) Apply(ctx context.Context, in In) (Out, error) {
	f := p.Go(ctx, in)
	if err := f.Wait(ctx); err != nil {
		p.core.leave(f.self, err)
		var none Out
		return none, err
	}
	return f.value, f.err
}

// Go calls the function and does not wait for its result. It blocks only while
// Config.MaxPending calls wait for their turn to be put. What is wrong with the
// call is what the future returns: ctx's error when that ended before the call
// had a place, [reeve.ErrClosed] after Close.
func (p *Pool[In, Out]) Go(ctx context.Context, in In) *Future[Out] {
	c := p.core
	s := &single[Out]{codec: c.cfg.Codec}
	s.c, s.self = c, s
	fail := func(err error) *Future[Out] {
		var none Out
		s.resolve(none, err)
		return &s.Future
	}
	if ctx.Err() != nil {
		return fail(ctxError(ctx))
	}
	if err := c.begin(); err != nil {
		return fail(err)
	}
	defer c.end()
	b, err := encode(c.cfg.Codec, in)
	if err != nil {
		return fail(err)
	}
	select {
	case c.room <- struct{}{}:
	case <-ctx.Done():
		return fail(ctxError(ctx))
	case <-c.closed:
		return fail(errClosed)
	}
	f := &feed{to: s, n: 1, chunk: 1, single: true, encode: func(int) ([]byte, error) { return b, nil }}
	if err := c.add(f); err != nil {
		<-c.room
		return fail(err)
	}
	return &s.Future
}

// Close refuses further work: [reeve.ErrClosed]. What was begun goes on. Calls
// after the first do nothing.
func (p *Pool[In, Out]) Close() { p.core.shutdown() }

// Terminate ends every call that has not ended, at once, with an error that
// matches [reeve.ErrCancelled], refuses further work as Close does, and cancels
// the tasks at the master, for which ctx is. The error is of that; tasks that
// could not be cancelled run for nobody. Further calls do nothing.
func (p *Pool[In, Out]) Terminate(ctx context.Context) error {
	c := p.core
	c.mu.Lock()
	again := c.ended
	c.ended = true
	c.mu.Unlock()
	if again {
		return nil
	}
	c.shutdown()
	ids := c.abandon(nil, errTerminated)
	c.kill()
	time.AfterFunc(putGrace, c.stopPut)
	return c.cancel(ctx, ids, terminatedReason)
}

// Join waits until every call has ended, and its callbacks have returned.
// [ErrRunning] before Close or Terminate; ctx's error if that ends first.
func (p *Pool[In, Out]) Join(ctx context.Context) error {
	c := p.core
	select {
	case <-c.closed:
	default:
		return ErrRunning
	}
	select {
	case <-c.done:
		return nil
	default:
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctxError(ctx)
	}
}

// leave ends the inputs of to with err, and has their tasks cancelled.
func (c *core) leave(to receiver, err error) {
	ids := c.abandon(to, err)
	if len(ids) > 0 {
		c.spawn(func() { c.cancelSoon(ids) })
	}
}
