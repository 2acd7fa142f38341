package managertest

import (
	"context"
	"errors"
	"sync"

	"github.com/reeveq/reeve/journal"
)

// Reopen is a journal for the Config of a master that is to find it again after
// [Master.Restart]: each master has it opened by open, whose argument is what
// open returned the time before; nil: it is the first.
//
// After [Master.Kill] prev is as the killed master left it, neither closed nor
// synced, and nobody uses it any more; open closes it, or crashes it. After an
// orderly end it is closed. What was opened last is closed at the end of the
// test.
func Reopen(open func(prev journal.Journal) (journal.Journal, error)) journal.Journal {
	return &reopened{open: open}
}

// reopened passes calls on to the journal that was opened last. From the
// owner's death on, none gets there.
type reopened struct {
	open func(prev journal.Journal) (journal.Journal, error)

	mu     sync.Mutex // guards the fields below
	last   journal.Journal
	life   context.Context // of its owner; nil: it has none
	die    context.CancelFunc
	closed bool // last is
}

var errOwned = errors.New("managertest: a second master with one journal")

// Replay opens the next journal.
func (r *reopened) Replay(ctx context.Context, f func(p journal.Pos, frame []byte) error) (last journal.Pos, err error) {
	if err := r.next(); err != nil {
		return 0, err
	}
	err = r.call(ctx, func(ctx context.Context, j journal.Journal) (err error) {
		last, err = j.Replay(ctx, f)
		return err
	})
	return last, err
}

func (r *reopened) next() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life != nil && r.life.Err() == nil {
		return errOwned
	}
	j, err := r.open(r.last)
	if err != nil {
		return err
	}
	r.last, r.closed = j, false
	r.life, r.die = context.WithCancel(context.Background())
	return nil
}

// call calls f with the journal, and a ctx that ends with its owner, too.
func (r *reopened) call(ctx context.Context, f func(context.Context, journal.Journal) error) error {
	r.mu.Lock()
	j, life := r.last, r.life
	r.mu.Unlock()
	if life == nil || life.Err() != nil {
		return journal.ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	return f(ctx, j)
}

func (r *reopened) Append(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
	return r.call(ctx, func(ctx context.Context, j journal.Journal) error { return j.Append(ctx, p, frame, o) })
}

func (r *reopened) Sync(ctx context.Context) error {
	return r.call(ctx, func(ctx context.Context, j journal.Journal) error { return j.Sync(ctx) })
}

func (r *reopened) Read(ctx context.Context, p journal.Pos) (frame []byte, err error) {
	err = r.call(ctx, func(ctx context.Context, j journal.Journal) (err error) {
		frame, err = j.Read(ctx, p)
		return err
	})
	return frame, err
}

func (r *reopened) Trim(ctx context.Context, p journal.Pos) error {
	return r.call(ctx, func(ctx context.Context, j journal.Journal) error { return j.Trim(ctx, p) })
}

// Close is the owner's orderly end.
func (r *reopened) Close() error {
	r.mu.Lock()
	life := r.life
	r.mu.Unlock()
	if life == nil || life.Err() != nil {
		return journal.ErrClosed
	}
	return r.release()
}

// kill is the owner's death.
func (r *reopened) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life != nil {
		r.die()
	}
}

// release closes what was opened last, if nobody did.
func (r *reopened) release() error {
	r.kill()
	r.mu.Lock()
	j, closed := r.last, r.closed
	r.closed = true
	r.mu.Unlock()
	if j == nil || closed {
		return nil
	}
	return j.Close()
}

var _ journal.Journal = (*reopened)(nil)
