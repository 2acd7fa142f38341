package queue

import "github.com/reeveq/reeve"

// kind is a task type of one queue: its tasks by state, its limit, and the
// lanes in which its ready tasks stand. A queue keeps the kinds that have
// tasks, and a few that had some.
type kind struct {
	name  string
	n     [states]int // tasks by state
	limit int         // how many may be leased; 0: any number

	blocked bool // limit is reached: its lanes stand in no profile
	// plain has the lanes of tasks without labels, by class; labelled the
	// others, of which few are kept without tasks.
	plain    [classes]*lane
	labelled map[laneKey]*lane
	peak     int // the most there were in that map
}

// idleKinds is how many kinds without tasks a queue keeps.
const idleKinds = 256

// kindOf returns the kind of a type, made if need be.
func (q *Queue) kindOf(name string) *kind {
	if k := q.lastKind; k != nil && k.name == name {
		return k
	}
	k := q.kinds[name]
	if k == nil {
		k = &kind{name: name, limit: q.cfg.TypeConcurrency[name]}
		q.kinds[name] = k
	}
	q.lastKind = k
	return k
}

// dropKind forgets k if it has no tasks and there are many.
func (q *Queue) dropKind(k *kind) {
	if len(q.kinds) <= idleKinds || k.n != ([states]int{}) {
		return
	}
	for _, l := range k.plain {
		if l != nil {
			q.dropLane(l)
		}
	}
	for _, l := range k.labelled {
		q.dropLane(l)
	}
	q.peakKinds = max(q.peakKinds, len(q.kinds))
	delete(q.kinds, k.name)
	q.kinds = shrunk(q.kinds, &q.peakKinds)
	if q.lastKind == k {
		q.lastKind = nil
	}
}

// full reports whether no further task of the kind may be leased.
func (k *kind) full() bool { return k.limit > 0 && k.n[leased] >= k.limit }

// limitKind takes the kind's lanes out of the profiles when its limit is
// reached, and puts them back when it is not any more.
func (q *Queue) limitKind(k *kind) {
	if k.limit == 0 || k.blocked == k.full() {
		return
	}
	k.blocked = !k.blocked
	for _, l := range k.plain {
		if l != nil {
			q.seatLane(l)
		}
	}
	for _, l := range k.labelled {
		q.seatLane(l)
	}
}

// typeStats are the kind's numbers.
func (k *kind) typeStats() reeve.TypeStats {
	return reeve.TypeStats{Type: k.name, Ready: k.n[ready], Delayed: k.n[delayed], Leased: k.n[leased], Dead: k.n[dead]}
}
