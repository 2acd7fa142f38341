package reeve

import (
	"cmp"
	"fmt"
	"time"
	"unicode/utf8"
)

// Task is the unit of work. A producer fills Payload and the optional fields
// of the first group; the master fills the second group, and ignores it in a
// task that is put.
type Task struct {
	// Payload belongs to the queue from Put on, and to the lease's holder from
	// Get on; nobody may change its bytes after Put.
	Payload []byte
	// Type names the handler that is to run the task. Empty is a type too.
	Type string
	// Priority: of the tasks that may be handed over, those with the highest go
	// first, and among equals the one that has waited longest.
	Priority int32
	// Delay keeps the task from being handed over for that long. Zero: at once.
	Delay time.Duration
	// Timeout is how long one attempt may run. Zero: the queue's.
	Timeout time.Duration
	// Rules are what the task asks for beyond this; nil: nothing. They belong
	// to the queue from Put on, as Payload does. A task that is handed over has
	// its Key and Blobs, and its Attempts if it set them.
	Rules *Rules

	ID ID
	// Attempt counts hand-overs, this one included.
	Attempt uint32
	// Source is the task whose result this is, when it was put by Complete.
	Source ID
	// PutAt is when the master accepted the task, by its wall clock as that was
	// set when the master began.
	PutAt time.Time
}

// PutOption changes how one Put treats its tasks.
type PutOption func(*PutOptions)

// PutOptions is what the options of one Put add up to.
type PutOptions struct {
	// Task holds the fields that the options set for every task of the call.
	Task Task
	// Rules are the same for [Task.Rules].
	Rules Rules
	// NoWait makes a full queue an error instead of a wait.
	NoWait bool
	// IgnoreDuplicates makes duplicates no error.
	IgnoreDuplicates bool
}

// NewPutOptions applies opts in order.
func NewPutOptions(opts ...PutOption) PutOptions {
	var o PutOptions
	for _, f := range opts {
		f(&o)
	}
	return o
}

// Apply fills the fields that t leaves zero from the options. Fields of which
// a task may have only one (Delay and At; Expiry and ExpireAt) and those that
// belong together (Unique, its mode and time) are filled together, or not at
// all.
func (o *PutOptions) Apply(t *Task) {
	if t.Type == "" {
		t.Type = o.Task.Type
	}
	timed := t.Delay != 0 || t.Rules != nil && !t.Rules.At.IsZero()
	if !timed {
		t.Delay = o.Task.Delay
	}
	if t.Timeout == 0 {
		t.Timeout = o.Task.Timeout
	}
	if t.Priority == 0 {
		t.Priority = o.Task.Priority
	}
	if o.Rules.isZero() {
		return
	}
	r := o.Rules
	if timed {
		r.At = time.Time{}
	}
	if t.Rules != nil {
		r.override(t.Rules)
	}
	t.Rules = &r
}

// override sets what own says and leaves the rest.
func (r *Rules) override(own *Rules) {
	if !own.At.IsZero() {
		r.At = own.At
	}
	if own.Expiry != 0 || !own.ExpireAt.IsZero() {
		r.Expiry, r.ExpireAt = own.Expiry, own.ExpireAt
	}
	r.Attempts = cmp.Or(own.Attempts, r.Attempts)
	r.Backoff = cmp.Or(own.Backoff, r.Backoff)
	r.Key = cmp.Or(own.Key, r.Key)
	r.KeepResult = cmp.Or(own.KeepResult, r.KeepResult)
	if own.Unique != "" {
		r.Unique, r.UniqueMode, r.UniqueFor = own.Unique, own.UniqueMode, own.UniqueFor
	}
	if own.Labels != nil {
		r.Labels = own.Labels
	}
	if own.Blobs != nil {
		r.Blobs = own.Blobs
	}
}

// WithType names the handler that is to run the tasks.
func WithType(name string) PutOption { return func(o *PutOptions) { o.Task.Type = name } }

// WithDelay keeps the tasks from being handed over for d; negative is an error
// of the Put ([ErrInvalid]).
func WithDelay(d time.Duration) PutOption { return func(o *PutOptions) { o.Task.Delay = d } }

// WithTimeout limits how long one attempt may run; negative is an error of
// the Put ([ErrInvalid]).
func WithTimeout(d time.Duration) PutOption { return func(o *PutOptions) { o.Task.Timeout = d } }

// WithPriority sets the tasks' priority: higher first. The default is 0.
func WithPriority(n int32) PutOption { return func(o *PutOptions) { o.Task.Priority = n } }

// withRules is an option that changes the rules.
func withRules(f func(*Rules)) PutOption {
	return func(o *PutOptions) { f(&o.Rules) }
}

// WithRules sets all rules of the tasks. A task's own go first, field by field.
func WithRules(r Rules) PutOption { return withRules(func(old *Rules) { *old = r }) }

// At keeps the tasks from being handed over before t; see [Rules.At].
func At(t time.Time) PutOption { return withRules(func(r *Rules) { r.At = t }) }

// WithExpiry makes tasks expire of which no attempt begins within d; see
// [Rules.Expiry].
func WithExpiry(d time.Duration) PutOption { return withRules(func(r *Rules) { r.Expiry = d }) }

// ExpireAt makes tasks expire of which no attempt begins before t; see
// [Rules.ExpireAt].
func ExpireAt(t time.Time) PutOption { return withRules(func(r *Rules) { r.ExpireAt = t }) }

// WithAttempts sets how many failed attempts make a task dead.
func WithAttempts(n int) PutOption { return withRules(func(r *Rules) { r.Attempts = n }) }

// WithBackoff sets the waits between attempts.
func WithBackoff(b Backoff) PutOption { return withRules(func(r *Rules) { r.Backoff = b }) }

// WithKey makes tasks of one key run one after another; see [Rules.Key].
func WithKey(key string) PutOption { return withRules(func(r *Rules) { r.Key = key }) }

// WithUnique makes the Put of a task whose key is taken find the task that has
// it; see [Rules.Unique].
func WithUnique(key string, mode UniqueMode) PutOption {
	return withRules(func(r *Rules) { r.Unique, r.UniqueMode, r.UniqueFor = key, mode, 0 })
}

// UniqueFor is WithUnique for d from the Put on, whatever becomes of the task;
// 0: as long as the queue lives. It makes the keys of a queue a set of what was
// seen.
func UniqueFor(key string, d time.Duration) PutOption {
	return withRules(func(r *Rules) { r.Unique, r.UniqueMode, r.UniqueFor = key, UniqueForTime, d })
}

// WithLabels keeps the tasks for workers that have all these labels.
func WithLabels(labels ...string) PutOption {
	return withRules(func(r *Rules) { r.Labels = labels })
}

// KeepResult keeps the outcome and result of the tasks for d after their end;
// see [Rules.KeepResult].
func KeepResult(d time.Duration) PutOption { return withRules(func(r *Rules) { r.KeepResult = d }) }

// IgnoreDuplicates makes a Put return the ids of the tasks that have the keys
// of duplicates without an error.
func IgnoreDuplicates() PutOption { return func(o *PutOptions) { o.IgnoreDuplicates = true } }

// NoWait makes Put return [ErrQueueFull] where it would wait for room.
func NoWait() PutOption { return func(o *PutOptions) { o.NoWait = true } }

// DeadTask is a task that will not be handed over again, with the reason.
type DeadTask struct {
	Task
	// Reason is one line: what ended it ("5 attempts failed", "worker lost ×5").
	Reason string
	// Error and Stack are those of the last failed attempt, if it told any.
	Error, Stack string
	Counts       Counts
	DiedAt       time.Time
}

// Counts tells how the attempts of a task ended, each kind apart.
type Counts struct {
	Failed   uint32 `json:"failed"`    // the handler said no, or panicked
	TimedOut uint32 `json:"timed_out"` // ran longer than its timeout
	Lost     uint32 `json:"lost"`      // its holder died or fell silent
	Returned uint32 `json:"returned"`  // given back without having been started
	Snoozed  uint32 `json:"snoozed"`   // the handler asked to be called again later
}

func checkType(typ string) error {
	if len(typ) > maxTypeLen {
		return &LimitError{Kind: ErrTooLarge, Limit: "task type bytes", Value: int64(len(typ)), Max: maxTypeLen}
	}
	if !utf8.ValidString(typ) {
		return fmt.Errorf("%w: task type %q is not UTF-8", ErrInvalid, typ)
	}
	return nil
}

const maxTypeLen = 255

// Validate reports what is wrong with a task that is to be put, but for the
// size of its payload: [ErrInvalid], or a [*LimitError] that matches
// [ErrTooLarge].
func (t *Task) Validate() error {
	switch {
	case t.Delay < 0 || t.Delay > MaxTime:
		return fmt.Errorf("%w: delay of %v, want 0 to 100 years", ErrInvalid, t.Delay)
	case t.Timeout < 0 || t.Timeout > MaxTime:
		return fmt.Errorf("%w: timeout of %v, want 0 to 100 years", ErrInvalid, t.Timeout)
	}
	if t.Type != "" {
		if err := checkType(t.Type); err != nil {
			return err
		}
	}
	if t.Rules == nil {
		return nil
	}
	if t.Delay > 0 && !t.Rules.At.IsZero() {
		return fmt.Errorf("%w: Delay and At are both set, want one", ErrInvalid)
	}
	return t.Rules.Validate()
}
