package queue

import "fmt"

// state says where a task is. Delayed tasks stand in the queue's heap, ready
// ones in its ready or suspect list, leased ones in their hold's list, dead
// ones in the dead list.
type state uint8

const (
	absent  state = iota // not in the queue: not yet put, or settled
	ready                // may be handed over
	delayed              // waits for its time
	leased               // is with a holder
	dead                 // will not be handed over again
)

var stateNames = [...]string{"absent", "ready", "delayed", "leased", "dead"}

func (s state) String() string { return stateNames[s] }

// legal[from][to]: every transition there is.
var legal = [5][5]bool{
	absent:  {ready: true, delayed: true},                                         // put, put with delay
	ready:   {leased: true, absent: true, dead: true, ready: true, delayed: true}, // hand-over or claim; dropped by a shutdown; as from leased, by a holder that was taken for lost
	delayed: {ready: true, absent: true},                                          // due; dropped by a shutdown
	leased:  {absent: true, ready: true, delayed: true, dead: true, leased: true}, // ack, complete; nack, return, lost; nack with delay; bury, attempts used up; claimed by the next session of its client
	dead:    {},
}

// verify makes broken invariants panic. Tests switch it on; see check.go.
var verify = false

// move changes t's state. The caller moves the record between the lists.
func (t *task) move(to state) {
	if verify && !legal[t.state][to] {
		panic(fmt.Sprintf("queue: task %v may not go from %v to %v", t.id, t.state, to))
	}
	t.state = to
}
