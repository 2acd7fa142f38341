package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/proxy"
)

// stand is a master as far as the verbs of operators look at one: it has tasks,
// and writes down what it is asked to do.
type stand struct {
	reeve.Operator // nil: nothing else is called
	reeve.Objects  // nil
	backup         func(w io.Writer) (reeve.BackupInfo, error)

	tasks   []reeve.TaskInfo // in the order of their ids
	reasons map[reeve.ID][]reeve.Reason
	results map[reeve.ID]reeve.Result
	stats   []reeve.QueueStats
	types   []reeve.TypeStats
	n       int   // what acts return
	err     error // of acts, with n

	mu    sync.Mutex // guards the fields below
	asked []string
	put   []reeve.Task
	known map[string]reeve.ID // by unique key
	next  reeve.ID
}

func (s *stand) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
}

func (s *stand) Close() error { return nil }

func (s *stand) Backup(_ context.Context, w io.Writer) (reeve.BackupInfo, error) { return s.backup(w) }

func (s *stand) Queues(context.Context) ([]reeve.QueueStats, error) {
	return slices.Clone(s.stats), s.err
}

func (s *stand) Types(_ context.Context, queue string) ([]reeve.TypeStats, error) {
	s.note("types of %s", queue)
	return slices.Clone(s.types), s.err
}

func (s *stand) find(id reeve.ID) (reeve.TaskInfo, error) {
	for _, t := range s.tasks {
		if t.ID == id {
			return t, nil
		}
	}
	return reeve.TaskInfo{}, fmt.Errorf("%w: %v", reeve.ErrNoSuchTask, id)
}

func (s *stand) Task(_ context.Context, id reeve.ID) (reeve.TaskInfo, error) { return s.find(id) }

// List gives pages of two, the first of them empty.
func (s *stand) List(_ context.Context, queue string, f reeve.Filter, o reeve.ListOptions) (reeve.Page, error) {
	s.note("list %s %s after %d max %d payload %d", queue, filterText(f), o.After, o.Max, o.Payload)
	if s.err != nil {
		return reeve.Page{}, s.err
	}
	if o.After == 0 && len(s.tasks) > 0 {
		return reeve.Page{Next: s.tasks[0].ID - 1}, nil
	}
	var page reeve.Page
	for _, t := range s.tasks {
		if t.ID <= o.After || len(f.States) > 0 && !slices.Contains(f.States, t.State) {
			continue
		}
		if len(page.Tasks) == min(o.Max, 2) {
			page.Next = page.Tasks[len(page.Tasks)-1].ID
			break
		}
		t.Payload = t.Payload[:min(len(t.Payload), o.Payload)]
		page.Tasks = append(page.Tasks, t)
	}
	return page, nil
}

func (s *stand) Peek(_ context.Context, queue string, max, payload int) ([]reeve.TaskInfo, error) {
	s.note("peek %s %d payload %d", queue, max, payload)
	return slices.Clone(s.tasks), s.err
}

func (s *stand) Explain(_ context.Context, id reeve.ID) (reeve.Explanation, error) {
	t, err := s.find(id)
	return reeve.Explanation{ID: id, Queue: t.Queue, State: t.State, Reasons: s.reasons[id]}, err
}

func (s *stand) Cancel(_ context.Context, id reeve.ID, reason string) error {
	_, err := s.find(id)
	if err == nil {
		s.note("cancel %d %q", id, reason)
	}
	return err
}

func (s *stand) CancelAll(_ context.Context, queue string, f reeve.Filter, reason string) (int, error) {
	s.note("cancel %s %s %q", queue, filterText(f), reason)
	return s.n, s.err
}

func (s *stand) Revive(_ context.Context, queue string, f reeve.Filter) (int, error) {
	s.note("revive %s %s", queue, filterText(f))
	return s.n, s.err
}

func (s *stand) Purge(_ context.Context, queue string, f reeve.Filter) (int, error) {
	s.note("purge %s %s", queue, filterText(f))
	return s.n, s.err
}

func (s *stand) Move(_ context.Context, from, to string, f reeve.Filter) (int, error) {
	s.note("move %s %s %s", from, to, filterText(f))
	return s.n, s.err
}

func (s *stand) Result(_ context.Context, id reeve.ID) (reeve.Result, error) {
	if r, ok := s.results[id]; ok {
		return r, nil
	}
	if _, err := s.find(id); err != nil {
		return reeve.Result{}, err
	}
	return reeve.Result{}, reeve.ErrNotDone
}

func (s *stand) Wait(ctx context.Context, id reeve.ID) (reeve.Result, error) {
	r, err := s.Result(ctx, id)
	if errors.Is(err, reeve.ErrNotDone) {
		<-ctx.Done()
		return r, ctx.Err()
	}
	return r, err
}

// filterText is what of a filter is set.
func filterText(f reeve.Filter) string {
	var b []string
	add := func(set bool, format string, args ...any) {
		if set {
			b = append(b, fmt.Sprintf(format, args...))
		}
	}
	add(len(f.IDs) > 0, "ids=%d", f.IDs)
	add(len(f.States) > 0, "states=%v", f.States)
	add(len(f.Types) > 0, "types=%q", f.Types)
	add(f.Key != "", "key=%s", f.Key)
	add(f.Unique != "", "unique=%s", f.Unique)
	add(f.Error != "", "error=%s", f.Error)
	add(!f.Before.IsZero(), "before=%v", time.Since(f.Before).Round(time.Hour))
	return "{" + strings.Join(b, " ") + "}"
}

func (s *stand) Queue(name string) reeve.Queue { return &standQueue{s: s, name: name} }

// standQueue is a queue of a stand.
type standQueue struct {
	reeve.Queue // nil: nothing else is called

	s    *stand
	name string
}

func (q *standQueue) Stats(context.Context) (reeve.QueueStats, error) {
	for _, s := range q.s.stats {
		if s.Name == q.name {
			return s, nil
		}
	}
	return reeve.QueueStats{}, &reeve.NoSuchQueueError{Name: q.name, Known: []string{"tasks"}}
}

func (s *stand) DeclareQueue(_ context.Context, name string, c reeve.QueueConfig) (reeve.Queue, error) {
	s.note("declare %s %d %v %v", name, c.MaxLen, c.IdleTTL, c.Backoff.Base)
	return s.Queue(name), s.err
}

func (s *stand) DeleteQueue(_ context.Context, name string, force bool) error {
	s.note("delete %s %v", name, force)
	return s.err
}

func (q *standQueue) Pause(_ context.Context, reason string) error {
	q.s.note("pause %s %q", q.name, reason)
	return q.s.err
}

func (q *standQueue) Resume(context.Context) error {
	q.s.note("resume %s", q.name)
	return q.s.err
}

// Put takes everything that is valid; a unique key is taken for ever.
func (q *standQueue) Put(_ context.Context, tasks []reeve.Task, _ ...reeve.PutOption) ([]reeve.ID, error) {
	s := q.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]reeve.ID, len(tasks))
	var duplicate reeve.DuplicateError
	for i, t := range tasks {
		if err := t.Validate(); err != nil {
			return nil, err
		}
		if t.Rules != nil && t.Rules.Unique != "" {
			if id := s.known[t.Rules.Unique]; id != 0 {
				ids[i] = id
				duplicate.Tasks, duplicate.IDs = append(duplicate.Tasks, i), append(duplicate.IDs, id)
				continue
			}
		}
		s.next++
		ids[i] = s.next
		s.put = append(s.put, t)
		if t.Rules != nil && t.Rules.Unique != "" {
			if s.known == nil {
				s.known = map[string]reeve.ID{}
			}
			s.known[t.Rules.Unique] = s.next
		}
	}
	if len(duplicate.Tasks) > 0 {
		return ids, &duplicate
	}
	return ids, s.err
}

// run runs a command line against s.
func (s *stand) run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	_, key, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	return runWith(t, key, func(context.Context, string, proxy.Config) (master, error) { return s, nil }, stdin, args...)
}

// runWith runs a command line that connects with dial.
func runWith(t *testing.T, key string, dial func(context.Context, string, proxy.Config) (master, error), stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	tool := &tool{
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, defaultConnect: "127.0.0.1:1", dial: dial,
		getenv: func(name string) string { return map[string]string{"REEVE_AUTHKEY": key}[name] },
	}
	code = tool.run(t.Context(), append([]string{"reeve"}, args...))
	return code, out.String(), errs.String()
}

// wants runs a command line and compares everything it gives.
func (s *stand) wants(t *testing.T, args []string, code int, stdout, stderr string) {
	t.Helper()
	gotCode, gotOut, gotErr := s.run(t, "", args...)
	if gotCode != code || gotOut != stdout || gotErr != stderr {
		t.Errorf("%q: exit %d, want %d\nstdout:\n%s\nwant:\n%s\nstderr:\n%s\nwant:\n%s", args, gotCode, code, gotOut, stdout, gotErr, stderr)
	}
}

// asks compares what the master was asked since.
func (s *stand) asks(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(s.asked, want) {
		t.Errorf("it was asked %q, want %q", s.asked, want)
	}
	s.asked = nil
}

// long ago enough that a loaded machine does not change how it is shown.
const long = 12*24*time.Hour + 4*time.Hour + 30*time.Minute // "12d04h"

// several is tasks in all states.
func several() []reeve.TaskInfo {
	put := time.Now().Add(-long)
	at := func(id reeve.ID, state reeve.State, payload string, more func(*reeve.TaskInfo)) reeve.TaskInfo {
		t := reeve.TaskInfo{Queue: "tasks", State: state, Size: len(payload), Since: put}
		t.ID, t.PutAt, t.Payload = id, put, []byte(payload)
		if more != nil {
			more(&t)
		}
		return t
	}
	return []reeve.TaskInfo{
		at(5, reeve.StateReady, "square 12", func(t *reeve.TaskInfo) { t.Type, t.Priority = "square", -3 }),
		at(6, reeve.StateDelayed, "\xa1an\x0c", func(t *reeve.TaskInfo) { // {"n": 12}
			t.Due, t.Rules = time.Now().Add(long), &reeve.Rules{Key: "customer-7"}
		}),
		at(7, reeve.StateLeased, "a\nb", func(t *reeve.TaskInfo) {
			t.Attempt, t.Worker, t.Progress = 2, "w@host:77#3", &reeve.Progress{Percent: 42.49, Text: "half way", At: put}
		}),
		at(8, reeve.StateDead, "\xff\x00\x01", func(t *reeve.TaskInfo) {
			t.Attempt, t.Reason, t.Error, t.Counts.Failed = 5, "5 attempts failed", "connection\nrefused\x1b[31m", 5
		}),
	}
}
