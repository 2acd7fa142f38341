package reeve

import (
	"fmt"
	"time"
)

// State says where a task is. The first four are in a queue; the others have
// ended, and are known for as long as their outcome is kept.
type State uint8

// The states.
const (
	StateReady     State = 1 + iota // may be handed over, as far as it is up to its own times
	StateDelayed                    // waits for its time, or after a failed attempt
	StateLeased                     // is with a worker
	StateDead                       // a dead letter: will not be handed over again unless it is revived
	StateDone                       // acked or completed
	StateCancelled                  // was cancelled
	StateExpired                    // no attempt had begun in time
	StateDiscarded                  // its handler gave it up
	StatePurged                     // was removed: purged, or dropped by a shutdown
)

var stateNames = [...]string{"", "ready", "delayed", "leased", "dead", "done", "cancelled", "expired", "discarded", "purged"}

// String is the state's name.
func (s State) String() string {
	if s > 0 && int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Ended reports whether the task is not in its queue any more.
func (s State) Ended() bool { return s >= StateDone }

// ParseState reads the form of [State.String]; [ErrInvalid].
func ParseState(name string) (State, error) {
	for s, n := range stateNames {
		if n == name && s > 0 {
			return State(s), nil
		}
	}
	return 0, fmt.Errorf("%w: state %.100q, want one of ready, delayed, leased, dead, done, cancelled, expired, discarded, purged", ErrInvalid, name)
}

// MarshalText writes the form of [State.String].
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the form of [State.String].
func (s *State) UnmarshalText(b []byte) error {
	v, err := ParseState(string(b))
	if err == nil {
		*s = v
	}
	return err
}

// TaskInfo is what is known of one task at one moment.
type TaskInfo struct {
	Task
	Queue string
	State State
	// Size is the payload's, of which a list may show only the beginning.
	Size int
	// Since is when the task came into its state, as far as that is known; Due
	// when a delayed one becomes ready.
	Since, Due time.Time
	// Worker holds the task while it is leased, and LeaseUntil is when the lease
	// ends if nothing is heard of it; TimeoutAt when the attempt runs out of
	// time, zero: never.
	Worker     string
	LeaseUntil time.Time
	TimeoutAt  time.Time
	Progress   *Progress // the last that the handler told; nil: none
	Counts     Counts
	// Reason is why the task is dead or has ended; Error and Stack are those of
	// the last failed attempt that told any.
	Reason, Error, Stack string
	EndedAt              time.Time       // zero: it has not
	History              []AttemptRecord // of attempts that did not succeed, the oldest first
}

// AttemptRecord is one attempt that did not succeed.
type AttemptRecord struct {
	Attempt uint32    `json:"attempt"`
	Worker  string    `json:"worker"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	// Outcome is how it ended: failed, timed_out, lost, returned, snoozed, buried.
	Outcome string `json:"outcome"`
	Error   string `json:"error,omitempty"`
	Stack   string `json:"stack,omitempty"`
}

// Progress is what a running handler tells of its work.
type Progress struct {
	Percent float64   `json:"percent"` // 0 to 100
	Text    string    `json:"text,omitempty"`
	At      time.Time `json:"at"`
}

// MaxProgressText bounds the text of a [Progress], in bytes.
const MaxProgressText = 1 << 10

// Result is how a task ended.
type Result struct {
	ID    ID
	Queue string
	Type  string
	State State // done, dead, cancelled, expired, discarded, purged
	// Payload is what the handler returned, for a task that is done.
	Payload []byte
	// Reason tells why the task is not done; Error is that of its last attempt.
	Reason, Error string
	Attempts      uint32
	EndedAt       time.Time
}

// Err is nil for a task that is done; otherwise it matches [ErrTaskDead],
// [ErrCancelled], [ErrExpired], [ErrDiscarded] or [ErrPurged] and tells why.
func (r *Result) Err() error {
	kind := map[State]error{
		StateDead: ErrTaskDead, StateCancelled: ErrCancelled, StateExpired: ErrExpired,
		StateDiscarded: ErrDiscarded, StatePurged: ErrPurged,
	}[r.State]
	switch {
	case r.State == StateDone:
		return nil
	case kind == nil:
		return fmt.Errorf("%w: task %v is %v", ErrInternal, r.ID, r.State)
	case r.Reason != "":
		return fmt.Errorf("%w: %v: %s", kind, r.ID, r.Reason)
	}
	return fmt.Errorf("%w: %v", kind, r.ID)
}

// Filter says which tasks of a queue are meant: those for which every field
// that is set holds.
type Filter struct {
	IDs    []ID      // at most [MaxBatch]
	States []State   // of ready, delayed, leased, dead
	Types  []string  // at most [MaxTypes]; the empty one is a type too
	Key    string    // Rules.Key
	Unique string    // Rules.Unique
	Error  string    // a part of the last error or the reason
	Before time.Time // put before then, by the master's clock
}

// Page is a part of a list, in the order of the ids.
type Page struct {
	Tasks []TaskInfo
	// Next continues the list after this page; 0: this was the last. A page may
	// be short, and even empty, although there are more.
	Next ID
}

// ListOptions say how much of a list is wanted.
type ListOptions struct {
	After ID  // Page.Next of the page before; 0: from the beginning
	Max   int // tasks of a page, 1 to [MaxBatch]; 0: 100
	// Payload is how many bytes of each payload are shown. 0: none; [NoLimit]:
	// all.
	Payload int
}

// TypeStats are the numbers of one task type in one queue.
type TypeStats struct {
	Type    string `json:"type"`
	Ready   int    `json:"ready"`
	Delayed int    `json:"delayed"`
	Leased  int    `json:"leased"`
	Dead    int    `json:"dead"`
	Takers  int    `json:"takers"` // consumers and waiting Gets that take the type
}

// ReasonCode says what kind of reason keeps a task from running.
type ReasonCode string

// The reasons.
const (
	ReasonPaused          ReasonCode = "paused"           // the queue is paused
	ReasonWindow          ReasonCode = "window"           // outside of the queue's windows
	ReasonDelayed         ReasonCode = "delayed"          // its delay or time
	ReasonBackoff         ReasonCode = "backoff"          // the wait after a failed attempt
	ReasonRate            ReasonCode = "rate"             // the queue's rate
	ReasonConcurrency     ReasonCode = "concurrency"      // the queue's concurrency
	ReasonTypeConcurrency ReasonCode = "type_concurrency" // its type's concurrency
	ReasonKey             ReasonCode = "key"              // others of its key come first
	ReasonKeyRate         ReasonCode = "key_rate"         // its key's rate
	ReasonReserve         ReasonCode = "reserve"          // the free slots are reserved for higher priorities
	ReasonNoWorker        ReasonCode = "no_worker"        // no consumer of the queue at all
	ReasonNoHandler       ReasonCode = "no_handler"       // no worker with a handler for its type
	ReasonLabels          ReasonCode = "labels"           // no worker that has its labels
	ReasonBusy            ReasonCode = "busy"             // all slots that could take it are in use
	ReasonSuspect         ReasonCode = "suspect"          // lost workers before, and runs apart from others that did
	ReasonOrder           ReasonCode = "order"            // others are before it
	ReasonLeased          ReasonCode = "leased"           // it runs
	ReasonResult          ReasonCode = "result"           // it has run, and its result waits for room in a queue
	ReasonDead            ReasonCode = "dead"             // it is a dead letter
	ReasonEnded           ReasonCode = "ended"            // it is done, cancelled, expired, discarded or purged
	ReasonStopped         ReasonCode = "stopped"          // the master is stopping
)

// Reason is one of the reasons why a task is not running now.
type Reason struct {
	Code ReasonCode `json:"code"`
	// Text is the reason in a line.
	Text string `json:"text"`
	// Until is when it ends, by the master's clock; zero: not known.
	Until time.Time `json:"until,omitzero"`
	// Tasks are those that are in the way, at most 16 of them; Worker has the
	// first.
	Tasks  []ID   `json:"tasks,omitempty"`
	Worker string `json:"worker,omitempty"`
	// Have and Limit are the numbers of a limit: how many of how many.
	Have  int `json:"have,omitempty"`
	Limit int `json:"limit,omitempty"`
}

// Explanation is every reason at once for which a task is not running.
type Explanation struct {
	ID    ID     `json:"id"`
	Queue string `json:"queue"`
	State State  `json:"state"`
	// Now is when it was so, by the master's clock.
	Now     time.Time `json:"now"`
	Reasons []Reason  `json:"reasons"`
}

// Event is something that happened to a task or a queue.
type Event struct {
	Time    time.Time `json:"time"`
	Queue   string    `json:"queue"`
	Kind    EventKind `json:"event"`
	ID      ID        `json:"id,omitempty"`
	Type    string    `json:"type,omitempty"`
	Attempt uint32    `json:"attempt,omitempty"`
	Worker  string    `json:"worker,omitempty"`
	// Text tells more: an error, a reason.
	Text string `json:"text,omitempty"`
	// Missed is how many events were left out before this one because the
	// reader was too slow.
	Missed uint64 `json:"missed,omitempty"`
}

// EventKind says what happened.
type EventKind string

// The kinds of [Event].
const (
	EventPut       EventKind = "put"
	EventReady     EventKind = "ready" // a delay is over
	EventStarted   EventKind = "started"
	EventDone      EventKind = "done"
	EventFailed    EventKind = "failed"
	EventTimedOut  EventKind = "timed_out"
	EventLost      EventKind = "lost"
	EventReturned  EventKind = "returned"
	EventSnoozed   EventKind = "snoozed"
	EventDead      EventKind = "dead"
	EventRevived   EventKind = "revived"
	EventCancelled EventKind = "cancelled"
	EventExpired   EventKind = "expired"
	EventDiscarded EventKind = "discarded"
	EventPurged    EventKind = "purged"
	EventMoved     EventKind = "moved"
	EventPaused    EventKind = "paused"
	EventResumed   EventKind = "resumed"
	EventDeclared  EventKind = "declared" // a queue, that was not there
	EventDeleted   EventKind = "deleted"  // a queue, with all that was in it
)

// WorkerInfo is one client of a master that takes tasks, or may.
type WorkerInfo struct {
	ID    uint64    `json:"id"` // of its session: another one after a reconnect
	Name  string    `json:"name"`
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Impl  string    `json:"impl"` // program and version
	Addr  string    `json:"addr"`
	Since time.Time `json:"since"`
	// Heard is how long ago it was heard of last.
	Heard time.Duration `json:"heard_ns"`
	// Queues are its standing supplies, as many as take 1 MiB to tell.
	Queues  []WorkerQueue `json:"queues"`
	Running []WorkerTask  `json:"running"` // the oldest first, at most 256
	Leased  int           `json:"leased"`  // all it holds
}

// WorkerQueue is one standing supply of a worker, or a part of one.
type WorkerQueue struct {
	// Supply tells the worker's supplies apart: those parts of one that are in
	// several queues share its slots.
	Supply uint64   `json:"supply"`
	Queue  string   `json:"queue"`
	Types  []string `json:"types"` // null: all
	Labels []string `json:"labels"`
	Slots  int      `json:"slots"`
	Used   int      `json:"used"`
}

// WorkerTask is one task that a worker holds.
type WorkerTask struct {
	Queue   string        `json:"queue"`
	ID      ID            `json:"id"`
	Type    string        `json:"type"`
	Attempt uint32        `json:"attempt"`
	Age     time.Duration `json:"age_ns"`
}

// Command is a message to workers.
type Command struct {
	Do CommandKind
	// Concurrency is for [CommandConcurrency]: how many handlers run at a time,
	// 1 to [MaxSlots].
	Concurrency int
}

// CommandKind says what workers are to do.
type CommandKind string

// The commands.
const (
	CommandReport      CommandKind = "report"      // tell how you are
	CommandDrain       CommandKind = "drain"       // stop after the current tasks
	CommandConcurrency CommandKind = "concurrency" // run that many handlers at a time
)

// WorkerSelector says which workers are meant: those with one of the IDs, if
// any are given, and with all of the Labels. The zero value means all that
// answer commands.
type WorkerSelector struct {
	IDs    []uint64
	Labels []string
}

// Report is a worker's answer to a command.
type Report struct {
	Worker string        `json:"worker"` // filled in by the master
	ID     uint64        `json:"id"`     // filled in by the master
	Error  string        `json:"error,omitempty"`
	Status *WorkerStatus `json:"status,omitempty"`
}

// WorkerStatus is how a worker is.
type WorkerStatus struct {
	Uptime      time.Duration `json:"uptime_ns"`
	Concurrency int           `json:"concurrency"`
	Running     int           `json:"running"`
	Done        uint64        `json:"done"`
	Failed      uint64        `json:"failed"`
	Stuck       int           `json:"stuck"` // handlers that do not return
	Draining    bool          `json:"draining"`
	Goroutines  int           `json:"goroutines"`
	HeapBytes   uint64        `json:"heap_bytes"`
}
