package queue

import (
	"strings"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// taskOverhead is what a task counts for against MaxBytes besides its payload:
// about what the record, its map entry and its list links take.
const taskOverhead = reeve.TaskOverhead

// suspectAfter is how often a task must have been with a lost holder to be
// handed over apart from other such tasks, so that the one that kills its
// workers is told from those that happened to run beside it.
const suspectAfter = 2

// task is the record of one task. All fields are guarded by its queue's mutex.
// What few tasks have is in extra and past.
type task struct {
	id       reeve.ID
	payload  []byte // nil though length is not 0: it is read from the journal
	kind     *kind
	source   reeve.ID
	pos      journal.Pos // the frame that has its put, and its payload
	putAt    int64       // wall clock, Unix nanoseconds: for display only
	readyAt  int64       // since when it could be handed over
	due      int64       // heap key: end of the delay, or of the run time; with wall a time of the wall clock
	heap     int32       // index in the heap; -1: not in one
	attempt  uint32
	priority int32
	length   uint32 // of the payload

	state state
	// claimable: ready only because its holder was taken for lost; that holder
	// may have it back as long as nobody else got it.
	claimable bool
	blamed    bool // it counts as lost, not as returned, for that holder
	untold    bool // its holder has not heard yet that it has it
	wall      bool // it is delayed until a time of the wall clock

	order int64  // among ready tasks of its priority; smaller is next
	level *level // it stands in; nil: not in a lane

	// While leased.
	hold     *hold
	consumer *Consumer // whose slot it takes; nil when a Get took it
	leasedAt int64

	extra *extra // what its put asked for; nil: nothing
	past  *past  // what happened to it; nil: nothing

	prev, next *task // in the list that is its state
}

// extra is what the put of a task asked for beyond the ordinary.
type extra struct {
	timeout    int64 // run time of an attempt; 0: the queue's
	attempts   int32 // 0: the queue's
	mode       reeve.UniqueMode
	asked      bool // for more than a timeout
	claimed    bool // it holds its unique key
	released   bool // it is one of those that its key lets run
	expireWall bool // expireAt is a time of the wall clock
	key        string
	unique     string
	labels     *labels         // nil: none
	backoff    *reeve.Backoff  // nil: the queue's
	line       *line           // of its key, where keys have limits; nil: none
	expireAt   int64           // 0: never
	expiry     timed[*task]    // in a heap of expiries, while the task waits
	keep       int64           // of the result, in nanoseconds; 0: the queue's; below: not at all
	blobs      []reeve.BlobRef // that the task names
}

// labels are what a worker must have to get a task.
type labels struct {
	names []string // sorted
	key   string   // the same for the same names
}

// extraOverhead is what a task that asked for something counts for besides.
// What happened to one counts only for its texts: a queue that is full would
// have no room for a failure.
const extraOverhead = 256

func (t *task) size() int64 {
	n := int64(t.length) + int64(len(t.kind.name)) + taskOverhead
	if x := t.extra; x != nil {
		if x.asked {
			n += extraOverhead
		}
		n += int64(len(x.key)+len(x.unique)) + sizeOfBlobs(x.blobs)
		if x.labels != nil {
			n += int64(len(x.labels.key))
		}
	}
	if t.past != nil {
		n += t.past.size()
	}
	return n
}

// away reports whether the payload is in the journal only.
func (t *task) away() bool { return t.payload == nil && t.length > 0 }

// sizeOf is what a put of t takes.
func sizeOf(t *reeve.Task) int64 {
	n := int64(len(t.Payload)+len(t.Type)) + taskOverhead
	if r := t.Rules; r != nil {
		n += extraOverhead + int64(len(r.Key)+len(r.Unique)) + sizeOfBlobs(r.Blobs)
		if r.Unique != "" && r.UniqueMode == reeve.UniqueForTime {
			n += uniqueCost(r.Unique) // stays when the task is gone
		}
		for _, l := range r.Labels {
			n += int64(len(l)) + 1
		}
	}
	return n
}

// timeout is the run time of an attempt at t; 0: none.
func (q *Queue) timeout(t *task) int64 {
	if t.extra != nil && t.extra.timeout != 0 {
		return t.extra.timeout
	}
	return int64(q.cfg.Timeout)
}

// attempts is how many failed attempts make t dead.
func (q *Queue) attempts(t *task) uint32 {
	if t.extra != nil && t.extra.attempts != 0 {
		return uint32(t.extra.attempts)
	}
	return uint32(q.cfg.Attempts)
}

// delivery is the task as its holder gets it.
func (q *Queue) delivery(t *task) reeve.Task {
	d := reeve.Task{
		Payload:  t.payload,
		Type:     t.kind.name,
		Priority: t.priority,
		Timeout:  time.Duration(q.timeout(t)),
		ID:       t.id,
		Attempt:  t.attempt,
		Source:   t.source,
		PutAt:    time.Unix(0, t.putAt),
	}
	if x := t.extra; x != nil && (x.key != "" || x.attempts != 0 || len(x.blobs) > 0) {
		d.Rules = &reeve.Rules{Key: x.key, Attempts: int(x.attempts), Blobs: x.blobs}
	}
	return d
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

// all are the tasks of the list, for who takes them out of it one by one.
func (l *taskList) all() []*task {
	ts := make([]*task, 0, l.n)
	for t := l.head; t != nil; t = t.next {
		ts = append(ts, t)
	}
	return ts
}

// pushFirst puts t before all others.
func (l *taskList) pushFirst(t *task) {
	t.prev, t.next = nil, l.head
	if l.head != nil {
		l.head.prev = t
	} else {
		l.tail = t
	}
	l.head = t
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
