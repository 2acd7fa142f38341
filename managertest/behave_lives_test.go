package managertest_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// life is what the events say of one task.
type life struct {
	id     reeve.ID
	queue  string
	state  reeve.State // 0: it was not put yet
	events []reeve.Event
	spec   *spec // nil: a result
	put    time.Time

	attempt   uint32
	claimable bool // its holder was taken for lost and may come back
	fresh     bool // the last event was a failure, that may make it dead
	due       time.Time
	revived   bool
	moved     bool
	moving    bool // has left a queue and is about to come into another

	failed, lost, snoozed int // since it was revived
}

// judge replays the events of one task after the other's, and of all.
type judge struct {
	w     *world
	lives map[reeve.ID]*life
	order []*life
	kinds map[string]map[reeve.EventKind]uint64 // how many events of each kind, by queue
	room  map[string]*limits                    // by queue
	runs  map[reeve.ID][]*run
	bad   int
}

// fail reports what is wrong with a task, and all that is known of it.
func (j *judge) fail(l *life, format string, args ...any) {
	j.w.t.Helper()
	if j.bad++; j.bad > 20 {
		if j.bad == 21 {
			j.w.t.Error("and so on")
		}
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-behave.seed=%d: ", j.w.seed)
	fmt.Fprintf(&b, format, args...)
	if l != nil {
		b.WriteString(j.story(l))
	}
	j.w.t.Error(b.String())
}

// story is all that is known of a task.
func (j *judge) story(l *life) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  %v", l.spec)
	for _, ev := range l.events {
		fmt.Fprintf(&b, "\n  %12s %s %s %v/%d %s %s", j.w.at(ev.Time), ev.Queue, ev.Kind, ev.ID, ev.Attempt, ev.Worker, ev.Text)
	}
	for _, r := range j.runs[l.id] {
		fmt.Fprintf(&b, "\n  %12s %s %v", j.w.at(r.begin), j.w.at(r.end), r)
	}
	return b.String()
}

// legal[kind]: in which states a task may be to which that happens.
var legal = map[reeve.EventKind][]reeve.State{
	reeve.EventPut:       {0},
	reeve.EventReady:     {reeve.StateDelayed},
	reeve.EventStarted:   {reeve.StateReady, reeve.StateLeased},
	reeve.EventDone:      {reeve.StateLeased, reeve.StateReady},
	reeve.EventDiscarded: {reeve.StateLeased, reeve.StateReady},
	reeve.EventFailed:    {reeve.StateLeased, reeve.StateReady},
	reeve.EventTimedOut:  {reeve.StateLeased, reeve.StateReady},
	reeve.EventSnoozed:   {reeve.StateLeased, reeve.StateReady},
	reeve.EventReturned:  {reeve.StateLeased, reeve.StateReady},
	reeve.EventLost:      {reeve.StateLeased},
	reeve.EventDead:      {reeve.StateLeased, reeve.StateReady, reeve.StateDelayed},
	reeve.EventRevived:   {reeve.StateDead},
	reeve.EventCancelled: {reeve.StateReady, reeve.StateDelayed, reeve.StateLeased, reeve.StateDead},
	reeve.EventExpired:   {reeve.StateReady, reeve.StateDelayed},
	reeve.EventPurged:    {reeve.StateReady, reeve.StateDelayed, reeve.StateDead},
	reeve.EventMoved:     {reeve.StateReady, reeve.StateDelayed, reeve.StateDead},
}

// step holds one event against the state of its task.
func (j *judge) step(l *life, ev *reeve.Event) {
	legalHere := false
	for _, s := range legal[ev.Kind] {
		legalHere = legalHere || s == l.state
	}
	switch byHolder := ev.Worker != ""; {
	case !legalHere:
		j.fail(l, "%v happened to %v, which was %v", ev.Kind, l.id, l.state)
	case l.queue != ev.Queue && !l.moving && ev.Kind != reeve.EventPut:
		j.fail(l, "%v happened to %v in %s, but it is in %s", ev.Kind, l.id, ev.Queue, l.queue)
	case ev.Kind == reeve.EventStarted || ev.Kind == reeve.EventCancelled || ev.Kind == reeve.EventDead:
	case byHolder && l.state == reeve.StateReady && !l.claimable:
		j.fail(l, "%v happened to %v, which nobody had", ev.Kind, l.id)
	case byHolder && ev.Attempt != l.attempt:
		j.fail(l, "%v of attempt %d happened to %v, which is at attempt %d", ev.Kind, ev.Attempt, l.id, l.attempt)
	}
	fresh := l.fresh
	l.fresh = false
	switch ev.Kind {
	case reeve.EventPut:
		l.queue, l.put, l.state = ev.Queue, ev.Time, reeve.StateReady
		if l.spec != nil && l.spec.delayed(ev.Time) {
			l.state = reeve.StateDelayed
		}
	case reeve.EventReady:
		l.state = reeve.StateReady
		if ev.Time.Before(l.due) {
			j.fail(l, "%v is ready at %s, before its time %s", l.id, j.w.at(ev.Time), j.w.at(l.due))
		}
	case reeve.EventStarted:
		j.started(l, ev)
	case reeve.EventFailed, reeve.EventTimedOut, reeve.EventSnoozed:
		j.gaveBack(l, ev)
	case reeve.EventReturned:
		l.state, l.claimable = reeve.StateReady, false
	case reeve.EventLost:
		l.state, l.claimable, l.fresh = reeve.StateReady, true, true
		l.lost++
	case reeve.EventDead:
		j.died(l, ev, fresh)
	case reeve.EventRevived:
		l.state, l.revived = reeve.StateReady, true
		l.failed, l.lost, l.snoozed, l.due = 0, 0, 0, time.Time{}
	case reeve.EventMoved:
		if l.moving = !l.moving; !l.moving {
			l.queue, l.moved, l.claimable = ev.Queue, true, false
		}
	default:
		l.state = map[reeve.EventKind]reeve.State{
			reeve.EventDone: reeve.StateDone, reeve.EventDiscarded: reeve.StateDiscarded, reeve.EventCancelled: reeve.StateCancelled,
			reeve.EventExpired: reeve.StateExpired, reeve.EventPurged: reeve.StatePurged,
		}[ev.Kind]
		l.claimable = false
	}
}

func (j *judge) started(l *life, ev *reeve.Event) {
	again := ev.Attempt == l.attempt && (l.state == reeve.StateLeased || l.claimable)
	switch {
	case again: // by the next session of its holder
		if l.lost > 0 && l.claimable {
			l.lost-- // it was not
		}
	case l.state == reeve.StateLeased:
		j.fail(l, "attempt %d at %v began while attempt %d had it", ev.Attempt, l.id, l.attempt)
	case ev.Attempt != l.attempt+1:
		j.fail(l, "attempt %d at %v follows attempt %d", ev.Attempt, l.id, l.attempt)
	case l.spec == nil:
	default:
		s, r := l.spec, &l.spec.rules
		if first := l.put.Add(s.task.Delay); ev.Time.Before(first) || ev.Time.Before(r.At) {
			j.fail(l, "an attempt at %v began at %s, before its time", l.id, j.w.at(ev.Time))
		}
		if ev.Time.Before(l.due) {
			j.fail(l, "an attempt at %v began at %s, in its wait until %s", l.id, j.w.at(ev.Time), j.w.at(l.due))
		}
		over := !r.ExpireAt.IsZero() && !ev.Time.Before(r.ExpireAt) || r.Expiry > 0 && !ev.Time.Before(l.put.Add(r.Expiry))
		if over && !l.revived {
			j.fail(l, "an attempt at %v began at %s, when it had expired", l.id, j.w.at(ev.Time))
		}
	}
	l.state, l.attempt, l.claimable = reeve.StateLeased, ev.Attempt, false
}

// attempts is how many failures a task has in its queue.
func (j *judge) attempts(l *life) int {
	if l.spec != nil && l.spec.rules.Attempts > 0 {
		return l.spec.rules.Attempts
	}
	return j.w.queue(l.queue).cfg.Attempts
}

// gaveBack: an attempt has ended, and the next has to wait.
func (j *judge) gaveBack(l *life, ev *reeve.Event) {
	cfg := &j.w.queue(l.queue).cfg
	if l.claimable {
		l.lost-- // its holder was there
	}
	l.state, l.claimable, l.fresh = reeve.StateDelayed, false, true
	if ev.Kind == reeve.EventSnoozed {
		l.snoozed++
	} else {
		l.failed++
	}
	backoff := cfg.Backoff
	if l.spec != nil && l.spec.rules.Backoff != (reeve.Backoff{}) {
		backoff = l.spec.rules.Backoff
	}
	wait := backoff.Wait(j.spent(l), 0)
	for _, r := range j.runs[l.id] {
		if r.attempt != l.attempt || r.said != "retry" && r.said != "snooze" {
			continue
		}
		if wait = r.after; ev.Kind == reeve.EventTimedOut {
			wait = min(wait, backoff.Wait(j.spent(l), 0)) // whether it was heard is not told
		}
	}
	l.due = ev.Time.Add(wait)
}

// spent is how many attempts count.
func (j *judge) spent(l *life) int {
	if j.w.queue(l.queue).cfg.CountSnoozed {
		return l.failed + l.snoozed
	}
	return l.failed
}

// died: for one of the reasons for which tasks die, and no earlier.
func (j *judge) died(l *life, ev *reeve.Event, fresh bool) {
	enough := fresh && (j.spent(l) >= j.attempts(l) || l.lost >= j.attempts(l))
	buried := false
	for _, r := range j.runs[l.id] {
		buried = buried || r.attempt == l.attempt && r.said == "permanent"
	}
	if !enough && !buried {
		j.fail(l, "%v is dead (%s) after %d failed, %d snoozed and %d lost attempts of %d", l.id, ev.Text, l.failed, l.snoozed, l.lost, j.attempts(l))
	}
	l.state, l.claimable = reeve.StateDead, false
}

// replay goes through all events in their order.
func (j *judge) replay() {
	for i := range j.w.events {
		ev := &j.w.events[i]
		if j.kinds[ev.Queue] == nil {
			j.kinds[ev.Queue] = map[reeve.EventKind]uint64{}
		}
		j.kinds[ev.Queue][ev.Kind]++
		if ev.ID == 0 {
			continue // of the queue itself
		}
		l := j.lives[ev.ID]
		if l == nil {
			l = &life{id: ev.ID, spec: j.w.byID[ev.ID]}
			j.lives[ev.ID] = l
			j.order = append(j.order, l)
		}
		l.events = append(l.events, *ev)
		before := *l
		j.step(l, ev)
		j.besides(&before, l, ev)
	}
}
