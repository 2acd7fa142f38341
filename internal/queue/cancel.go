package queue

import "github.com/reeveq/reeve"

// Cancel ends the request tag of h if it waits: a Put or a Complete for room, a
// Get for a task, a Join. Its answer is cause. A request that was answered, or
// is not known, is left alone. The lease of a cancelled Complete stands. What
// it costs does not depend on how many requests wait.
func (h *Holder) Cancel(tag uint64, cause error) {
	seek(h.engine, h.all, func(k *hold) bool { return k.queue.cancel(k, tag, cause) })
}

func (q *Queue) cancel(k *hold, tag uint64, cause error) bool {
	q.mu.Lock()
	var refused []*completing
	w := k.waiters[tag]
	switch w := w.(type) {
	case *taker:
		w.leave()
		q.got(w, cause)
	case *wait:
		q.waits.drop(w)
		q.answerWait(w, reeve.Result{}, cause)
	case *JoinOp:
		q.dropJoin(w)
		q.reply(k, w.By, w.Tag, 1, 0, cause)
	case *parking:
		q.unpark(w)
		w.answer(cause)
		if w.complete != nil {
			refused = append(refused, w.complete)
		}
	}
	q.unlock()
	startTimers(refused)
	return w != nil
}
