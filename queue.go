package reeve

import (
	"context"
	"fmt"
	"time"
)

// Queue is a named queue of a master, at the level of bytes. The master's own
// handle and a remote proxy are both one; [TypedQueue] is the view for values.
//
// All methods may be called from any number of goroutines. Every wait ends
// with ctx, whose error then is the result (errors.Is with context.Canceled or
// context.DeadlineExceeded holds). Errors that every method may return:
// [ErrNoSuchQueue], [ErrClosed] after the handle's client or master was closed.
type Queue interface {
	// Name is the queue's name.
	Name() string

	// Put adds the tasks in order, all or none, and returns their ids. It
	// waits while the queue is full, unless NoWait is given or the queue
	// refuses by configuration ([ErrQueueFull]). [ErrShutdown] after Shutdown,
	// [ErrTooLarge] for a payload over the master's limit, [ErrInvalid] for a
	// field out of range. When ctx ends while the master's answer is on its
	// way, the tasks may have been put.
	//
	// If any task has a unique key, each is put, or found there, on its own.
	// The ids of those that were there already are those of the earlier tasks,
	// and the error is a [*DuplicateError], unless IgnoreDuplicates is given.
	// With any other error the ids that are not 0 tell what was put.
	Put(ctx context.Context, tasks []Task, opts ...PutOption) ([]ID, error)

	Supply

	// Pause ends hand-overs until Resume: leases stand, Puts go on. reason, at
	// most [MaxErrorText] bytes, is told to who asks why nothing runs. A second
	// Pause changes the reason.
	Pause(ctx context.Context, reason string) error
	// Resume ends a Pause; without one it does nothing.
	Resume(ctx context.Context) error

	// Stats returns the queue's numbers. Its cost does not depend on how many
	// tasks there are.
	Stats(ctx context.Context) (QueueStats, error)

	// Join waits until every task put so far and until then is settled: it has
	// ended, or is dead. As queue.Queue.join does in Python, with Ack in the part
	// of task_done.
	Join(ctx context.Context) error

	// Shutdown ends the queue for producers: Put returns [ErrShutdown] from
	// now on, waiting Puts too. With immediate false consumers get what is
	// there, then [ErrShutdown]; with immediate true, tasks that are not leased
	// are dropped and counted in [QueueStats.Dropped]. Leases stand either way.
	Shutdown(ctx context.Context, immediate bool) error

	// Dead returns up to max (1 to [MaxBatch]) dead tasks, oldest first,
	// after skipping the first skip ones. It changes nothing.
	Dead(ctx context.Context, skip, max int) ([]DeadTask, error)

	// Peek returns up to max (1 to [MaxBatch]) of the ready tasks, with their
	// payloads, in the order in which they would be handed over now, or fewer when
	// they have more than about 1 MiB. It changes nothing.
	Peek(ctx context.Context, max int) ([]TaskInfo, error)
}

// Supply is where tasks come from: a [Queue], or several at once (the From
// method of a master or a client).
type Supply interface {
	// Get waits for at least one task and returns up to max (1 to [MaxBatch])
	// leases. [ErrShutdown] when the queue was shut down and is empty.
	Get(ctx context.Context, max int, opts ...GetOption) ([]*Lease, error)

	// TryGet is Get that returns [ErrEmpty] instead of waiting.
	TryGet(ctx context.Context, max int, opts ...GetOption) ([]*Lease, error)

	// Consume asks for a standing supply of leases, never more than slots (1
	// to [MaxSlots]) unsettled ones at a time. It is what workers use.
	Consume(ctx context.Context, slots int, opts ...GetOption) (Consumer, error)
}

// GetOption says which tasks are wanted.
type GetOption func(*GetOptions)

// GetOptions is what the options of one Get or Consume add up to.
type GetOptions struct {
	// Types are the task types that are wanted; nil: all.
	Types []string
	// Labels are what the taker has, for tasks that ask for it.
	Labels []string
	// UntilEmpty ends a Get of a queue that was shut down when nothing waits in it,
	// although tasks that are leased may come back to it.
	UntilEmpty bool
}

// NewGetOptions applies opts in order.
func NewGetOptions(opts ...GetOption) GetOptions {
	var o GetOptions
	for _, f := range opts {
		f(&o)
	}
	return o
}

// Validate reports what is out of range: [ErrInvalid], or a [*LimitError].
func (o *GetOptions) Validate() error {
	if len(o.Types) > MaxTypes {
		return &LimitError{Kind: ErrTooLarge, Limit: "task types of one consumer", Value: int64(len(o.Types)), Max: MaxTypes}
	}
	for _, t := range o.Types {
		if err := checkType(t); err != nil {
			return err
		}
	}
	return CheckLabels(o.Labels)
}

// ForTypes takes tasks of these types only; the empty one is a type too. At
// most [MaxTypes]. Without it, tasks of all types are taken.
func ForTypes(types ...string) GetOption {
	return func(o *GetOptions) { o.Types = append([]string{}, types...) }
}

// HavingLabels takes tasks too that ask for these labels. At most [MaxLabels].
func HavingLabels(labels ...string) GetOption {
	return func(o *GetOptions) { o.Labels = append([]string{}, labels...) }
}

// UntilEmpty ends a Get with [ErrShutdown] as soon as the queue was shut down and
// has no task that waits, as queue.Queue.get does in Python. Without it tasks that
// are leased are waited for, which may come back. A [Consumer] always waits for
// them.
func UntilEmpty() GetOption {
	return func(o *GetOptions) { o.UntilEmpty = true }
}

// Source is one of several queues that tasks are taken from at once. When
// tasks wait in more than one, each queue has its share of the hand-overs in
// proportion to its weight, 1 to 1000; if all weights are 0, the first queue
// in the list that has tasks is always served first.
type Source struct {
	Queue  string
	Weight int
}

// CheckSources reports what is wrong with a list of sources: [ErrInvalid].
func CheckSources(sources []Source) error {
	if len(sources) < 1 || len(sources) > MaxSources {
		return fmt.Errorf("%w: %d sources, want 1 to %d", ErrInvalid, len(sources), MaxSources)
	}
	seen := map[string]bool{}
	for _, s := range sources {
		switch {
		case seen[s.Queue]:
			return fmt.Errorf("%w: queue %q is a source twice", ErrInvalid, s.Queue)
		case s.Weight < 0 || s.Weight > MaxWeight:
			return fmt.Errorf("%w: source %q has weight %d, want 0 to %d", ErrInvalid, s.Queue, s.Weight, MaxWeight)
		case (s.Weight == 0) != (sources[0].Weight == 0):
			return fmt.Errorf("%w: some sources have weights and some have none", ErrInvalid)
		}
		seen[s.Queue] = true
	}
	return nil
}

// Limits of the calls of [Queue].
const (
	MaxBatch = 4096    // tasks of one Put or one Get
	MaxSlots = 1 << 16 // slots of one Consumer

	MaxTypes   = 1024 // task types of one Consumer
	MaxSources = 64   // queues of one Consumer
	MaxWeight  = 1000 // of one of them
)

// Consumer is a standing supply of leases, from one queue or several. Its
// methods may be called from any number of goroutines.
type Consumer interface {
	// Next waits for the next lease. After a lost connection it goes on when
	// the connection is back. [ErrShutdown] when the queue was shut down and
	// is empty (of several: when all were), [ErrClosed] after Close.
	Next(ctx context.Context) (*Lease, error)

	// SetSlots changes how many unsettled leases the consumer may hold, from
	// now on; zero pauses it. It does not wait. [ErrInvalid] outside 0 to
	// [MaxSlots], [ErrClosed] after Close.
	SetSlots(n int) error

	// Close ends the supply and gives back, to the front of its queue, what
	// Next has not returned. Leases returned by Next stand.
	Close() error
}

// QueueStats are the numbers of one queue at one moment.
type QueueStats struct {
	Name     string `json:"name"`
	Ready    int    `json:"ready"`     // may be handed over now
	Delayed  int    `json:"delayed"`   // wait for their time
	Leased   int    `json:"leased"`    // are with a holder
	Dead     int    `json:"dead"`      // will not be handed over again
	Bytes    int64  `json:"bytes"`     // of all of these: payloads, and 256 for each task
	MaxLen   int    `json:"max_len"`   // 0: unbounded
	MaxBytes int64  `json:"max_bytes"` // -1: unbounded

	// OldestReady is the age of the oldest task that may be handed over now.
	OldestReady time.Duration `json:"oldest_ready_ns"`

	WaitingPuts int  `json:"waiting_puts"` // Puts that wait for room
	Consumers   int  `json:"consumers"`    // consumers and waiting Gets
	FreeSlots   int  `json:"free_slots"`   // tasks they could take now
	Shutdown    bool `json:"shutdown"`

	// Counters since the master started.
	Put         uint64 `json:"put"`
	Done        uint64 `json:"done"`        // acked and completed
	Redelivered uint64 `json:"redelivered"` // hand-overs after the first
	Failed      uint64 `json:"failed"`      // attempts, as in Counts
	TimedOut    uint64 `json:"timed_out"`
	Lost        uint64 `json:"lost"`
	Returned    uint64 `json:"returned"`
	Buried      uint64 `json:"buried"`    // tasks that became dead, for whatever reason
	Refused     uint64 `json:"refused"`   // tasks not taken because the queue was full
	Dropped     uint64 `json:"dropped"`   // by an immediate Shutdown
	LateAcks    uint64 `json:"late_acks"` // ends of leases that were lost before

	Snoozed    uint64 `json:"snoozed"`    // attempts whose handler asked to be called again later
	Skipped    uint64 `json:"skipped"`    // tasks whose handler had nothing to do; counted in Done too
	Discarded  uint64 `json:"discarded"`  // tasks whose handler gave them up
	Cancelled  uint64 `json:"cancelled"`  // tasks that were cancelled
	Expired    uint64 `json:"expired"`    // tasks of which no attempt had begun in time
	Duplicates uint64 `json:"duplicates"` // tasks not put because their unique key was taken
	Revived    uint64 `json:"revived"`    // dead tasks that were made ready again
	Purged     uint64 `json:"purged"`     // tasks that were purged, and dead ones over MaxDead or DeadFor
	MovedIn    uint64 `json:"moved_in"`   // tasks that came from another queue by Move
	MovedOut   uint64 `json:"moved_out"`  // and that went there

	Paused      bool   `json:"paused"`
	PauseReason string `json:"pause_reason,omitempty"`
	// Closed is set outside of the queue's windows.
	Closed bool `json:"closed"`
	// Held is why no task may be handed over now, whoever asks: paused, window,
	// concurrency or rate; empty: there is no such reason.
	Held ReasonCode `json:"held,omitempty"`
	// NoWorker is how many of Ready no connected consumer takes, because of
	// their type or their labels; of very many types, of some.
	NoWorker int `json:"no_worker"`
	// Blocked is how many of Ready wait for others of their key.
	Blocked int `json:"blocked"`
	Keys    int `json:"keys"`    // keys that have tasks
	Uniques int `json:"uniques"` // unique keys that are taken

	Results      int    `json:"results"`         // outcomes kept by id
	ResultBytes  int64  `json:"result_bytes"`    // of these
	ResultsEarly uint64 `json:"results_evicted"` // outcomes given up before their time, for room

	// Wait is how long tasks stood ready before an attempt, Run how long
	// attempts took.
	Wait Histogram `json:"wait"`
	Run  Histogram `json:"run"`
}

// Histogram counts durations by size: Counts[i] those below 2^i microseconds
// and, but for the first, not below 2^(i-1). Trailing zeros may be left out.
type Histogram struct {
	Counts []uint64 `json:"counts,omitempty"`
	Sum    uint64   `json:"sum_us"` // of all, in microseconds
}

// Unsettled is how many tasks Join waits for.
func (s QueueStats) Unsettled() int { return s.Ready + s.Delayed + s.Leased }
