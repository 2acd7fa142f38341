package record

import (
	"time"

	"github.com/reeveq/reeve"
)

// Kind is what a record is about. Numbers are append-only.
type Kind uint8

// The kinds of records.
const (
	KindMaster  Kind = 1
	KindQueue   Kind = 2
	KindPause   Kind = 3
	KindClient  Kind = 4
	KindGone    Kind = 5
	KindRequest Kind = 6
	KindPut     Kind = 7
	KindTask    Kind = 8
	KindLease   Kind = 9
	KindExtend  Kind = 10
	KindState   Kind = 11
	KindMove    Kind = 12
	KindEnd     Kind = 13
	KindResult  Kind = 14
	KindUnique  Kind = 15
	KindDelete  Kind = 16
	KindObject  Kind = 17
	KindDrop    Kind = 18
	KindEntry   Kind = 19
	KindRemove  Kind = 20
	KindAnswer  Kind = 21
)

// Head is how a frame begins.
type Head struct {
	Time int64 // when the frame was begun: Unix nanoseconds
}

// Master is a start of the master.
type Master struct {
	Epoch uint64   // of the memory that the journal is
	Start int64    // Unix nanoseconds
	Last  reeve.ID // no id up to this one is given out again
}

// Queue is a queue's name and configuration, which stand for the number from
// then on. Of several for one number the last counts.
type Queue struct {
	No     uint32
	Name   string
	Config []byte // JSON
}

// Delete ends a queue, with all that was said of its number. What comes of its
// tasks that were moved elsewhere before is not touched.
type Delete struct{ Queue uint32 }

// Pause begins or ends a pause of a queue.
type Pause struct {
	Queue  uint32
	Paused bool
	Reason string
}

// Client is a client whose requests are remembered by the number.
type Client struct {
	No      uint32
	Key     string
	Process [16]byte
}

// Gone forgets a client.
type Gone struct{ Client uint32 }

// Request is the outcome of Count requests of a client, from Req on: each was
// carried out; ids count up from First, unless that is 0. The client waits for
// nothing below Low any more.
type Request struct {
	Client uint32
	Req    uint64
	Low    uint64
	Count  uint32
	First  reeve.ID
}

// State is where a task is. Numbers are append-only.
type State uint8

// The states of a task in records.
const (
	Ready   State = 1
	Delayed State = 2
	Leased  State = 3
	Dead    State = 4
)

// Body is what the put of a task said. All times are Unix nanoseconds.
type Body struct {
	Type     string
	Payload  []byte
	Priority int32
	Source   reeve.ID
	PutAt    int64
	Extra    *Extra // nil: nothing out of the ordinary was asked for
	Blobs    []reeve.BlobRef
}

// Extra is what few puts ask for.
type Extra struct {
	Timeout     int64 // nanoseconds; 0: the queue's
	Attempts    int32 // 0: the queue's
	Key         string
	Unique      string
	Mode        reeve.UniqueMode
	Claimed     bool  // it holds its unique key
	UniqueUntil int64 // the key is taken until then; 0: as the mode says
	Labels      []string
	Backoff     *reeve.Backoff // nil: the queue's
	ExpireAt    int64          // 0: never
	ExpireWall  bool           // ExpireAt follows the wall clock when that is set
	Keep        int64          // of the result, in nanoseconds; 0: the queue's; below: not at all
	Asked       bool           // it counts as a task with rules
}

// Put is a new task: ready, or delayed until Due.
type Put struct {
	Queue uint32
	ID    reeve.ID
	Due   int64 // Unix nanoseconds; 0: ready
	Wall  bool  // Due follows the wall clock when that is set
	Order int64 // among those that are ready: the lowest is next; 0: as its id
	Body  Body
}

// Standing is where a task stands and what has happened to it.
type Standing struct {
	State     State
	Due       int64 // Delayed: Unix nanoseconds. Dead: since when it is kept as that
	Wall      bool  // Due follows the wall clock when that is set
	Order     int64 // Ready: the lowest is next; 0: as its id
	Claimable bool  // Ready: its last holder may have it back
	Blamed    bool  // Claimable: the loss counts as the task's own fault
	Turn      bool  // Ready, Delayed: it is one of those that its key lets run
	Claimed   bool  // it holds its unique key
	Client    uint32
	Until     int64 // Leased: the lease stands until then at least; 0: nothing was said
	Attempt   uint32
	Counts    reeve.Counts
	Error     string // of the last attempt that told one
	Reason    string // Dead
	Last      bool   // Dead: Error belongs to the reason
	DiedAt    int64  // Dead
	ReadyAt   int64  // since when it could be handed over; 0: not known

	// Append: History is to be added to what there is; else it is all.
	Append  bool
	History []reeve.AttemptRecord
}

// Task is a whole task as it is now, which replaces all that was said of it.
type Task struct {
	Queue uint32
	ID    reeve.ID
	Body  Body
	Now   Standing
}

// Lease is a hand-over to a client; 0: to the master's own process.
type Lease struct {
	Queue   uint32
	ID      reeve.ID
	Attempt uint32
	Client  uint32
}

// Extend makes the lease outlast the holder's silence until a time.
type Extend struct {
	Queue uint32
	ID    reeve.ID
	Until int64
}

// Stand is a change of where a task stands.
type Stand struct {
	Queue uint32
	ID    reeve.ID
	Now   Standing
}

// Move moves a task to another queue: behind all others there, if it is ready.
type Move struct {
	Queue   uint32
	To      uint32
	ID      reeve.ID
	Claimed bool // it holds its unique key there
}

// End ends a task, of which nothing is kept.
type End struct {
	Queue uint32
	ID    reeve.ID
}

// Result ends a task, or says how it ended, and is kept until a time.
type Result struct {
	Queue    uint32
	ID       reeve.ID
	Type     string
	State    reeve.State
	Payload  []byte
	Reason   string
	Error    string
	Attempts uint32
	EndedAt  time.Time
	Until    int64
	Blobs    []reeve.BlobRef
}

// Unique is a unique key that outlives its task.
type Unique struct {
	Queue uint32
	Key   string
	ID    reeve.ID
	Mode  reeve.UniqueMode
	Until int64 // 0: for ever
}
