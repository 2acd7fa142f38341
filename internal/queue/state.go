package queue

import (
	"fmt"

	"github.com/reeveq/reeve"
)

// state says where a task is. Delayed tasks stand in one of the queue's heaps,
// ready ones in a lane or in the line of their key, leased ones in their hold's
// list, dead ones in the dead list.
type state uint8

const (
	absent  state = iota // not in the queue: not yet put, or settled
	ready                // may be handed over
	delayed              // waits for its time
	leased               // is with a holder
	dead                 // will not be handed over again
	states
)

var stateNames = [...]string{"absent", "ready", "delayed", "leased", "dead"}

func (s state) String() string { return stateNames[s] }

// legal[from][to]: every transition there is.
var legal = [states][states]bool{
	absent:  {ready: true, delayed: true, dead: true, leased: true},               // put, put with delay; moved from another queue; found in a journal
	ready:   {leased: true, absent: true, dead: true, ready: true, delayed: true}, // hand-over or claim; cancelled, expired, purged, moved; as from leased, by a holder that was taken for lost
	delayed: {ready: true, absent: true},                                          // due; cancelled, expired, purged, moved
	leased:  {absent: true, ready: true, delayed: true, dead: true, leased: true}, // ack, complete, skip, discard, cancel; nack, return, lost; nack with delay, snooze; bury, attempts used up; claimed by the next session of its client
	dead:    {ready: true, absent: true},                                          // revived; cancelled, purged, moved
}

// verify makes broken invariants panic. Tests switch it on; see check.go.
var verify = false

// move changes t's state and the counts. The caller moves the record between
// the lists.
func (q *Queue) move(t *task, to state) {
	if verify && !legal[t.state][to] {
		panic(fmt.Sprintf("queue: task %v may not go from %v to %v", t.id, t.state, to))
	}
	if t.state != absent {
		q.n[t.state]--
		t.kind.n[t.state]--
	}
	t.state = to
	if to != absent {
		q.n[to]++
		t.kind.n[to]++
	}
	q.limitKind(t.kind)
}

// public is the state in the words of the vocabulary.
func (s state) public() reeve.State {
	return [states]reeve.State{ready: reeve.StateReady, delayed: reeve.StateDelayed, leased: reeve.StateLeased, dead: reeve.StateDead}[s]
}
