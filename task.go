package reeve

import "time"

// Task is the unit of work. A producer fills Payload and the optional fields
// of the first group; the master fills the second group, and ignores it in a
// task that is put.
type Task struct {
	// Payload belongs to the queue from Put on, and to the lease's holder from
	// Get on; nobody may change its bytes after Put.
	Payload []byte
	// Type names the handler that is to run the task. Empty is a type too.
	Type string
	// Delay keeps the task from being handed over for that long. Zero: at once.
	Delay time.Duration
	// Timeout is how long one attempt may run. Zero: the queue's.
	Timeout time.Duration

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
	// NoWait makes a full queue an error instead of a wait.
	NoWait bool
}

// NewPutOptions applies opts in order.
func NewPutOptions(opts ...PutOption) PutOptions {
	var o PutOptions
	for _, f := range opts {
		f(&o)
	}
	return o
}

// Apply fills the fields that t leaves zero from the options.
func (o *PutOptions) Apply(t *Task) {
	if t.Type == "" {
		t.Type = o.Task.Type
	}
	if t.Delay == 0 {
		t.Delay = o.Task.Delay
	}
	if t.Timeout == 0 {
		t.Timeout = o.Task.Timeout
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
}
