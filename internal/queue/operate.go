package queue

import (
	"time"

	"github.com/reeveq/reeve"
)

func (q *Queue) Pause(reason string) error { return reeve.ErrUnsupported }
func (q *Queue) Resume()                   {}
func (q *Queue) Progress(h *Holder, id reeve.ID, attempt uint32, percent float64, text string) error {
	return reeve.ErrUnsupported
}
func (q *Queue) Types() []reeve.TypeStats { return nil }
func (e *Engine) Task(id reeve.ID) (reeve.TaskInfo, error) {
	return reeve.TaskInfo{}, reeve.ErrUnsupported
}
func (q *Queue) List(f *reeve.Filter, o reeve.ListOptions) (reeve.Page, error) {
	return reeve.Page{}, reeve.ErrUnsupported
}
func (q *Queue) Peek(max, payload int) ([]reeve.TaskInfo, error) { return nil, reeve.ErrUnsupported }
func (e *Engine) Explain(id reeve.ID) (reeve.Explanation, error) {
	return reeve.Explanation{}, reeve.ErrUnsupported
}
func (e *Engine) Cancel(id reeve.ID, reason string) error { return reeve.ErrUnsupported }
func (q *Queue) CancelAll(f *reeve.Filter, reason string) (int, error) {
	return 0, reeve.ErrUnsupported
}
func (q *Queue) Revive(f *reeve.Filter) (int, error)          { return 0, reeve.ErrUnsupported }
func (q *Queue) Purge(f *reeve.Filter) (int, error)           { return 0, reeve.ErrUnsupported }
func (q *Queue) Move(to *Queue, f *reeve.Filter) (int, error) { return 0, reeve.ErrUnsupported }
func (e *Engine) Result(id reeve.ID) (reeve.Result, error) {
	return reeve.Result{}, reeve.ErrUnsupported
}

// ResultReplier takes the answers to Waits, as [Replier] those to others.
type ResultReplier interface {
	Ended(tag uint64, r reeve.Result, err error)
}

// WaitOp is a request for the end of a task.
type WaitOp struct {
	ID  reeve.ID
	Tag uint64
	By  ResultReplier
}

func (e *Engine) Wait(h *Holder, op *WaitOp) {
	op.By.Ended(op.Tag, reeve.Result{}, reeve.ErrUnsupported)
}

// Subscription is a reader of events.
type Subscription struct{}

func (e *Engine) Subscribe(queues []string, buffer int, wake func()) (*Subscription, error) {
	return nil, reeve.ErrUnsupported
}
func (s *Subscription) Take(max int) []reeve.Event { return nil }
func (s *Subscription) Close()                     {}

func (h *Holder) SetName(name string)  {}
func (h *Holder) Heard() time.Duration { return 0 }
func (h *Holder) Info() (queues []reeve.WorkerQueue, running []reeve.WorkerTask, leased int) {
	return nil, nil, 0
}

// Standing is a standing supply of one consumer: a [*Consumer] of one queue,
// or a [*Group] of several.
type Standing interface {
	SetSlots(n int)
	Close()
	// In is the part of it that takes from q; nil: none.
	In(q *Queue) *Consumer
}

func (c *Consumer) In(q *Queue) *Consumer { return c }

// Group is a supply from several queues.
type Group struct{}

func (g *Group) SetSlots(n int)        {}
func (g *Group) Close()                {}
func (g *Group) In(q *Queue) *Consumer { return nil }
func (e *Engine) ConsumeFrom(h *Holder, tag uint64, slots int, sources []reeve.Source, o reeve.GetOptions) (*Group, error) {
	return nil, reeve.ErrUnsupported
}
func (e *Engine) GetFrom(h *Holder, op *GetOp, sources []reeve.Source) error {
	return reeve.ErrUnsupported
}
