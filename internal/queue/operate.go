package queue

import (
	"github.com/reeveq/reeve"
)

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

func (h *Holder) Info() (queues []reeve.WorkerQueue, running []reeve.WorkerTask, leased int) {
	return nil, nil, 0
}
