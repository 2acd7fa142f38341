package expose

// runner is a goroutine that runs jobs. One that has none is kept for a while: its
// stack has grown already to what methods need, which is half of a short call.
type runner struct {
	wake chan struct{} // cap 1: whoever takes the runner out of idle sends once, or closes it
}

// maxIdle is how many runners are kept.
const maxIdle = 64

// startLocked has a runner run a job that has gone through its gates. Runners are
// woken one by one, each by the one before when it has taken a job: so many methods
// that return at once are run by few, and each that does not has one of its own.
func (s *schedule) startLocked(j *job) {
	s.ready.push(j)
	s.wakeLocked()
}

// wakeLocked sends a runner to the jobs that are ready, unless there are none or one
// is on its way.
func (s *schedule) wakeLocked() {
	if s.ready.first == nil || s.waking {
		return
	}
	s.waking = true
	if last := len(s.idle) - 1; last >= 0 {
		s.idle[last].wake <- struct{}{}
		s.idle[last] = nil
		s.idle = s.idle[:last]
		return
	}
	go s.work(&runner{wake: make(chan struct{}, 1)}) // ends when close is called, and what it runs has ended
}

// jobs are a line of jobs.
type jobs struct{ first, last *job }

func (l *jobs) push(j *job) {
	if l.last == nil {
		l.first = j
	} else {
		l.last.behind = j
	}
	l.last = j
}

// pop takes out the first one; nil: there is none.
func (l *jobs) pop() *job {
	j := l.first
	if j == nil {
		return nil
	}
	if l.first, j.behind = j.behind, nil; l.first == nil {
		l.last = nil
	}
	return j
}

// takeLocked returns the first job that is ready, or nil.
func (s *schedule) takeLocked() *job {
	j := s.ready.pop()
	s.wakeLocked()
	return j
}

// keepLocked has a runner wait for more, or tells it to end.
func (s *schedule) keepLocked(r *runner) bool {
	keep := !s.closed && len(s.idle) < maxIdle
	if keep {
		s.idle = append(s.idle, r)
	}
	return keep
}

// arrive gives a runner that was woken its job, if the others have left one.
func (s *schedule) arrive(r *runner) (j *job, kept bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waking = false
	j = s.takeLocked()
	return j, j == nil && s.keepLocked(r)
}

// close ends the runners that are idle, and has the others end with what they run.
func (s *schedule) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, r := range s.idle {
		close(r.wake)
	}
	s.idle = nil
}

// work runs jobs. The runner was woken.
func (s *schedule) work(r *runner) {
	var j *job
	defer func() {
		if j != nil { // the method has ended the goroutine
			s.done(j, nil)
			j.answer(j.panicked(exited))
		}
	}()
	for woken := true; woken; {
		var kept bool
		for j, kept = s.arrive(r); j != nil; {
			a := j.run()
			next, keep := s.done(j, r)
			j.answer(a) // its caller finds the place free
			j, kept = next, keep
		}
		woken = false
		if kept {
			_, woken = <-r.wake // false: closed
		}
	}
}
