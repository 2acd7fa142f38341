package reeve

import (
	"context"
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
	Put(ctx context.Context, tasks []Task, opts ...PutOption) ([]ID, error)

	// Get waits for at least one task and returns up to max (1 to [MaxBatch])
	// leases. [ErrShutdown] when the queue was shut down and is empty.
	Get(ctx context.Context, max int) ([]*Lease, error)

	// TryGet is Get that returns [ErrEmpty] instead of waiting.
	TryGet(ctx context.Context, max int) ([]*Lease, error)

	// Consume asks for a standing supply of leases, never more than slots (1
	// to [MaxSlots]) unsettled ones at a time. It is what workers use.
	Consume(ctx context.Context, slots int) (Consumer, error)

	// Stats returns the queue's numbers. Its cost does not depend on how many
	// tasks there are.
	Stats(ctx context.Context) (QueueStats, error)

	// Join waits until every task put so far and until then is settled: acked,
	// completed or dead. As queue.Queue.join does in Python, with Ack in the
	// part of task_done.
	Join(ctx context.Context) error

	// Shutdown ends the queue for producers: Put returns [ErrShutdown] from
	// now on, waiting Puts too. With immediate false consumers get what is
	// there, then [ErrShutdown]; with immediate true, tasks that are not leased
	// are dropped and counted in [QueueStats.Dropped]. Leases stand either way.
	Shutdown(ctx context.Context, immediate bool) error

	// Dead returns up to max (1 to [MaxBatch]) dead tasks, oldest first,
	// after skipping the first skip ones. It changes nothing.
	Dead(ctx context.Context, skip, max int) ([]DeadTask, error)
}

// Limits of the calls of [Queue].
const (
	MaxBatch = 4096    // tasks of one Put or one Get
	MaxSlots = 1 << 16 // slots of one Consumer
)

// Consumer is a standing supply of leases from one queue. Its methods may be
// called from any number of goroutines.
type Consumer interface {
	// Next waits for the next lease. After a lost connection it goes on when
	// the connection is back. [ErrShutdown] when the queue was shut down and
	// is empty, [ErrClosed] after Close.
	Next(ctx context.Context) (*Lease, error)

	// SetSlots changes how many unsettled leases the consumer may hold, from
	// now on; zero pauses it. It does not wait. [ErrInvalid] outside 0 to
	// [MaxSlots].
	SetSlots(n int) error

	// Close ends the supply and gives back, to the front of the queue, what
	// Next has not returned. Leases returned by Next stand.
	Close() error
}

// QueueConfig says how a queue behaves. The zero value is usable: every field
// has a default.
type QueueConfig struct {
	// MaxLen bounds how many tasks may wait (ready and delayed). 0: unbounded.
	MaxLen int
	// MaxBytes bounds the memory of all tasks the queue keeps, leased and dead
	// ones included: their payloads, and 256 bytes for each task. 0:
	// [DefaultMaxBytes]; [NoLimit]: unbounded.
	MaxBytes int64
	// Refuse makes a full queue an error for every Put instead of a wait.
	Refuse bool
	// Lease is how long a silent holder keeps its tasks. 0: [DefaultLease];
	// at least 100 ms, at most 24 h.
	Lease time.Duration
	// Timeout is how long one attempt may run, for tasks that do not say it.
	// 0: as long as it takes.
	Timeout time.Duration
	// Attempts is how many failed or timed out attempts, and apart from them
	// how many lost holders, make a task dead. 0: [DefaultAttempts]; at most 1,000,000.
	Attempts int
}

// Defaults of [QueueConfig].
const (
	DefaultMaxBytes int64 = 1 << 30
	DefaultLease          = 30 * time.Second
	DefaultAttempts       = 5
	NoLimit         int64 = -1
)

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
}

// Unsettled is how many tasks Join waits for.
func (s QueueStats) Unsettled() int { return s.Ready + s.Delayed + s.Leased }
