package wire

import (
	"time"

	"github.com/reeveq/reeve"
)

// DeliverFrame is a Deliver: leases for a consumer (Consumer is not zero), or
// the whole answer to the Get with the request id Req. One of the two is zero.
//
// Decode reuses Tasks. Payloads alias the body.
type DeliverFrame struct {
	Consumer, Req uint64
	Queue         string
	Tasks         []reeve.Task

	names names
}

// Decode reads the body of a message of type [TypeDeliver]. An error matches
// [reeve.ErrProtocol] and leaves f without a meaning.
func (f *DeliverFrame) Decode(body []byte) error {
	f.Consumer, f.Req, f.Queue = 0, 0, ""
	had := f.Tasks
	f.Tasks = f.Tasks[:0]
	c := cursor{b: body}
	var seen keys
	for n := c.mapHead(1); n > 0 && !c.bad(); n-- {
		switch c.key(&seen) {
		case 1:
			f.Consumer = c.uint()
		case 2:
			f.Queue = c.name(&f.names)
		case 3:
			f.Tasks = grow(f.Tasks, c.entries(1, 4))
			for i := range f.Tasks {
				c.deliverTask(&f.Tasks[i], &f.names)
				if c.bad() {
					break
				}
			}
		case 4:
			f.Req = c.uint()
		default:
			c.skip(1)
		}
	}
	dropTail(had, len(f.Tasks))
	if len(f.Tasks) == 0 {
		c.fail(wrongNoEntries)
	}
	if (f.Consumer == 0) == (f.Req == 0) {
		c.fail(wrongNoReceiver)
	}
	return c.end("Deliver")
}

// Clear drops the references to payloads and texts that f keeps for reuse, and
// its memory if it grew large. Call it before f rests.
func (f *DeliverFrame) Clear() { f.Tasks, f.names = rest(f.Tasks), names{} }

// deliverTask reads
// [id, attempt, payload, {1: type, 2: put_at, 3: timeout, 4: source,
// 5: priority, 6: rules}?].
func (c *cursor) deliverTask(t *reeve.Task, in *names) {
	n := c.array(3)
	id, attempt := c.uint(), c.uint32()
	*t = reeve.Task{ID: reeve.ID(id), Attempt: attempt, Payload: c.bytes()}
	if n == 3 {
		return
	}
	if n < 3 {
		c.fail(wrongElements)
		return
	}
	var seen keys
	for pairs := c.mapHead(4); pairs > 0 && !c.bad(); pairs-- {
		switch c.key(&seen) {
		case 1:
			t.Type = c.name(in)
		case 2:
			t.PutAt = timeOf(c.int64())
		case 3:
			t.Timeout = duration(c.int64())
		case 4:
			t.Source = reeve.ID(c.uint())
		case 5:
			t.Priority = c.int32()
		case 6:
			t.Rules = c.newRules(in)
		default:
			c.skip(4)
		}
	}
	for ; n > 4 && !c.bad(); n-- {
		c.skip(3)
	}
}

func duration(ns int64) time.Duration { return time.Duration(ns) }
