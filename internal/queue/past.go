package queue

import "github.com/reeveq/reeve"

// past is what happened to a task that did not simply wait and run.
type past struct {
	counts   reeve.Counts
	extended int64       // Extend: the lease stands until then, however silent the holder
	result   *completing // that waits for room; nil: none
	progress *reeve.Progress
	history  []reeve.AttemptRecord
	fate     fate
	fresh    bool // the last of history is not in the journal yet
	rewrite  bool // more has changed of history than that
}

// fate is why attempts failed, and why a dead task is dead.
type fate struct {
	err    string // of the last attempt that told any
	reason string // of the death; empty: err tells it
	last   bool   // err belongs to the reason
	diedAt int64  // wall clock, Unix nanoseconds
}

// size is what the texts of p count for against MaxBytes.
func (p *past) size() int64 {
	n := int64(len(p.fate.err)) + historySize(p.history)
	if p.progress != nil {
		n += int64(len(p.progress.Text))
	}
	return n
}

// more is t's past, made if need be: empty, it counts for nothing.
func (t *task) more() *past {
	if t.past == nil {
		t.past = &past{}
	}
	return t.past
}

// grow changes t's past, which it makes if need be, by f, and keeps the count
// of the queue's bytes right.
func (q *Queue) grow(t *task, f func(p *past)) {
	p := t.more()
	q.bytes -= p.size()
	f(p)
	q.bytes += p.size()
	q.roomy = true
}

func (t *task) counts() reeve.Counts {
	if t.past == nil {
		return reeve.Counts{}
	}
	return t.past.counts
}

// history are the attempts at t that did not succeed.
func (t *task) history() []reeve.AttemptRecord {
	if t.past == nil {
		return nil
	}
	return t.past.history
}

// extended is until when the lease stands whatever its holder does; 0: not.
func (t *task) extended() int64 {
	if t.past == nil {
		return 0
	}
	return t.past.extended
}

// parked is the Complete that waits for room with t's result; nil: none.
func (t *task) parked() *completing {
	if t.past == nil {
		return nil
	}
	return t.past.result
}

// err is the error of the last attempt at t that told one.
func (t *task) err() string {
	if t.past == nil {
		return ""
	}
	return t.past.fate.err
}

// stack is that of the last attempt at t that told one.
func (t *task) stack() string {
	h := t.history()
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Stack != "" {
			return h[i].Stack
		}
	}
	return ""
}

func (t *task) suspect() bool { return t.past != nil && t.past.counts.Lost >= suspectAfter }
