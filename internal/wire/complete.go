package wire

import "github.com/reeveq/reeve"

// CompleteEntry ends one lease and carries the task that is put in the same
// step.
type CompleteEntry struct {
	ID      reeve.ID
	Attempt uint32
	Result  reeve.Task
}

// CompleteFrame is a Complete: entry i belongs to request Req+i.
//
// Decode reuses Entries. Payloads alias the body.
type CompleteFrame struct {
	Req, Low  uint64
	Queue, To string
	Entries   []CompleteEntry

	names names
}

// Decode reads the body of a message of type [TypeComplete]. An error matches
// [reeve.ErrProtocol] and leaves f without a meaning.
func (f *CompleteFrame) Decode(body []byte) error {
	f.Req, f.Low, f.Queue, f.To = 0, 0, "", ""
	had := f.Entries
	f.Entries = f.Entries[:0]
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
			f.To = c.name(&f.names)
		case 5:
			f.Entries = grow(f.Entries, c.entries(1, 4))
			for i := range f.Entries {
				c.completeEntry(&f.Entries[i], &f.names)
				if c.bad() {
					break
				}
			}
		default:
			c.skip(1)
		}
	}
	dropTail(had, len(f.Entries))
	c.checkRequests(f.Req, f.Low, len(f.Entries))
	return c.end("Complete")
}

// Clear drops the references to payloads and texts that f keeps for reuse, and
// its memory if it grew large. Call it before f rests.
func (f *CompleteFrame) Clear() { f.Entries, f.names = rest(f.Entries), names{} }

// completeEntry reads [id, attempt, payload, extras?], extras as those of a Put.
func (c *cursor) completeEntry(e *CompleteEntry, in *names) {
	n := c.array(3)
	e.ID = reeve.ID(c.uint())
	e.Attempt = c.uint32()
	e.Result = reeve.Task{Payload: c.bytes()}
	if n == 3 {
		return
	}
	if n < 3 {
		c.fail(wrongElements)
		return
	}
	c.taskExtras(&e.Result, in, nil)
	for ; n > 4 && !c.bad(); n-- {
		c.skip(3)
	}
}
