package wire

import (
	"math"

	"github.com/reeveq/reeve"
)

// Flags of a [PutFrame].
const (
	FlagNoWait uint64 = 1 // a full queue is an error instead of a wait
	FlagEach   uint64 = 2 // every task is a request of its own
)

// PutFrame is a Put: one request that puts all Tasks or none, or, with
// [FlagEach], one request for each: task i belongs to request Req+i.
//
// Decode reuses Tasks and their Rules. Payloads alias the body.
type PutFrame struct {
	Req, Low uint64
	Queue    string
	Flags    uint64
	Tasks    []reeve.Task

	names names
	rules slab // of Tasks
}

// Decode reads the body of a message of type [TypePut]. An error matches
// [reeve.ErrProtocol] and leaves f without a meaning.
func (f *PutFrame) Decode(body []byte) error {
	f.Req, f.Low, f.Queue, f.Flags = 0, 0, "", 0
	had := f.Tasks
	f.Tasks = f.Tasks[:0]
	f.rules.begin()
	c := cursor{b: body}
	var seen keys
	for n := c.mapHead(1); n > 0 && !c.bad(); n-- {
		switch c.key(&seen) {
		case 1:
			f.Req = c.uint()
		case 2:
			f.Low = c.uint()
		case 3:
			f.Queue = c.name(&f.names)
		case 4:
			f.Flags = c.uint()
		case 5:
			f.Tasks = grow(f.Tasks, c.entries(1, 2))
			for i := range f.Tasks {
				c.putTask(&f.Tasks[i], &f.names, &f.rules)
				if c.bad() {
					break
				}
			}
		default:
			c.skip(1)
		}
	}
	dropTail(had, len(f.Tasks))
	f.rules.end()
	each := len(f.Tasks)
	if f.Flags&FlagEach == 0 {
		each = min(each, 1)
	}
	c.checkRequests(f.Req, f.Low, each)
	return c.end("Put")
}

// Clear drops the references to payloads and texts that f keeps for reuse, and
// its memory if it grew large. Call it before f rests.
func (f *PutFrame) Clear() {
	f.Tasks, f.names = rest(f.Tasks), names{}
	f.rules.rest()
}

// putTask reads [payload, {1: type, 2: delay, 3: timeout, 4: priority,
// 5: rules}?].
func (c *cursor) putTask(t *reeve.Task, in *names, rules *slab) {
	n := c.array(3)
	if n < 1 {
		c.fail(wrongElements)
	}
	*t = reeve.Task{Payload: c.bytes()}
	if n < 2 {
		return
	}
	c.taskExtras(t, in, rules)
	for ; n > 2 && !c.bad(); n-- {
		c.skip(3)
	}
}

// taskExtras reads the map of what a task that is put may have besides its
// payload. The memory for its rules is from rules; nil: its own.
func (c *cursor) taskExtras(t *reeve.Task, in *names, rules *slab) {
	var seen keys
	for n := c.mapHead(4); n > 0 && !c.bad(); n-- {
		switch c.key(&seen) {
		case 1:
			t.Type = c.name(in)
		case 2:
			t.Delay = duration(c.int64())
		case 3:
			t.Timeout = duration(c.int64())
		case 4:
			t.Priority = c.int32()
		case 5:
			t.Rules = rules.next()
			c.rules(t.Rules, in)
		default:
			c.skip(4)
		}
	}
}

// entries reads the head of an array that holds entries of group elements, and
// returns how many entries there are: at least one, at most [MaxEntries], and
// no more than the rest of the input can hold at min bytes each.
func (c *cursor) entries(group, min int) int {
	n := c.array(2)
	switch {
	case c.bad():
		return 0
	case n == 0:
		c.fail(wrongNoEntries)
		return 0
	case n%group != 0:
		c.fail(wrongElements)
		return 0
	case n/group > MaxEntries:
		c.over("entries", uint64(n/group), MaxEntries)
		return 0
	case n/group*min > len(c.b)-c.i:
		c.fail(wrongCut)
		return 0
	}
	return n / group
}

// checkRequests checks the request ids of a frame with n requests.
func (c *cursor) checkRequests(req, low uint64, n int) {
	switch {
	case n == 0:
		c.fail(wrongNoEntries)
	case req == 0:
		c.fail(wrongNoRequest)
	case low > req:
		c.fail(wrongLow)
	case req > math.MaxUint64-uint64(n):
		c.fail(wrongRange)
	}
}
