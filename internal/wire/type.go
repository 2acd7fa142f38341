package wire

import "fmt"

// Type is the type of a message. Numbers are forever: none is reused.
type Type uint64

// The types. 1 to 15 travel on the control stream, 16 to 63 are requests of a
// client, 64 and up what the master sends on calls.
const (
	TypeHello     Type = 1
	TypeWelcome   Type = 2
	TypeHeartbeat Type = 3
	TypeLost      Type = 4
	TypeGoodbye   Type = 5
	TypeCommand   Type = 6
	TypeReport    Type = 7

	TypePut       Type = 16
	TypeComplete  Type = 17
	TypeAck       Type = 18
	TypeNack      Type = 19
	TypeBury      Type = 20
	TypeExtend    Type = 21
	TypeClaim     Type = 22
	TypeGet       Type = 23
	TypeConsume   Type = 24
	TypeUnconsume Type = 25
	TypeCancel    Type = 26
	TypeStats     Type = 27
	TypeJoin      Type = 28
	TypeShutdown  Type = 29
	TypeDead      Type = 30

	TypeTask           Type = 31
	TypeList           Type = 32
	TypePeek           Type = 33
	TypeExplain        Type = 34
	TypeCancelTask     Type = 35
	TypeAct            Type = 36
	TypePause          Type = 37
	TypeResult         Type = 38
	TypeProgress       Type = 39
	TypeWorkers        Type = 40
	TypeCommandRequest Type = 41
	TypeEvents         Type = 42
	TypeUnevents       Type = 43
	TypeTypes          Type = 44
	TypeBackup         Type = 45
	TypeClaimed        Type = 46
	TypeCall           Type = 47

	TypeConfirm Type = 64
	TypeDeliver Type = 65
	TypeAnswer  Type = 66
	TypeError   Type = 67
	TypeEnd     Type = 68
	TypeEvent   Type = 69
	TypeReturn  Type = 70
)

var typeNames = map[Type]string{
	TypeHello: "Hello", TypeWelcome: "Welcome", TypeHeartbeat: "Heartbeat", TypeLost: "Lost", TypeGoodbye: "Goodbye",
	TypeCommand: "Command", TypeReport: "Report",
	TypePut: "Put", TypeComplete: "Complete", TypeAck: "Ack", TypeNack: "Nack", TypeBury: "Bury",
	TypeExtend: "Extend", TypeClaim: "Claim", TypeGet: "Get", TypeConsume: "Consume", TypeUnconsume: "Unconsume",
	TypeCancel: "Cancel", TypeStats: "Stats", TypeJoin: "Join", TypeShutdown: "Shutdown", TypeDead: "Dead",
	TypeTask: "Task", TypeList: "List", TypePeek: "Peek", TypeExplain: "Explain", TypeCancelTask: "CancelTask",
	TypeAct: "Act", TypePause: "Pause", TypeResult: "Result", TypeProgress: "Progress", TypeWorkers: "Workers",
	TypeCommandRequest: "CommandRequest", TypeEvents: "Events", TypeUnevents: "Unevents", TypeTypes: "Types",
	TypeBackup: "Backup", TypeClaimed: "Claimed", TypeConfirm: "Confirm", TypeDeliver: "Deliver", TypeAnswer: "Answer", TypeError: "Error", TypeEnd: "End",
	TypeEvent: "Event", TypeCall: "Call", TypeReturn: "Return",
}

// String is the name in the specification, or the number.
func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("message type %d", uint64(t))
}

// Known reports whether this version has the type. The answer to an unknown
// one is an [Error] with [reeve.ErrUnsupported], when [RequestID] finds the
// request that it answers.
func (t Type) Known() bool { _, ok := typeNames[t]; return ok }

// ParseType splits a frame (without its header) into the type and the body,
// which aliases it. It looks at the type only.
func ParseType(frame []byte) (t Type, body []byte, err error) {
	c := cursor{b: frame}
	v := c.uint()
	if c.bad() {
		return 0, nil, c.err("message")
	}
	return Type(v), frame[c.i:], nil
}

// RequestID returns the request id in a body of any type, known or not, after
// checking that the whole body is well-formed. ok is false when its key 1 is
// absent or no unsigned integer above zero: no answer is possible then.
func RequestID(body []byte) (req uint64, ok bool, err error) {
	c := cursor{b: body}
	var seen keys
	for n := c.mapHead(1); n > 0 && !c.bad(); n-- {
		if c.key(&seen) == 1 && c.i < len(c.b) && c.b[c.i]>>5 == majorUint {
			req = c.uint()
			continue
		}
		c.skip(1)
	}
	if err := c.end("message"); err != nil {
		return 0, false, err
	}
	return req, req != 0, nil
}
