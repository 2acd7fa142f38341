package queue

import (
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// taskOverhead is what a task counts for against MaxBytes besides its payload:
// about what the record, its map entry and its list links take.
const taskOverhead = reeve.TaskOverhead

// suspectAfter is how often a task must have been with a lost holder to be
// handed over apart from other such tasks, so that the one that kills its
// workers is told from those that happened to run beside it.
const suspectAfter = 2

// task is the record of one task. All fields are guarded by its queue's mutex.
type task struct {
	id      reeve.ID
	payload []byte
	typ     string
	source  reeve.ID
	putAt   int64 // wall clock, Unix nanoseconds: for display only
	readyAt int64 // since when it could be handed over
	due     int64 // heap key: end of the delay, or of the run time
	heap    int32 // index in the queue's heap; -1: not in it
	attempt uint32
	timeout int64 // run time of an attempt; 0: none
	counts  reeve.Counts

	state state
	// claimable: ready only because its holder was taken for lost; that holder
	// may have it back as long as nobody else got it.
	claimable bool
	blamed    bool // it counts as lost, not as returned, for that holder

	// While leased.
	hold     *hold
	consumer *Consumer // whose slot it takes; nil when a Get took it
	leasedAt int64
	keep     int64       // Extend: the lease stands until then, however silent the holder
	result   *completing // that waits for room; nil: none

	fate *fate // what is known of its failures; nil: nothing

	prev, next *task // in the list that is its state
}

// fate keeps why attempts failed, and why a dead task is dead.
type fate struct {
	err, stack string // of the last attempt that told any
	reason     string // of the death; empty: err tells it
	last       bool   // err belongs to the reason
	diedAt     time.Time
}

func (t *task) size() int64 {
	n := len(t.payload) + len(t.typ) + taskOverhead
	if t.fate != nil {
		n += len(t.fate.err) + len(t.fate.stack)
	}
	return int64(n)
}

func sizeOf(t *reeve.Task) int64 { return int64(len(t.Payload)+len(t.Type)) + taskOverhead }

func (t *task) suspect() bool { return t.counts.Lost >= suspectAfter }

// delivery is the task as its holder gets it.
func (t *task) delivery() reeve.Task {
	return reeve.Task{
		Payload: t.payload,
		Type:    t.typ,
		Timeout: time.Duration(t.timeout),
		ID:      t.id,
		Attempt: t.attempt,
		Source:  t.source,
		PutAt:   time.Unix(0, t.putAt),
	}
}

// line is the reason why t, which is dead, is dead.
func (f *fate) line() string {
	last := firstLine(f.err)
	switch {
	case f.reason == "":
		return last
	case last == "" || !f.last:
		return f.reason
	}
	return f.reason + "; last: " + last
}

func firstLine(s string) string {
	const most = 300
	for i, r := range s {
		if r == '\n' || i >= most {
			return s[:i]
		}
	}
	return s
}

// cut is s, or a copy of its first n bytes.
func cut(s string, n int64) string {
	if int64(len(s)) <= n {
		return s
	}
	return strings.ToValidUTF8(strings.Clone(s[:n]), "")
}

// taskList is a doubly linked list through the records.
type taskList struct {
	head, tail *task
	n          int
}

func (l *taskList) pushBack(t *task) {
	t.prev, t.next = l.tail, nil
	if l.tail != nil {
		l.tail.next = t
	} else {
		l.head = t
	}
	l.tail = t
	l.n++
}

// pushFront puts t before the head, but behind tasks at the very front that
// were put earlier: what is given back keeps its order. It looks at a few only;
// who gives back many starts with the last.
func (l *taskList) pushFront(t *task) {
	at := l.head
	for i := 0; at != nil && at.id < t.id && i < 64; i++ {
		at = at.next
	}
	if at == nil {
		l.pushBack(t)
		return
	}
	t.prev, t.next = at.prev, at
	if at.prev != nil {
		at.prev.next = t
	} else {
		l.head = t
	}
	at.prev = t
	l.n++
}

func (l *taskList) remove(t *task) {
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		l.head = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		l.tail = t.prev
	}
	t.prev, t.next = nil, nil
	l.n--
}
