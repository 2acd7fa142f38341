package wire

import (
	"time"

	"github.com/reeveq/reeve"
)

// TaskRequest asks for all that is known of one task. The answer is [Answer]
// with Tasks.
type TaskRequest struct {
	Req uint64   `cbor:"1,keyasint"`
	Low uint64   `cbor:"2,keyasint,omitempty"`
	ID  reeve.ID `cbor:"3,keyasint,omitempty"`
}

// List asks for a page of the tasks of a queue. The answer is [Answer] with
// Tasks and Next.
type List struct {
	Req     uint64   `cbor:"1,keyasint"`
	Low     uint64   `cbor:"2,keyasint,omitempty"`
	Queue   string   `cbor:"3,keyasint,omitempty"`
	Filter  *Filter  `cbor:"4,keyasint,omitempty"`
	After   reeve.ID `cbor:"5,keyasint,omitempty"`
	Max     uint64   `cbor:"6,keyasint,omitempty"`
	Payload int64    `cbor:"7,keyasint,omitempty"` // bytes of each; -1: all
}

// Peek asks for the tasks that would be handed over next. The answer is
// [Answer] with Tasks.
type Peek struct {
	Req     uint64 `cbor:"1,keyasint"`
	Low     uint64 `cbor:"2,keyasint,omitempty"`
	Queue   string `cbor:"3,keyasint,omitempty"`
	Max     uint64 `cbor:"4,keyasint,omitempty"`
	Payload int64  `cbor:"5,keyasint,omitempty"` // bytes of each; -1: all
}

// Explain asks why a task is not running. The answer is [Answer] with
// Explanation.
type Explain struct {
	Req uint64   `cbor:"1,keyasint"`
	Low uint64   `cbor:"2,keyasint,omitempty"`
	ID  reeve.ID `cbor:"3,keyasint,omitempty"`
}

// CancelTask ends a task in whatever state it is. It has nothing to do with
// [Cancel].
type CancelTask struct {
	Req    uint64   `cbor:"1,keyasint"`
	Low    uint64   `cbor:"2,keyasint,omitempty"`
	ID     reeve.ID `cbor:"3,keyasint,omitempty"`
	Reason string   `cbor:"4,keyasint,omitempty"`
}

// What an [Act] does.
const (
	ActCancel uint64 = 1
	ActRevive uint64 = 2
	ActPurge  uint64 = 3
	ActMove   uint64 = 4
)

// Act does one thing to all tasks of a queue that Filter means. The answer is
// a Confirm whose first is how many they were ([Builder.ConfirmCount]).
type Act struct {
	Req    uint64  `cbor:"1,keyasint"`
	Low    uint64  `cbor:"2,keyasint,omitempty"`
	Queue  string  `cbor:"3,keyasint,omitempty"`
	Verb   uint64  `cbor:"4,keyasint,omitempty"`
	To     string  `cbor:"5,keyasint,omitempty"` // ActMove
	Filter *Filter `cbor:"6,keyasint,omitempty"`
	Reason string  `cbor:"7,keyasint,omitempty"` // ActCancel
}

// Pause ends the hand-overs of a queue until it is sent with Paused false.
type Pause struct {
	Req    uint64 `cbor:"1,keyasint"`
	Low    uint64 `cbor:"2,keyasint,omitempty"`
	Queue  string `cbor:"3,keyasint,omitempty"`
	Paused bool   `cbor:"4,keyasint,omitempty"`
	Reason string `cbor:"5,keyasint,omitempty"`
}

// ResultRequest asks how a task ended, or with Wait to be told when it has.
// The answer is [Answer] with Result.
type ResultRequest struct {
	Req  uint64   `cbor:"1,keyasint"`
	Low  uint64   `cbor:"2,keyasint,omitempty"`
	ID   reeve.ID `cbor:"3,keyasint,omitempty"`
	Wait bool     `cbor:"4,keyasint,omitempty"`
}

// WorkersRequest asks for the clients of the master whose sessions have numbers
// above After, in their order. The answer is [Answer] with Workers, and Next
// when there are more.
type WorkersRequest struct {
	Req   uint64 `cbor:"1,keyasint"`
	Low   uint64 `cbor:"2,keyasint,omitempty"`
	After uint64 `cbor:"3,keyasint,omitempty"`
}

// CommandRequest has the master send a [Command] to the workers that IDs and
// Labels mean. The answer, which comes when all have answered or at the end of
// Timeout, is [Answer] with Reports.
type CommandRequest struct {
	Req         uint64        `cbor:"1,keyasint"`
	Low         uint64        `cbor:"2,keyasint,omitempty"`
	IDs         []uint64      `cbor:"3,keyasint,omitempty"`
	Labels      []string      `cbor:"4,keyasint,omitempty"`
	Kind        string        `cbor:"5,keyasint,omitempty"`
	Concurrency uint64        `cbor:"6,keyasint,omitempty"`
	Timeout     time.Duration `cbor:"7,keyasint,omitempty"`
}

// Events begins a subscription: [Event] messages with Sub, which the client
// chooses, until Unevents.
type Events struct {
	Req    uint64   `cbor:"1,keyasint"`
	Low    uint64   `cbor:"2,keyasint,omitempty"`
	Sub    uint64   `cbor:"3,keyasint,omitempty"`
	Queues []string `cbor:"4,keyasint,omitempty"` // none: all
}

// Unevents ends a subscription.
type Unevents struct {
	Req uint64 `cbor:"1,keyasint"`
	Low uint64 `cbor:"2,keyasint,omitempty"`
	Sub uint64 `cbor:"3,keyasint,omitempty"`
}

// TypesRequest asks for the numbers of a queue by task type. The answer is
// [Answer] with Types.
type TypesRequest struct {
	Req   uint64 `cbor:"1,keyasint"`
	Low   uint64 `cbor:"2,keyasint,omitempty"`
	Queue string `cbor:"3,keyasint,omitempty"`
}

func (TaskRequest) wireType() Type    { return TypeTask }
func (List) wireType() Type           { return TypeList }
func (Peek) wireType() Type           { return TypePeek }
func (Explain) wireType() Type        { return TypeExplain }
func (CancelTask) wireType() Type     { return TypeCancelTask }
func (Act) wireType() Type            { return TypeAct }
func (Pause) wireType() Type          { return TypePause }
func (ResultRequest) wireType() Type  { return TypeResult }
func (WorkersRequest) wireType() Type { return TypeWorkers }
func (CommandRequest) wireType() Type { return TypeCommandRequest }
func (Events) wireType() Type         { return TypeEvents }
func (Unevents) wireType() Type       { return TypeUnevents }
func (TypesRequest) wireType() Type   { return TypeTypes }

func (m *TaskRequest) check() string    { return checkRequest(m.Req, m.Low) }
func (m *List) check() string           { return checkRequest(m.Req, m.Low) }
func (m *Peek) check() string           { return checkRequest(m.Req, m.Low) }
func (m *Explain) check() string        { return checkRequest(m.Req, m.Low) }
func (m *CancelTask) check() string     { return checkRequest(m.Req, m.Low) }
func (m *Act) check() string            { return checkRequest(m.Req, m.Low) }
func (m *Pause) check() string          { return checkRequest(m.Req, m.Low) }
func (m *ResultRequest) check() string  { return checkRequest(m.Req, m.Low) }
func (m *WorkersRequest) check() string { return checkRequest(m.Req, m.Low) }
func (m *CommandRequest) check() string { return checkRequest(m.Req, m.Low) }
func (m *Events) check() string         { return checkRequest(m.Req, m.Low) }
func (m *Unevents) check() string       { return checkRequest(m.Req, m.Low) }
func (m *TypesRequest) check() string   { return checkRequest(m.Req, m.Low) }

func (m List) queue() string         { return m.Queue }
func (m Peek) queue() string         { return m.Queue }
func (m Act) queue() string          { return longer(m.Queue, m.To) }
func (m Pause) queue() string        { return m.Queue }
func (m Events) queue() string       { return longer(m.Queues...) }
func (m TypesRequest) queue() string { return m.Queue }

func (m CancelTask) tidy() Message { m.Reason = cleanText(m.Reason); return m }
func (m Act) tidy() Message        { m.Reason = cleanText(m.Reason); return m }
func (m Pause) tidy() Message      { m.Reason = cleanText(m.Reason); return m }
