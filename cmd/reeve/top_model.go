package main

import (
	"time"

	"github.com/reeveq/reeve"
)

// topSample is one look at a master.
type topSample struct {
	at         time.Time
	queues     []reeve.QueueStats
	workers    []reeve.WorkerInfo
	err        error // there was no answer; nothing else counts
	workersErr error // and none about the workers
	panicked   error
}

// topModel is what top shows and how. It knows nothing of terminals. One
// goroutine uses it.
type topModel struct {
	master   string
	interval time.Duration

	at         time.Time // of the last answer; zero: there was none
	began      time.Time // of the wait for the first one
	err        error     // of the last look
	workersErr error

	queues  topTable[queueRow]
	workers topTable[reeve.WorkerInfo]
	total   queueRow
	page    int  // rows of the table that keys are for
	second  bool // that is the one of the workers
}

func newTopModel(master string, interval time.Duration) *topModel {
	m := &topModel{master: master, interval: interval, began: time.Now()}
	m.queues.columns, m.workers.columns = queueColumns, workerColumns
	m.workers.sorted = workerByDefault
	return m
}

// queueRow is a queue with what happens to it in a second; less than 0: that
// is not known yet.
type queueRow struct {
	reeve.QueueStats
	put, done, failed float64
}

// take makes s what is shown.
func (m *topModel) take(s topSample) {
	if m.err = s.err; s.err != nil {
		return // what was known stands
	}
	before := make(map[string]*queueRow, len(m.queues.rows))
	for i := range m.queues.rows {
		before[m.queues.rows[i].Name] = &m.queues.rows[i]
	}
	total := queueRow{put: -1, done: -1, failed: -1}
	rows := make([]queueRow, len(s.queues))
	for i, q := range s.queues {
		rows[i] = newQueueRow(q, before[q.Name], s.at.Sub(m.at))
		total.add(&rows[i])
	}
	m.total, m.at = total, s.at
	m.queues.set(rows)
	if m.workersErr = s.workersErr; s.workersErr == nil {
		m.workers.set(s.workers)
	}
}

// newQueueRow compares q with the numbers of the look before, if there were
// any, some time ago.
func newQueueRow(q reeve.QueueStats, before *queueRow, ago time.Duration) queueRow {
	r := queueRow{QueueStats: q, put: -1, done: -1, failed: -1}
	if before == nil || ago <= 0 || q.Put < before.Put || q.Done < before.Done || unsuccessful(&q) < unsuccessful(&before.QueueStats) {
		return r // new, or counted by another master
	}
	rate := func(now, then uint64) float64 { return float64(now-then) / ago.Seconds() }
	r.put, r.done = rate(q.Put, before.Put), rate(q.Done, before.Done)
	r.failed = rate(unsuccessful(&q), unsuccessful(&before.QueueStats))
	return r
}

// unsuccessful is how many attempts came to nothing.
func unsuccessful(q *reeve.QueueStats) uint64 { return q.Failed + q.TimedOut + q.Lost }

// add makes r's numbers part of the sum.
func (t *queueRow) add(r *queueRow) {
	t.Ready += r.Ready
	t.Delayed += r.Delayed
	t.Leased += r.Leased
	t.Dead += r.Dead
	t.Blocked += r.Blocked
	for _, p := range []struct {
		sum *float64
		of  float64
	}{{&t.put, r.put}, {&t.done, r.done}, {&t.failed, r.failed}} {
		if p.of >= 0 {
			*p.sum = max(*p.sum, 0) + p.of
		}
	}
}

// silence is for how long there has been no answer, 0 if that is as it should
// be.
func (m *topModel) silence(now time.Time) time.Duration {
	since := m.at
	if since.IsZero() {
		since = m.began
	}
	if d := now.Sub(since); m.err != nil || d > 2*m.interval+time.Second {
		return d
	}
	return 0
}

// topAction is what a user wants.
type topAction int

const (
	actNone topAction = iota
	actQuit
	actLeft
	actRight
	actReverse
	actOther
	actUp
	actDown
	actPageUp
	actPageDown
	actHome
	actEnd
)

func (m *topModel) act(a topAction) {
	t := m.focus()
	switch a {
	case actLeft:
		t.sortNext(-1)
	case actRight:
		t.sortNext(1)
	case actReverse:
		t.turn()
	case actOther:
		m.second = !m.second
	case actUp:
		t.scroll(-1)
	case actDown:
		t.scroll(1)
	case actPageUp:
		t.scroll(-m.page)
	case actPageDown:
		t.scroll(m.page)
	case actHome:
		t.scroll(-maxRows)
	case actEnd:
		t.scroll(maxRows)
	}
}

// maxRows is more than there are queues or workers.
const maxRows = 1 << 30

// focused is the table that keys are for.
type focused interface {
	sortNext(step int)
	turn()
	scroll(rows int)
}

func (m *topModel) focus() focused {
	if m.second {
		return &m.workers
	}
	return &m.queues
}
