package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/reeveq/reeve"
)

// judgeTold is the end of a round of restarts: everything has ended, and what
// became of each task is known.
func (w *world) judgeTold() {
	j := &toldJudge{w: w, runs: map[reeve.ID][]*run{}}
	for _, r := range w.runs {
		j.runs[r.id] = append(j.runs[r.id], r)
	}
	ends := map[reeve.State]int{}
	for _, s := range w.specs {
		if s.id == 0 {
			continue
		}
		state, known := j.end(s)
		if known {
			ends[state]++
			j.promises(s, state)
		}
		j.ranAsAsked(s)
	}
	j.duplicates()
	for id := range w.got {
		if w.byID[id] == nil {
			j.fail(nil, "there is a result of %v, which nobody put", id)
		}
	}
	if w.lives < 3 || ends[reeve.StateDone] < len(w.byID)/4 {
		j.fail(nil, "%d masters, and %v: the test proves little", w.lives, ends)
	}
	w.t.Logf("%d masters, %d tasks, %d attempts: %v", w.lives, len(w.byID), len(w.runs), ends)
}

// toldJudge knows what everybody was told, and nothing else.
type toldJudge struct {
	w    *world
	runs map[reeve.ID][]*run
	bad  int
}

func (j *toldJudge) fail(s *spec, format string, args ...any) {
	j.w.t.Helper()
	if j.bad++; j.bad > 20 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-behave.seed=%d: ", j.w.seed)
	fmt.Fprintf(&b, format, args...)
	if s != nil {
		fmt.Fprintf(&b, "\n  %v", s)
		for _, r := range j.runs[s.id] {
			fmt.Fprintf(&b, "\n  %12s %s %v", j.w.at(r.begin), j.w.at(r.end), r)
		}
	}
	j.w.t.Error(b.String())
}

// end is how the task ended, as a master says that has it from the journal only.
func (j *toldJudge) end(s *spec) (state reeve.State, known bool) {
	r, err := j.w.m.Manager().Result(context.Background(), s.id)
	switch {
	case err == nil:
		return r.State, true
	case errors.Is(err, reeve.ErrNotDone):
		j.fail(s, "%v has not ended", s.id)
	case !errors.Is(err, reeve.ErrNoSuchTask):
		j.fail(s, "%v: %v", s.id, err)
	case s.rules.KeepResult >= 0:
		j.fail(s, "nothing is known of %v, whose put was acknowledged", s.id)
	}
	return 0, false
}

// promises: what anybody was told of the task is so still.
func (j *toldJudge) promises(s *spec, state reeve.State) {
	said := func(what ...string) bool {
		return slices.ContainsFunc(j.runs[s.id], func(r *run) bool { return slices.Contains(what, r.said) })
	}
	switch {
	case state == reeve.StateDone && !said("done", "skip"), state == reeve.StateDiscarded && !said("discard"):
		j.fail(s, "%v is %v, but no handler said so", s.id, state)
	case j.w.cancelled[s.id] && state != reeve.StateCancelled:
		j.fail(s, "%v is %v, and its cancellation was acknowledged", s.id, state)
	}
	for _, r := range j.w.waited[s.id] {
		if r.State != state && r.State != reeve.StateDead {
			j.fail(s, "somebody was told that %v is %v, and it is %v", s.id, r.State, state)
		}
	}
	results := j.w.got[s.id]
	switch {
	case len(results) > 1:
		j.fail(s, "%v has the results %q", s.id, results)
	case len(results) == 1 && state != reeve.StateDone:
		j.fail(s, "%v is %v, and has the result %q", s.id, state, results)
	case len(results) == 1 && !slices.ContainsFunc(j.runs[s.id], func(r *run) bool { return r.said == "done" && r.result == results[0] }):
		j.fail(s, "%v has the result %q, which no handler returned", s.id, results[0])
	case len(results) == 0 && state == reeve.StateDone && s.task.Type != "c" && !said("skip"):
		j.fail(s, "%v is done, and its result was never there", s.id)
	}
}

// ranAsAsked: each attempt was of a task as it was put, with somebody who may
// have it, and not before its time.
func (j *toldJudge) ranAsAsked(s *spec) {
	for _, r := range j.runs[s.id] {
		first := s.asked.Add(s.task.Delay)
		switch {
		case r.n != s.n:
			j.fail(s, "%v ran as number %d", s.id, r.n)
		case r.typ != s.task.Type || r.h.types != nil && !slices.Contains(r.h.types, s.task.Type):
			j.fail(s, "%s got a task of type %q", r.h.name, r.typ)
		case slices.ContainsFunc(s.rules.Labels, func(l string) bool { return !slices.Contains(r.h.labels, l) }):
			j.fail(s, "%s got a task that asks for %v", r.h.name, s.rules.Labels)
		case r.begin.Before(first) || r.begin.Before(s.rules.At):
			j.fail(s, "an attempt at %v began at %s, before its time", s.id, j.w.at(r.begin))
		}
	}
}

// duplicates: what a Put found instead has that key.
func (j *toldJudge) duplicates() {
	for _, s := range j.w.specs {
		if s.other == 0 {
			continue
		}
		if o := j.w.byID[s.other]; o == nil {
			j.fail(s, "it is a duplicate of %v, which nobody put", s.other)
		} else if o.rules.Unique != s.rules.Unique {
			j.fail(s, "it is a duplicate of another key: %v", o)
		}
	}
}
