package managertest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

// judge is the end of the round: everything has ended.
func (w *world) judge(sum tally) {
	j := &judge{w: w, lives: map[reeve.ID]*life{}, kinds: map[string]map[reeve.EventKind]uint64{}, room: map[string]*limits{}, runs: map[reeve.ID][]*run{}}
	for _, r := range w.runs {
		j.runs[r.id] = append(j.runs[r.id], r)
	}
	j.replay()
	j.nothingLost()
	j.handlersAndEventsAgree()
	j.cancelledHandlersWereTold()
	j.resultsOnce()
	j.duplicatesFound()
	j.outcomesTold()
	j.numbersAndEventsAgree()
	j.followersSawWhatWas()
	j.count(sum)
}

// nothingLost: every task that was put has ended in one way, or is dead, and
// was put once.
func (j *judge) nothingLost() {
	ids := map[int]reeve.ID{}
	for _, s := range j.w.specs {
		if s.id == 0 {
			continue
		}
		ids[s.n] = s.id
		l := j.lives[s.id]
		switch {
		case l == nil:
			j.fail(nil, "nothing ever happened to %v", s)
		case !l.state.Ended() && l.state != reeve.StateDead:
			j.fail(l, "%v is %v in the end", l.id, l.state)
		}
	}
	for _, l := range j.order {
		if l.spec == nil && l.queue != "results" {
			j.fail(l, "%v was put into %s, and nobody knows of it", l.id, l.queue)
		}
	}
	for _, r := range j.w.runs {
		if r.n >= len(j.w.specs) || ids[r.n] != r.id {
			j.fail(j.lives[r.id], "task number %d ran as %v, and was put as %v", r.n, r.id, ids[r.n])
		}
	}
}

// handlersAndEventsAgree: whatever ended an attempt was said by its handler,
// which had been told to begin, ran with the right worker, and ran once.
func (j *judge) handlersAndEventsAgree() {
	said := map[reeve.EventKind][]string{
		reeve.EventDone: {"done", "skip"}, reeve.EventDiscarded: {"discard"},
		reeve.EventSnoozed: {"snooze"}, reeve.EventFailed: {"fail", "panic", "retry"},
	}
	for _, l := range j.order {
		if l.spec == nil {
			continue
		}
		started := map[uint32]time.Time{}
		for _, ev := range l.events {
			if _, ok := started[ev.Attempt]; ev.Kind == reeve.EventStarted && !ok {
				started[ev.Attempt] = ev.Time
			}
			want, ok := said[ev.Kind]
			if ok && !slices.ContainsFunc(j.runs[l.id], func(r *run) bool { return r.attempt == ev.Attempt && slices.Contains(want, r.said) }) {
				j.fail(l, "%v of %v/%d, but no handler said so", ev.Kind, l.id, ev.Attempt)
			}
		}
		ran := map[uint32]bool{}
		for _, r := range j.runs[l.id] {
			begin, ok := started[r.attempt]
			switch {
			case !ok || r.begin.Before(begin):
				j.fail(l, "a handler began with %v/%d, which was not handed over", l.id, r.attempt)
			case ran[r.attempt]:
				j.fail(l, "%v/%d had two handlers", l.id, r.attempt)
			case r.h.types != nil && !slices.Contains(r.h.types, l.spec.task.Type):
				j.fail(l, "%s got a task of type %q", r.h.name, l.spec.task.Type)
			case slices.ContainsFunc(l.spec.rules.Labels, func(s string) bool { return !slices.Contains(r.h.labels, s) }):
				j.fail(l, "%s got a task that asks for %v", r.h.name, l.spec.rules.Labels)
			}
			ran[r.attempt] = true
		}
		j.lateRuns(l)
	}
}

// lateRuns: no handler begins with what has ended, where no connection broke.
func (j *judge) lateRuns(l *life) {
	end := l.events[len(l.events)-1]
	if !l.state.Ended() {
		return
	}
	for _, r := range j.runs[l.id] {
		if r.h.spared && r.begin.After(end.Time) {
			j.fail(l, "%s began with %v/%d at %s, which had ended", r.h.name, l.id, r.attempt, j.w.at(r.begin))
		}
	}
}

// cancelledHandlersWereTold: where the connection was whole, within 100 ms and
// with the cause; elsewhere, if at all, that the lease is lost.
func (j *judge) cancelledHandlersWereTold() {
	for _, l := range j.order {
		for _, ev := range l.events {
			if ev.Kind != reeve.EventCancelled || ev.Worker == "" {
				continue
			}
			for _, r := range j.runs[l.id] {
				if r.attempt != ev.Attempt || r.end.Before(ev.Time.Add(100*time.Millisecond)) || r.begin.After(ev.Time) || !r.over.IsZero() && r.over.Before(ev.Time) {
					continue // it had ended, or its context had, before it could be told
				}
				told := errors.Is(r.cause, reeve.ErrCancelled) && errors.Is(r.cause, reeve.ErrLeaseLost)
				if r.h.spared && (!told || r.over.Sub(ev.Time) > 100*time.Millisecond) {
					j.fail(l, "%v was cancelled at %s, and its handler told %v at %s", l.id, j.w.at(ev.Time), r.cause, j.w.at(r.over))
				}
			}
		}
	}
}

// resultsOnce: each task that is done has at most one result in the queue, and
// that is of the attempt that made it done.
func (j *judge) resultsOnce() {
	for _, l := range j.order {
		if l.spec == nil {
			continue
		}
		var want []string
		var maybe bool // the handler may have been one without a queue
		for _, ev := range l.events {
			if ev.Kind != reeve.EventDone {
				continue
			}
			for _, r := range j.runs[l.id] {
				if r.attempt == ev.Attempt && r.said == "done" && r.typ != "c" {
					want = append(want, r.result)
				}
				maybe = maybe || r.attempt == ev.Attempt && r.typ == "c" && r.h.types != nil
			}
		}
		if got := j.w.got[l.id]; !slices.Equal(got, want) && !maybe {
			j.fail(l, "%v has the results %q, want %q", l.id, got, want)
		}
	}
	for id := range j.w.got {
		if l := j.lives[id]; l == nil || l.spec == nil {
			j.fail(l, "a result of %v, which nobody put", id)
		}
	}
}

// duplicatesFound: what a Put found instead had that key, and was there.
func (j *judge) duplicatesFound() {
	for _, s := range j.w.specs {
		if s.other == 0 {
			continue
		}
		l := j.lives[s.other]
		switch {
		case l == nil || l.spec == nil:
			j.fail(nil, "%v is a duplicate of %v, which nobody put", s, s.other)
		case l.spec.rules.Unique != s.rules.Unique:
			j.fail(l, "%v is a duplicate of %v, which has another key", s, s.other)
		case l.put.After(s.told):
			j.fail(l, "%v is a duplicate of %v, which was put later", s, s.other)
		}
	}
}

// outcomesTold: who asked was told what has happened, and who asks now is, too.
func (j *judge) outcomesTold() {
	kinds := map[reeve.State]reeve.EventKind{
		reeve.StateDone: reeve.EventDone, reeve.StateDead: reeve.EventDead, reeve.StateCancelled: reeve.EventCancelled,
		reeve.StateExpired: reeve.EventExpired, reeve.StateDiscarded: reeve.EventDiscarded, reeve.StatePurged: reeve.EventPurged,
	}
	for _, l := range j.order {
		if l.spec == nil {
			continue
		}
		told := j.w.waited[l.id]
		r, err := j.w.m.Manager().Result(context.Background(), l.id)
		keep := l.spec.rules.KeepResult
		if keep == 0 {
			keep = j.w.queue(l.queue).cfg.KeepResult
		}
		switch {
		case err == nil:
			told = append(told, r)
			if r.State != l.state {
				j.fail(l, "the result of %v is %v", l.id, r.State)
			}
			if r.State == reeve.StateDone {
				j.keptResult(l, &r)
			}
		case keep > 0 && l.state.Ended() || !errors.Is(err, reeve.ErrNoSuchTask):
			j.fail(l, "the result of %v: %v", l.id, err)
		}
		for _, r := range told {
			if !slices.ContainsFunc(l.events, func(ev reeve.Event) bool { return ev.Kind == kinds[r.State] }) {
				j.fail(l, "somebody was told that %v is %v", l.id, r.State)
			}
		}
	}
}

func (j *judge) keptResult(l *life, r *reeve.Result) {
	end := l.events[len(l.events)-1]
	for _, run := range j.runs[l.id] {
		if run.attempt == end.Attempt && run.result != string(r.Payload) {
			j.fail(l, "the kept result of %v is %q, want %q", l.id, r.Payload, run.result)
		}
	}
}

// numbersAndEventsAgree: the counters count what happened.
func (j *judge) numbersAndEventsAgree() {
	for _, q := range j.w.queues {
		s, err := q.Stats(context.Background())
		if err != nil {
			j.w.t.Fatal(err)
		}
		kinds := j.kinds[q.Name()]
		for kind, n := range map[reeve.EventKind]uint64{
			reeve.EventPut: s.Put, reeve.EventDone: s.Done, reeve.EventFailed: s.Failed, reeve.EventTimedOut: s.TimedOut,
			reeve.EventSnoozed: s.Snoozed, reeve.EventDead: s.Buried, reeve.EventRevived: s.Revived, reeve.EventCancelled: s.Cancelled,
			reeve.EventExpired: s.Expired, reeve.EventDiscarded: s.Discarded, reeve.EventPurged: s.Purged + s.Dropped,
			reeve.EventMoved: s.MovedIn + s.MovedOut,
		} {
			if kinds[kind] != n {
				j.fail(nil, "%s: %d events %s, and %d counted: %+v", q.Name(), kinds[kind], kind, n, s)
			}
		}
		dead := 0
		for _, l := range j.order {
			if l.queue == q.Name() && l.state == reeve.StateDead {
				dead++
			}
		}
		if s.Ready+s.Delayed+s.Leased+s.Consumers+s.WaitingPuts+s.Blocked+s.FreeSlots != 0 || s.Dead != dead {
			j.fail(nil, "%s in the end, with %d dead: %+v", q.Name(), dead, s)
		}
	}
}

// followersSawWhatWas: what is seen from afar is a part of all events, those of
// one queue in their order.
func (j *judge) followersSawWhatWas() {
	queues := map[string][]reeve.Event{}
	for _, ev := range j.w.events {
		queues[ev.Queue] = append(queues[ev.Queue], ev)
	}
	for who, seen := range j.w.seen {
		left := maps.Clone(queues)
		for _, ev := range seen {
			was := func(all reeve.Event) bool {
				return all.ID == ev.ID && all.Kind == ev.Kind && all.Attempt == ev.Attempt && all.Time.Equal(ev.Time) &&
					all.Text == ev.Text && all.Worker == ev.Worker && all.Type == ev.Type
			}
			n := slices.IndexFunc(left[ev.Queue], was)
			if n < 0 {
				j.fail(nil, "%s saw %+v, which was not, or not then", who, ev)
				break
			}
			left[ev.Queue] = left[ev.Queue][n+1:]
		}
	}
}

// tally is what happened in all rounds.
type tally map[reeve.EventKind]uint64

// count adds a round, and reports whether anything disturbed it.
func (j *judge) count(sum tally) {
	for _, kinds := range j.kinds {
		for kind, n := range kinds {
			sum[kind] += n
		}
	}
	var made int
	for _, c := range j.w.cables {
		made += c.Made()
	}
	if made < 2*len(j.w.cables) {
		j.fail(nil, "%d clients made %d connections: there were hardly any faults", len(j.w.cables), made)
	}
}

// enough keeps the test from proving nothing.
func (sum tally) enough(t *testing.T) {
	t.Helper()
	for kind := range legal {
		if sum[kind] == 0 {
			t.Errorf("of all tasks, none was ever: %s", kind)
		}
	}
	t.Log(sum)
}
