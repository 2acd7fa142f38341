package wire

import (
	"time"

	"github.com/reeveq/reeve"
)

// Dead is [reeve.DeadTask] with its keys.
type Dead struct {
	ID       reeve.ID      `cbor:"1,keyasint,omitempty"`
	Attempt  uint32        `cbor:"2,keyasint,omitempty"`
	Payload  []byte        `cbor:"3,keyasint,omitempty"`
	Type     string        `cbor:"4,keyasint,omitempty"`
	PutAt    int64         `cbor:"5,keyasint,omitempty"`
	Source   reeve.ID      `cbor:"6,keyasint,omitempty"`
	Reason   string        `cbor:"7,keyasint,omitempty"`
	Error    string        `cbor:"8,keyasint,omitempty"`
	Stack    string        `cbor:"9,keyasint,omitempty"`
	Failed   uint32        `cbor:"10,keyasint,omitempty"`
	TimedOut uint32        `cbor:"11,keyasint,omitempty"`
	Lost     uint32        `cbor:"12,keyasint,omitempty"`
	Returned uint32        `cbor:"13,keyasint,omitempty"`
	DiedAt   int64         `cbor:"14,keyasint,omitempty"`
	Timeout  time.Duration `cbor:"15,keyasint,omitempty"`
	Snoozed  uint32        `cbor:"16,keyasint,omitempty"`
	Priority int32         `cbor:"17,keyasint,omitempty"`
	Rules    *Rules        `cbor:"18,keyasint,omitempty"`
	Delay    time.Duration `cbor:"19,keyasint,omitempty"`
}

// DeadOf is t with its keys. It shares the payload and the rules.
func DeadOf(t *reeve.DeadTask) Dead {
	return Dead{
		ID: t.ID, Attempt: t.Attempt, Payload: t.Payload, Type: t.Type, PutAt: unixNano(t.PutAt), Source: t.Source,
		Reason: t.Reason, Error: t.Error, Stack: t.Stack,
		Failed: t.Counts.Failed, TimedOut: t.Counts.TimedOut, Lost: t.Counts.Lost, Returned: t.Counts.Returned,
		Snoozed: t.Counts.Snoozed, DiedAt: unixNano(t.DiedAt), Timeout: t.Timeout, Priority: t.Priority,
		Rules: (*Rules)(t.Rules), Delay: t.Delay,
	}
}

// DeadTask is d in the words of the vocabulary. It shares the payload and the
// rules.
func (d *Dead) DeadTask() reeve.DeadTask {
	return reeve.DeadTask{
		Task: reeve.Task{
			ID: d.ID, Attempt: d.Attempt, Payload: d.Payload, Type: d.Type, PutAt: timeOf(d.PutAt),
			Source: d.Source, Timeout: d.Timeout, Delay: d.Delay, Priority: d.Priority, Rules: (*reeve.Rules)(d.Rules),
		},
		Reason: d.Reason, Error: d.Error, Stack: d.Stack,
		Counts: reeve.Counts{Failed: d.Failed, TimedOut: d.TimedOut, Lost: d.Lost, Returned: d.Returned, Snoozed: d.Snoozed},
		DiedAt: timeOf(d.DiedAt),
	}
}

// TaskInfo is [reeve.TaskInfo] with its keys: those of [Dead] and more.
type TaskInfo struct {
	ID         reeve.ID        `cbor:"1,keyasint,omitempty"`
	Attempt    uint32          `cbor:"2,keyasint,omitempty"`
	Payload    []byte          `cbor:"3,keyasint,omitempty"`
	Type       string          `cbor:"4,keyasint,omitempty"`
	PutAt      int64           `cbor:"5,keyasint,omitempty"`
	Source     reeve.ID        `cbor:"6,keyasint,omitempty"`
	Reason     string          `cbor:"7,keyasint,omitempty"`
	Error      string          `cbor:"8,keyasint,omitempty"`
	Stack      string          `cbor:"9,keyasint,omitempty"`
	Failed     uint32          `cbor:"10,keyasint,omitempty"`
	TimedOut   uint32          `cbor:"11,keyasint,omitempty"`
	Lost       uint32          `cbor:"12,keyasint,omitempty"`
	Returned   uint32          `cbor:"13,keyasint,omitempty"`
	EndedAt    int64           `cbor:"14,keyasint,omitempty"`
	Timeout    time.Duration   `cbor:"15,keyasint,omitempty"`
	Snoozed    uint32          `cbor:"16,keyasint,omitempty"`
	Priority   int32           `cbor:"17,keyasint,omitempty"`
	Rules      *Rules          `cbor:"18,keyasint,omitempty"`
	Delay      time.Duration   `cbor:"19,keyasint,omitempty"`
	Queue      string          `cbor:"20,keyasint,omitempty"`
	State      uint64          `cbor:"21,keyasint,omitempty"`
	Size       int             `cbor:"22,keyasint,omitempty"`
	Since      int64           `cbor:"23,keyasint,omitempty"`
	Due        int64           `cbor:"24,keyasint,omitempty"`
	Worker     string          `cbor:"25,keyasint,omitempty"`
	LeaseUntil int64           `cbor:"26,keyasint,omitempty"`
	TimeoutAt  int64           `cbor:"27,keyasint,omitempty"`
	Progress   *ProgressMade   `cbor:"28,keyasint,omitempty"`
	History    []AttemptRecord `cbor:"29,keyasint,omitempty"`
}

// ProgressMade is [reeve.Progress] with its keys.
type ProgressMade struct {
	Percent float64 `cbor:"1,keyasint,omitempty"`
	Text    string  `cbor:"2,keyasint,omitempty"`
	At      int64   `cbor:"3,keyasint,omitempty"`
}

// AttemptRecord is [reeve.AttemptRecord] with its keys.
type AttemptRecord struct {
	Attempt uint32 `cbor:"1,keyasint,omitempty"`
	Worker  string `cbor:"2,keyasint,omitempty"`
	Start   int64  `cbor:"3,keyasint,omitempty"`
	End     int64  `cbor:"4,keyasint,omitempty"`
	Outcome string `cbor:"5,keyasint,omitempty"`
	Error   string `cbor:"6,keyasint,omitempty"`
	Stack   string `cbor:"7,keyasint,omitempty"`
}

// TaskInfoOf is t with its keys. It shares the payload and the rules.
func TaskInfoOf(t *reeve.TaskInfo) TaskInfo {
	w := TaskInfo{
		ID: t.ID, Attempt: t.Attempt, Payload: t.Payload, Type: t.Type, PutAt: unixNano(t.PutAt), Source: t.Source,
		Reason: cleanText(t.Reason), Error: cleanText(t.Error), Stack: cleanText(t.Stack),
		Failed: t.Counts.Failed, TimedOut: t.Counts.TimedOut, Lost: t.Counts.Lost, Returned: t.Counts.Returned,
		EndedAt: unixNano(t.EndedAt), Timeout: t.Timeout, Snoozed: t.Counts.Snoozed, Priority: t.Priority,
		Rules: (*Rules)(t.Rules), Delay: t.Delay, Queue: t.Queue, State: uint64(t.State), Size: t.Size,
		Since: unixNano(t.Since), Due: unixNano(t.Due), Worker: cleanText(t.Worker),
		LeaseUntil: unixNano(t.LeaseUntil), TimeoutAt: unixNano(t.TimeoutAt),
	}
	if p := t.Progress; p != nil {
		w.Progress = &ProgressMade{Percent: p.Percent, Text: cleanText(p.Text), At: unixNano(p.At)}
	}
	for _, a := range t.History {
		w.History = append(w.History, AttemptRecord{
			Attempt: a.Attempt, Worker: cleanText(a.Worker), Start: unixNano(a.Start), End: unixNano(a.End),
			Outcome: a.Outcome, Error: cleanText(a.Error), Stack: cleanText(a.Stack),
		})
	}
	return w
}

// TaskInfo is w in the words of the vocabulary. It shares the payload and the
// rules.
func (w *TaskInfo) TaskInfo() reeve.TaskInfo {
	t := reeve.TaskInfo{
		Task: reeve.Task{
			ID: w.ID, Attempt: w.Attempt, Payload: w.Payload, Type: w.Type, PutAt: timeOf(w.PutAt), Source: w.Source,
			Timeout: w.Timeout, Delay: w.Delay, Priority: w.Priority, Rules: (*reeve.Rules)(w.Rules),
		},
		Queue: w.Queue, State: stateOf(w.State), Size: w.Size, Since: timeOf(w.Since), Due: timeOf(w.Due),
		Worker: w.Worker, LeaseUntil: timeOf(w.LeaseUntil), TimeoutAt: timeOf(w.TimeoutAt),
		Counts: reeve.Counts{Failed: w.Failed, TimedOut: w.TimedOut, Lost: w.Lost, Returned: w.Returned, Snoozed: w.Snoozed},
		Reason: w.Reason, Error: w.Error, Stack: w.Stack,
		EndedAt: timeOf(w.EndedAt),
	}
	if p := w.Progress; p != nil {
		t.Progress = &reeve.Progress{Percent: p.Percent, Text: p.Text, At: timeOf(p.At)}
	}
	for _, a := range w.History {
		t.History = append(t.History, reeve.AttemptRecord{
			Attempt: a.Attempt, Worker: a.Worker, Start: timeOf(a.Start), End: timeOf(a.End),
			Outcome: a.Outcome, Error: a.Error, Stack: a.Stack,
		})
	}
	return t
}

// Bytes is at least what w takes in an [Answer].
func (w *TaskInfo) Bytes() int {
	const (
		rest    = 256 // all numbers and heads
		attempt = 64  // the same for one attempt
	)
	n := rest + len(w.Payload) + len(w.Type) + len(w.Reason) + len(w.Error) + len(w.Stack) + len(w.Queue) + len(w.Worker)
	if w.Rules != nil {
		n += rulesSize((*reeve.Rules)(w.Rules))
	}
	if w.Progress != nil {
		n += attempt + len(w.Progress.Text)
	}
	for i := range w.History {
		a := &w.History[i]
		n += attempt + len(a.Worker) + len(a.Outcome) + len(a.Error) + len(a.Stack)
	}
	return n
}

// stateOf keeps a state that this version does not know from becoming one that
// it does.
func stateOf(v uint64) reeve.State { return reeve.State(min(v, 255)) }
