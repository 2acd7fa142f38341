package queue_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// snapshot is what an engine tells of all that it has, line by line, but for
// what a restart is documented to change: who holds a lease and until when,
// what the handler told last, the tokens of rates, counters.
type snapshot struct {
	lines map[string]string
}

// take asks the engine for everything. ids are tasks that there ever were.
func snap(t testing.TB, e *queue.Engine, ids []reeve.ID) *snapshot {
	t.Helper()
	s := &snapshot{lines: map[string]string{}}
	s.add("names", "%q", e.Names())
	for _, name := range e.Names() {
		s.queue(t, e, name)
	}
	for _, id := range ids {
		s.task(t, e, id)
	}
	return s
}

func (s *snapshot) add(key, format string, args ...any) {
	s.lines[key] = fmt.Sprintf(format, args...)
}

func (s *snapshot) queue(t testing.TB, e *queue.Engine, name string) {
	t.Helper()
	q, err := e.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	q.Check()
	cfg := q.Config()
	s.add(name+" config", "%+v", cfg)
	x := q.Stats()
	s.add(name+" states", "ready %d delayed %d leased %d dead %d", x.Ready, x.Delayed, x.Leased, x.Dead)
	s.add(name+" bounds", "%d %d", x.MaxLen, x.MaxBytes)
	s.add(name+" paused", "%v %q %v", x.Paused, x.PauseReason, x.Closed)
	s.add(name+" uniques", "%d", x.Uniques)
	s.add(name+" results", "%d of %d bytes", x.Results, x.ResultBytes)
	one := cfg.KeyRate.IsZero() && cfg.KeyConcurrency == 1
	if one { // keys that wait for their rate only are forgotten, and of several tasks of one whose turn it was
		s.add(name+" keys", "%d, %d blocked", x.Keys, x.Blocked)
	}
	page, err := q.List(nil, reeve.ListOptions{Max: reeve.MaxBatch, Payload: reeve.NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	for i := range page.Tasks {
		if p := page.Tasks[i].Progress; p != nil {
			x.Bytes -= int64(len(p.Text))
		}
		s.add(fmt.Sprintf("%s list %v", name, page.Tasks[i].ID), "%s", told1(&page.Tasks[i]))
	}
	if cfg.KeyRate.IsZero() {
		s.add(name+" bytes", "%d", x.Bytes)
	}
	dead, err := q.Dead(0, reeve.MaxBatch)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(dead, func(a, b reeve.DeadTask) int { // those of one moment have no order
		if a.DiedAt.Equal(b.DiedAt) {
			return cmp.Compare(a.ID, b.ID)
		}
		return 0
	})
	for i, d := range dead {
		s.add(fmt.Sprintf("%s dead %d", name, i), "%v %q %q %q %q %+v %v", d.ID, d.Payload, d.Reason, d.Error, d.Stack, d.Counts, d.DiedAt.UnixNano())
	}
	peek, err := q.Peek(reeve.MaxBatch, reeve.NoLimit)
	if err != nil {
		t.Fatal(err)
	}
	var order, keyed []string
	for i := range peek {
		switch r := peek[i].Rules; {
		case r != nil && r.Key != "" && (cfg.KeyConcurrency != reeve.NoLimit || !cfg.KeyRate.IsZero()):
			// Those of a key have their order; when its turn came is not kept.
			if one {
				keyed = append(keyed, peek[i].ID.String())
			}
		default:
			order = append(order, fmt.Sprintf("%v(%d)", peek[i].ID, peek[i].Priority))
		}
	}
	slices.Sort(keyed)
	hasKeys := slices.ContainsFunc(page.Tasks, func(i reeve.TaskInfo) bool { return i.Rules != nil && i.Rules.Key != "" })
	if cfg.Ageing == 0 || !hasKeys { // with ageing those of keys are among the others in another way
		s.add(name+" order", "%s", strings.Join(order, " "))
	}
	s.add(name+" keyed", "%s", strings.Join(keyed, " "))
}

// task is what is known of one task by its id.
func (s *snapshot) task(t testing.TB, e *queue.Engine, id reeve.ID) {
	t.Helper()
	key := fmt.Sprintf("task %v ", id)
	i, err := e.Task(id)
	if err != nil && !errors.Is(err, reeve.ErrNoSuchTask) {
		t.Fatal(err)
	}
	s.add(key+"info", "%s %v", told1(&i), err)
	r, err := e.Result(id)
	s.add(key+"result", "%v %s %s %s %q %q %q %d %v %v", r.ID, r.Queue, r.Type, r.State, r.Payload, r.Reason, r.Error, r.Attempts, nanosOf(r.EndedAt), err)
	x, err := e.Explain(id)
	one := false
	if q, err := e.Lookup(x.Queue); err == nil {
		cfg := q.Config()
		one = cfg.KeyRate.IsZero() && cfg.KeyConcurrency == 1
	}
	var why []string
	for _, r := range x.Reasons {
		code := string(r.Code)
		if r.Code == reeve.ReasonKey {
			code += fmt.Sprint(r.Tasks)
		}
		if (r.Code != reeve.ReasonKey || one) && r.Code != reeve.ReasonRate && r.Code != reeve.ReasonKeyRate && r.Code != reeve.ReasonOrder {
			why = append(why, code)
		}
	}
	s.add(key+"why", "%s %s %q %v", x.Queue, x.State, why, err)
}

// told1 is what is told of one task.
func told1(i *reeve.TaskInfo) string {
	rules := reeve.Rules{}
	if i.Rules != nil {
		rules = *i.Rules
	}
	since := nanosOf(i.Since)
	timeout := int64(0)
	if i.State == reeve.StateLeased {
		since = 0 // an attempt's clock begins anew
	} else {
		timeout = nanosOf(i.TimeoutAt)
	}
	return fmt.Sprintf("%v %s %s type %q priority %d attempt %d timeout %v source %v put %d payload %q of %d since %d due %d timeout %d rules{at %d expire %d attempts %d backoff %+v key %q unique %q %v labels %q keep %v} counts %+v reason %q error %q stack %q ended %d history %s",
		i.ID, i.Queue, i.State, i.Type, i.Priority, i.Attempt, i.Timeout, i.Source, i.PutAt.UnixNano(), i.Payload, i.Size, since, nanosOf(i.Due), timeout,
		nanosOf(rules.At), nanosOf(rules.ExpireAt), rules.Attempts, rules.Backoff, rules.Key, rules.Unique, rules.UniqueMode, rules.Labels, rules.KeepResult,
		i.Counts, i.Reason, i.Error, i.Stack, nanosOf(i.EndedAt), histories(i.History))
}

func histories(h []reeve.AttemptRecord) string {
	var b strings.Builder
	for i := range h {
		r := &h[i]
		fmt.Fprintf(&b, "[%d %s %s %d %d %q %q]", r.Attempt, r.Worker, r.Outcome, nanosOf(r.Start), nanosOf(r.End), r.Error, r.Stack)
	}
	return b.String()
}

func nanosOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// kept is diff of that which does not depend on how queues are configured: which
// tasks there are, and what is known of each.
func (s *snapshot) kept(o *snapshot) string {
	only := func(s *snapshot) *snapshot {
		tasks := &snapshot{lines: map[string]string{}}
		for k, v := range s.lines {
			if strings.HasSuffix(k, " info") {
				tasks.lines[k] = timeouts.ReplaceAllString(v, "")
			}
		}
		return tasks
	}
	return only(s).diff(only(o))
}

var timeouts = regexp.MustCompile(` timeout \S+`)

// diff tells where two differ; empty: nowhere.
func (s *snapshot) diff(o *snapshot) string {
	var b strings.Builder
	keys := map[string]struct{}{}
	for k := range s.lines {
		keys[k] = struct{}{}
	}
	for k := range o.lines {
		keys[k] = struct{}{}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if was, is := s.lines[k], o.lines[k]; was != is {
			at := 0
			for at < len(was) && at < len(is) && was[at] == is[at] {
				at++
			}
			fmt.Fprintf(&b, "%s at %d\n   was …%.900s\n   is  …%.900s\n", k, at, was[max(0, at-30):], is[max(0, at-30):])
		}
	}
	return b.String()
}
