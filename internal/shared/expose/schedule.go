package expose

import (
	"container/list"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// schedule decides when calls run: at most so many of one object, and of one
// client, at a time. Others wait in lanes, one for each object and client, which
// take turns: a client that calls much, and an object that is slow, hold up their
// own calls only.
type schedule struct {
	perClient int
	maxArgs   int64 // of one client, in bytes

	mu      sync.Mutex // guards the fields below, all gates and lanes, and where jobs are
	clients map[*shared.Client]*caller
	spare   *caller   // of a client that has no calls any more, for the next one
	ready   jobs      // that have gone through their gates and have no runner yet, in order
	waking  bool      // a runner is on its way to them; always, while there are some
	idle    []*runner // the last one is used first
	closed  bool
}

// gate is what calls go through: that of an object, or of a client.
type gate struct {
	max     int
	running int
	lanes   list.List // of *lane, that wait for this gate
}

func (g *gate) full() bool { return g.running >= g.max }

// objectGate is that of an object.
type objectGate struct {
	gate
	waiting map[*caller]*lane
	jobs    map[*job]struct{} // that run
	calls   int               // that wait
}

// caller is a client with calls.
type caller struct {
	gate
	client *shared.Client
	calls  int   // that run or wait
	args   int64 // bytes of theirs
}

// lane has the calls of one client that wait for one object, in order. It waits at
// one of the two gates: one that was full when it was looked at last.
type lane struct {
	object *object
	caller *caller
	jobs   list.List // of *job; never empty
	at     *gate
	place  *list.Element // in at.lanes
}

func (s *schedule) init(perClient int, maxArgs int64) {
	s.perClient, s.maxArgs = perClient, maxArgs
	s.clients = map[*shared.Client]*caller{}
}

// add has a job run, now or later. An error is a [*reeve.LimitError].
func (s *schedule) add(j *job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.state == over { // its caller was fast
		return nil
	}
	c := s.clients[j.call.Client]
	if c == nil {
		if c = s.spare; c == nil {
			c = &caller{gate: gate{max: s.perClient}}
		}
		c.client, s.spare = j.call.Client, nil
		s.clients[c.client] = c
	}
	if size := c.args + int64(len(j.args)); c.calls > 0 && size > s.maxArgs {
		return &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "bytes of arguments of one client's calls", Value: size, Max: s.maxArgs}
	}
	c.calls++
	c.args += int64(len(j.args))
	j.caller = c
	o := &j.object.gate
	switch l := o.waiting[c]; {
	case l != nil:
		j.waitLocked(l)
	case o.full() || c.full():
		l = &lane{object: j.object, caller: c}
		if o.waiting == nil {
			o.waiting = map[*caller]*lane{}
		}
		o.waiting[c] = l
		j.waitLocked(l)
		l.queueLocked()
	default:
		s.beginLocked(j)
		s.startLocked(j)
	}
	return nil
}

// waitLocked puts the job at the end of a lane.
func (j *job) waitLocked(l *lane) {
	j.state, j.lane = waiting, l
	j.element = l.jobs.PushBack(j)
	l.object.gate.calls++
}

// unwaitLocked takes the job out of its lane, which ends with its last one.
func (j *job) unwaitLocked() {
	l := j.lane
	l.jobs.Remove(j.element)
	l.object.gate.calls--
	if l.jobs.Len() == 0 {
		l.at.lanes.Remove(l.place)
		delete(l.object.gate.waiting, l.caller)
	}
	j.lane, j.element = nil, nil
}

// queueLocked has the lane wait at a gate that is full, as its last.
func (l *lane) queueLocked() {
	l.at = &l.object.gate.gate
	if !l.at.full() {
		l.at = &l.caller.gate
	}
	l.place = l.at.lanes.PushBack(l)
}

// beginLocked has the job go through both gates.
func (s *schedule) beginLocked(j *job) {
	o := &j.object.gate
	j.state = running
	o.running++
	j.caller.running++
	if o.jobs == nil {
		o.jobs = map[*job]struct{}{}
	}
	o.jobs[j] = struct{}{}
}

// leaveLocked takes the job, which is at no gate any more, from its client.
func (s *schedule) leaveLocked(j *job) {
	c := j.caller
	j.state, j.caller = over, nil
	c.args -= int64(len(j.args))
	if c.calls--; c.calls == 0 {
		delete(s.clients, c.client)
		c.client, s.spare = nil, c
	}
}

// done notes that a job has run, and returns the next one for its runner, which is
// idle without one: then it is kept or, like a nil one, not.
func (s *schedule) done(j *job, r *runner) (next *job, kept bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, c := &j.object.gate, j.caller
	o.running--
	c.running--
	delete(o.jobs, j)
	s.leaveLocked(j)
	for _, g := range []*gate{&o.gate, &c.gate} {
		for more := s.nextLocked(g); more != nil; more = s.nextLocked(g) {
			s.ready.push(more)
		}
	}
	if r == nil {
		s.wakeLocked()
		return nil, false
	}
	next = s.takeLocked()
	return next, next == nil && s.keepLocked(r)
}

// nextLocked begins the first job that waits for a gate and may go. Lanes that
// have to wait for their other gate go there, so that none is looked at twice for
// the same reason.
func (s *schedule) nextLocked(g *gate) *job {
	for !g.full() && g.lanes.Len() > 0 {
		l := g.lanes.Front().Value.(*lane)
		if l.object.gate.full() || l.caller.full() {
			g.lanes.Remove(l.place)
			l.queueLocked()
			continue
		}
		j := l.jobs.Front().Value.(*job)
		g.lanes.MoveToBack(l.place)
		j.unwaitLocked()
		s.beginLocked(j)
		return j
	}
	return nil
}

// remove takes out a job whose call is over, and reports whether it runs.
func (s *schedule) remove(j *job) (runs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch j.state {
	case running:
		return true
	case waiting:
		j.unwaitLocked()
		s.leaveLocked(j)
	default:
		j.state = over
	}
	return false
}

// clear takes out the jobs of an object that wait, and lists those that run.
func (s *schedule) clear(o *object) (waited, run []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range o.gate.waiting {
		for l.jobs.Len() > 0 {
			j := l.jobs.Front().Value.(*job)
			j.unwaitLocked()
			s.leaveLocked(j)
			waited = append(waited, j)
		}
	}
	for j := range o.gate.jobs {
		run = append(run, j)
	}
	return waited, run
}

// count is how many calls of an object run and wait.
func (s *schedule) count(o *object) (running, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return o.gate.running, o.gate.calls
}
