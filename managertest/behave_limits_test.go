package managertest_test

import (
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// limits is what the events say of the tasks of one queue beside each other.
type limits struct {
	cfg    *reeve.QueueConfig
	leased map[reeve.ID]bool
	types  map[string]int
	keys   map[string]*keyed
	starts []time.Time                  // of attempts
	unique map[string]map[reeve.ID]bool // who may have a unique key
}

// keyed are the tasks of one key.
type keyed struct {
	leased int
	line   []reeve.ID // in the order in which they are to run
	starts []time.Time
}

func (j *judge) limits(queue string) *limits {
	q := j.room[queue]
	if q == nil {
		q = &limits{cfg: &j.w.queue(queue).cfg, leased: map[reeve.ID]bool{}, types: map[string]int{}, keys: map[string]*keyed{}, unique: map[string]map[reeve.ID]bool{}}
		j.room[queue] = q
	}
	return q
}

func (q *limits) key(l *life) *keyed {
	if l.spec == nil || l.spec.rules.Key == "" {
		return nil
	}
	k := q.keys[l.spec.rules.Key]
	if k == nil {
		k = &keyed{}
		q.keys[l.spec.rules.Key] = k
	}
	return k
}

// besides holds what happened to l, which was before, against what the other
// tasks of its queue do.
func (j *judge) besides(before, l *life, ev *reeve.Event) {
	q := j.limits(ev.Queue)
	k := q.key(l)
	if was, is := before.state == reeve.StateLeased, l.state == reeve.StateLeased; was != is {
		n := 1
		if was {
			n = -1
			delete(q.leased, l.id)
		} else {
			q.leased[l.id] = true
		}
		q.types[ev.Type] += n
		if k != nil {
			k.leased += n
		}
	}
	if ev.Kind == reeve.EventStarted {
		j.startedBesides(q, k, before, l, ev)
	}
	if k != nil {
		k.move(before, l, ev)
	}
	j.uniqueBesides(q, l, ev)
}

func (j *judge) startedBesides(q *limits, k *keyed, before, l *life, ev *reeve.Event) {
	if n := q.cfg.Concurrency; n > 0 && len(q.leased) > n {
		j.fail(l, "%d tasks of %s are leased, want at most %d", len(q.leased), ev.Queue, n)
	}
	if n := q.cfg.TypeConcurrency[ev.Type]; n > 0 && q.types[ev.Type] > n {
		j.fail(l, "%d tasks of type %q in %s are leased, want at most %d", q.types[ev.Type], ev.Type, ev.Queue, n)
	}
	if k != nil && k.leased > q.cfg.KeyConcurrency {
		j.fail(l, "%d tasks of key %s in %s are leased, want at most %d", k.leased, l.spec.rules.Key, ev.Queue, q.cfg.KeyConcurrency)
	}
	if ev.Attempt == before.attempt {
		return // claimed, not handed over
	}
	if wall := ev.Time.UTC(); len(q.cfg.Windows) > 0 && !slices.ContainsFunc(q.cfg.Windows, func(w reeve.Window) bool { return w.Open(wall) }) {
		j.fail(l, "an attempt at %v began at %v, outside of the windows", l.id, wall)
	}
	q.starts = append(q.starts, ev.Time)
	if !withinRate(q.starts, q.cfg.Rate) {
		j.fail(l, "attempts in %s are faster than %v", ev.Queue, q.cfg.Rate)
	}
	if k == nil {
		return
	}
	if at := slices.Index(k.line, l.id); at < 0 || at >= q.cfg.KeyConcurrency {
		first := ""
		for _, id := range k.line[:min(len(k.line), q.cfg.KeyConcurrency)] {
			first += "\nbefore it:" + j.story(j.lives[id])
		}
		j.fail(l, "an attempt at %v of key %s began, but in the line of its key it is at %d of %v%s\nit:", l.id, l.spec.rules.Key, at, k.line, first)
	}
	k.starts = append(k.starts, ev.Time)
	if !withinRate(k.starts, q.cfg.KeyRate) {
		j.fail(l, "attempts of key %s in %s are faster than %v: the last at %v", l.spec.rules.Key, ev.Queue, q.cfg.KeyRate, k.starts[max(0, len(k.starts)-4):])
	}
}

// withinRate: no time that ends with the last of starts has more of them than
// its rate and the burst.
func withinRate(starts []time.Time, r reeve.Rate) bool {
	if r.IsZero() {
		return true
	}
	last := starts[len(starts)-1]
	for i := len(starts) - 1; i >= 0; i-- {
		span := last.Sub(starts[i])
		if n := len(starts) - i; float64(n) > float64(r.Burst)+float64(span)/r.Interval()+1e-6 {
			return false
		}
		if span > time.Minute {
			break
		}
	}
	return true
}

// move keeps the line of a key: tasks come into it when they are ready for the
// first time, and stay until their end, whatever becomes of their attempts.
func (k *keyed) move(before, l *life, ev *reeve.Event) {
	in := slices.Contains(k.line, l.id)
	leaves := l.state.Ended() || l.state == reeve.StateDead || ev.Kind == reeve.EventMoved
	if leaves && in {
		k.line = slices.DeleteFunc(k.line, func(id reeve.ID) bool { return id == l.id })
		in = false
	}
	comes := l.state == reeve.StateReady && (ev.Kind == reeve.EventPut || ev.Kind == reeve.EventReady || ev.Kind == reeve.EventRevived ||
		ev.Kind == reeve.EventMoved && !l.moving)
	if comes && !in {
		k.line = append(k.line, l.id)
	}
}

// uniqueBesides: while a task has a unique key no other is put with it. One
// that was moved or revived may have found its key taken.
func (j *judge) uniqueBesides(q *limits, l *life, ev *reeve.Event) {
	if l.spec == nil || l.spec.rules.Unique == "" {
		return
	}
	r := &l.spec.rules
	has := q.unique[r.Unique]
	if has == nil {
		has = map[reeve.ID]bool{}
		q.unique[r.Unique] = has
	}
	over := false
	switch r.UniqueMode {
	case reeve.UniqueUntilDone:
		over = l.state.Ended() || l.state == reeve.StateDead
	case reeve.UniqueUntilStart:
		over = l.state.Ended() || l.state == reeve.StateDead || ev.Kind == reeve.EventStarted
	}
	switch {
	case ev.Kind == reeve.EventPut:
		for id := range has {
			other := j.lives[id]
			if r.UniqueMode == reeve.UniqueForTime && !ev.Time.Before(other.put.Add(other.spec.rules.UniqueFor)) {
				delete(has, id)
				continue
			}
			j.fail(l, "%v was put with the unique key %q, which %v has", l.id, r.Unique, id)
		}
		has[l.id] = true
	case over, ev.Kind == reeve.EventMoved && r.UniqueMode != reeve.UniqueForTime:
		delete(has, l.id)
	}
}
