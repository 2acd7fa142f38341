package wire

import (
	"time"

	"github.com/reeveq/reeve"
)

// Message is one of the message structs of this package, or a pointer to one.
type Message interface{ wireType() Type }

// Hello is the first message of a client, on the control stream.
type Hello struct {
	Version uint64   `cbor:"1,keyasint"`
	Impl    string   `cbor:"2,keyasint,omitempty"` // program and version, for people
	Client  ClientID `cbor:"3,keyasint"`
	Host    string   `cbor:"4,keyasint,omitempty"`
	PID     uint64   `cbor:"5,keyasint,omitempty"`
	Name    string   `cbor:"6,keyasint,omitempty"`
	Epoch   uint64   `cbor:"7,keyasint,omitempty"` // of the last Welcome; 0: the first time
	Low     uint64   `cbor:"8,keyasint,omitempty"` // lowest request without an answer
	// Commands: the client carries out [Command] messages.
	Commands bool `cbor:"9,keyasint,omitempty"`
}

// Welcome is the master's answer to [Hello].
type Welcome struct {
	Version    uint64        `cbor:"1,keyasint"`
	Impl       string        `cbor:"2,keyasint,omitempty"`
	Epoch      uint64        `cbor:"3,keyasint,omitempty"`
	Session    uint64        `cbor:"4,keyasint,omitempty"`
	Resumed    bool          `cbor:"5,keyasint,omitempty"`
	Heartbeat  time.Duration `cbor:"6,keyasint,omitempty"`
	MaxFrame   uint64        `cbor:"7,keyasint,omitempty"`
	MaxPayload uint64        `cbor:"8,keyasint,omitempty"`
	Window     uint64        `cbor:"9,keyasint,omitempty"`
	Time       int64         `cbor:"10,keyasint,omitempty"` // the master's wall clock, Unix nanoseconds
	MaxWaiting uint64        `cbor:"11,keyasint,omitempty"` // payload bytes of this client's requests that may wait for room
	Life       uint64        `cbor:"12,keyasint,omitempty"` // of the master: another one whenever it was started
	Recalled   bool          `cbor:"13,keyasint,omitempty"` // what became of this client's Calls is remembered
}

// Heartbeat is sent by the client and echoed by the master.
type Heartbeat struct {
	Seq uint64 `cbor:"1,keyasint,omitempty"`
}

// Lost tells the holder that a lease of this session does not stand any more.
type Lost struct {
	Queue   string   `cbor:"1,keyasint,omitempty"`
	ID      reeve.ID `cbor:"2,keyasint,omitempty"`
	Attempt uint32   `cbor:"3,keyasint,omitempty"`
	Code    int      `cbor:"4,keyasint,omitempty"`
	Text    string   `cbor:"5,keyasint,omitempty"`
}

// Goodbye ends the session on purpose. Code 0 is the normal end.
type Goodbye struct {
	Code int    `cbor:"1,keyasint,omitempty"`
	Text string `cbor:"2,keyasint,omitempty"`
}

// What a [Nack] is for.
const (
	CauseFailed   uint64 = 0
	CauseTimedOut uint64 = 1
	CauseReturned uint64 = 2 // never started: nothing is counted, back to the front

	CauseSnoozed   uint64 = 3 // again after Delay, no attempt is used up
	CauseSkipped   uint64 = 4 // there was nothing to do: the task is done
	CauseDiscarded uint64 = 5 // given up for good, and no dead letter
)

// Nack gives a task back, or ends it in the way that Cause says.
type Nack struct {
	Req     uint64        `cbor:"1,keyasint"`
	Low     uint64        `cbor:"2,keyasint,omitempty"`
	Queue   string        `cbor:"3,keyasint,omitempty"`
	ID      reeve.ID      `cbor:"4,keyasint,omitempty"`
	Attempt uint32        `cbor:"5,keyasint,omitempty"`
	Delay   time.Duration `cbor:"6,keyasint,omitempty"`
	Cause   uint64        `cbor:"7,keyasint,omitempty"`
	Error   string        `cbor:"8,keyasint,omitempty"`
	Stack   string        `cbor:"9,keyasint,omitempty"`
}

// Bury makes a task dead.
type Bury struct {
	Req     uint64   `cbor:"1,keyasint"`
	Low     uint64   `cbor:"2,keyasint,omitempty"`
	Queue   string   `cbor:"3,keyasint,omitempty"`
	ID      reeve.ID `cbor:"4,keyasint,omitempty"`
	Attempt uint32   `cbor:"5,keyasint,omitempty"`
	Error   string   `cbor:"8,keyasint,omitempty"`
	Stack   string   `cbor:"9,keyasint,omitempty"`
}

// Extend makes a lease outlast a silence of Duration.
type Extend struct {
	Req      uint64        `cbor:"1,keyasint"`
	Low      uint64        `cbor:"2,keyasint,omitempty"`
	Queue    string        `cbor:"3,keyasint,omitempty"`
	ID       reeve.ID      `cbor:"4,keyasint,omitempty"`
	Attempt  uint32        `cbor:"5,keyasint,omitempty"`
	Duration time.Duration `cbor:"6,keyasint,omitempty"`
}

// Claim names the leases of one queue that the client still holds after a
// reconnect, at most [MaxEntries]. The answer is [Answer] with Kept.
type Claim struct {
	Req     uint64 `cbor:"1,keyasint"`
	Low     uint64 `cbor:"2,keyasint,omitempty"`
	Queue   string `cbor:"3,keyasint,omitempty"`
	Entries Pairs  `cbor:"4,keyasint"`
	// Consumer is whose slots they take; 0: they came by Get.
	Consumer uint64 `cbor:"5,keyasint,omitempty"`
}

// Claimed says that the client has claimed all leases that it holds: what else
// was its own is not with it.
type Claimed struct {
	Req uint64 `cbor:"1,keyasint"`
	Low uint64 `cbor:"2,keyasint,omitempty"`
}

// Get asks for up to Max tasks. The answer is one Deliver with its request id.
type Get struct {
	Req    uint64 `cbor:"1,keyasint"`
	Low    uint64 `cbor:"2,keyasint,omitempty"`
	Queue  string `cbor:"3,keyasint,omitempty"`
	Max    uint64 `cbor:"4,keyasint,omitempty"`
	NoWait bool   `cbor:"5,keyasint,omitempty"`
	// Types nil: all; otherwise these, and none if there are none. Sources, when
	// there are any, take the place of Queue.
	Types   []string `cbor:"6,keyasint,omitzero"`
	Labels  []string `cbor:"7,keyasint,omitempty"`
	Sources []Source `cbor:"8,keyasint,omitempty"`
	// UntilEmpty: leased tasks that may come back to a queue that was shut down are
	// not waited for.
	UntilEmpty bool `cbor:"9,keyasint,omitempty"`
}

// Consume makes a consumer or changes its slots.
type Consume struct {
	Req      uint64 `cbor:"1,keyasint"`
	Low      uint64 `cbor:"2,keyasint,omitempty"`
	Queue    string `cbor:"3,keyasint,omitempty"`
	Consumer uint64 `cbor:"4,keyasint,omitempty"`
	Slots    uint64 `cbor:"5,keyasint,omitempty"`
	// As in [Get], when it makes the consumer. They stay as they are then.
	Types   []string `cbor:"6,keyasint,omitzero"`
	Labels  []string `cbor:"7,keyasint,omitempty"`
	Sources []Source `cbor:"8,keyasint,omitempty"`
}

// Unconsume ends a consumer.
type Unconsume struct {
	Req      uint64 `cbor:"1,keyasint"`
	Low      uint64 `cbor:"2,keyasint,omitempty"`
	Consumer uint64 `cbor:"4,keyasint,omitempty"`
}

// Cancel asks the master to stop waiting for the request Req. It is not a
// request itself and has no answer of its own.
type Cancel struct {
	Req uint64 `cbor:"1,keyasint"`
}

// StatsRequest asks for the numbers of one queue, or of all.
type StatsRequest struct {
	Req   uint64 `cbor:"1,keyasint"`
	Low   uint64 `cbor:"2,keyasint,omitempty"`
	Queue string `cbor:"3,keyasint,omitempty"`
}

// Join asks to be told when all tasks are settled.
type Join struct {
	Req   uint64 `cbor:"1,keyasint"`
	Low   uint64 `cbor:"2,keyasint,omitempty"`
	Queue string `cbor:"3,keyasint,omitempty"`
}

// ShutdownRequest ends a queue for producers.
type ShutdownRequest struct {
	Req       uint64 `cbor:"1,keyasint"`
	Low       uint64 `cbor:"2,keyasint,omitempty"`
	Queue     string `cbor:"3,keyasint,omitempty"`
	Immediate bool   `cbor:"4,keyasint,omitempty"`
}

// DeadRequest asks for dead tasks, oldest first.
type DeadRequest struct {
	Req   uint64 `cbor:"1,keyasint"`
	Low   uint64 `cbor:"2,keyasint,omitempty"`
	Queue string `cbor:"3,keyasint,omitempty"`
	Skip  uint64 `cbor:"4,keyasint,omitempty"`
	Max   uint64 `cbor:"5,keyasint,omitempty"`
}

// Answer is the answer to the requests that ask for something but tasks to
// work on: each has its fields.
type Answer struct {
	Req     uint64        `cbor:"1,keyasint"`
	Kept    []bool        `cbor:"2,keyasint,omitempty"`
	Lease   time.Duration `cbor:"3,keyasint,omitempty"`
	Timeout time.Duration `cbor:"4,keyasint,omitempty"`
	Queues  []Stats       `cbor:"5,keyasint,omitempty"`
	Dead    []Dead        `cbor:"6,keyasint,omitempty"`

	Tasks       []TaskInfo     `cbor:"7,keyasint,omitempty"` // Task (one), List, Peek
	Next        reeve.ID       `cbor:"8,keyasint,omitempty"` // List, Workers: where it goes on; 0: nowhere
	Explanation *Explanation   `cbor:"9,keyasint,omitempty"`
	Result      *Result        `cbor:"10,keyasint,omitempty"`
	Workers     []WorkerInfo   `cbor:"11,keyasint,omitempty"`
	Reports     []WorkerReport `cbor:"12,keyasint,omitempty"`
	Types       []TypeCounts   `cbor:"13,keyasint,omitempty"`
	Backup      *BackupPage    `cbor:"14,keyasint,omitempty"`
}

// Error is the answer to a request that failed. [ErrorFor] makes it and
// [Error.Err] reads it.
type Error struct {
	Req   uint64   `cbor:"1,keyasint"`
	Code  int      `cbor:"2,keyasint,omitempty"`
	Text  string   `cbor:"3,keyasint,omitempty"`
	Names []string `cbor:"4,keyasint,omitempty"` // ErrNoSuchQueue: queues that exist
	Limit *Limit   `cbor:"5,keyasint,omitempty"`
	Stack string   `cbor:"6,keyasint,omitempty"` // only from a master in debug mode
	Name  string   `cbor:"7,keyasint,omitempty"` // ErrNoSuchQueue: the queue asked for
	// ErrDuplicate: the id of the task that has the key; Act: how many tasks it
	// was done to before the error.
	First uint64 `cbor:"8,keyasint,omitempty"`
	// What a method of a shared object failed with: the registered errors that it
	// matches, at most eight, the object for people, and the method.
	Kinds  []reeve.ErrorKind `cbor:"9,keyasint,omitempty"`
	Object string            `cbor:"10,keyasint,omitempty"`
	Method string            `cbor:"11,keyasint,omitempty"`
}

// End tells that a consumer will get nothing more: its queue was shut down, or
// the master is about to go. The client forgets the consumer; Deliver messages
// that are on the bulk stream may still arrive.
type End struct {
	Consumer uint64 `cbor:"1,keyasint"`
	Queue    string `cbor:"2,keyasint,omitempty"`
	Code     int    `cbor:"3,keyasint,omitempty"`
	Text     string `cbor:"4,keyasint,omitempty"`
}

// Limit is the detail of an [Error] that is a [reeve.LimitError].
type Limit struct {
	Name  string `cbor:"1,keyasint,omitempty"`
	Value int64  `cbor:"2,keyasint,omitempty"`
	Max   int64  `cbor:"3,keyasint,omitempty"`
	Set   string `cbor:"4,keyasint,omitempty"`
}

func (Hello) wireType() Type           { return TypeHello }
func (Welcome) wireType() Type         { return TypeWelcome }
func (Heartbeat) wireType() Type       { return TypeHeartbeat }
func (Lost) wireType() Type            { return TypeLost }
func (Goodbye) wireType() Type         { return TypeGoodbye }
func (Nack) wireType() Type            { return TypeNack }
func (Bury) wireType() Type            { return TypeBury }
func (Extend) wireType() Type          { return TypeExtend }
func (Claim) wireType() Type           { return TypeClaim }
func (Claimed) wireType() Type         { return TypeClaimed }
func (Get) wireType() Type             { return TypeGet }
func (Consume) wireType() Type         { return TypeConsume }
func (Unconsume) wireType() Type       { return TypeUnconsume }
func (Cancel) wireType() Type          { return TypeCancel }
func (StatsRequest) wireType() Type    { return TypeStats }
func (Join) wireType() Type            { return TypeJoin }
func (ShutdownRequest) wireType() Type { return TypeShutdown }
func (DeadRequest) wireType() Type     { return TypeDead }
func (Answer) wireType() Type          { return TypeAnswer }
func (Error) wireType() Type           { return TypeError }
func (End) wireType() Type             { return TypeEnd }
