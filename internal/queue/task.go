package queue

import (
	"time"

	"github.com/reeveq/reeve"
)

// taskOverhead is what a task counts for against MaxBytes besides its payload:
// about what the record, its map entry and its list links take.
const taskOverhead = 256

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
	readyAt int64 // when it first could be handed over
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
	reason, err, stack string
	diedAt             time.Time
}

func (t *task) size() int64 { return int64(len(t.payload)+len(t.typ)) + taskOverhead }

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

// blame notes why an attempt failed.
func (t *task) blame(err, stack string) {
	if err == "" && stack == "" {
		return
	}
	if t.fate == nil {
		t.fate = &fate{}
	}
	t.fate.err, t.fate.stack = cut(err), cut(stack)
}

func cut(s string) string {
	if len(s) <= reeve.MaxErrorText {
		return s
	}
	return s[:reeve.MaxErrorText]
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
