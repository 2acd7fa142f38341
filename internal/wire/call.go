package wire

import (
	"time"

	"github.com/reeveq/reeve"
)

// Call calls a method of a shared object: of the one called Name, or of the one
// with the number ID in the master's life Life. The answer is a [ReturnFrame].
type Call struct {
	Req, Low uint64
	Name     string
	ID, Life uint64
	Type     string // what the caller takes the object for; empty: anything
	Method   string
	Args     []byte // a CBOR array
	Flags    uint64
	Timeout  time.Duration // until the caller gives up; 0: never
}

// Flags of a [Call].
const (
	FlagReads uint64 = 1 // it changes nothing: its answer is not remembered
	FlagAgain uint64 = 2 // it was sent to an earlier life of the master
	FlagWaits uint64 = 4 // it may wait long: Low is that of such calls
)

// Ref is the object that is called.
func (m *Call) Ref() reeve.Ref {
	return reeve.Ref{Name: m.Name, ID: m.ID, Life: m.Life, Type: m.Type}
}

// CallFrame is a [Call] as it is received. Args alias the body.
type CallFrame struct {
	Call

	names names
}

// Decode reads the body of a message of type [TypeCall]. An error matches
// [reeve.ErrProtocol] and leaves f without a meaning.
func (f *CallFrame) Decode(body []byte) error {
	f.Call = Call{}
	c := cursor{b: body}
	var seen keys
	for n := c.mapHead(1); n > 0 && !c.bad(); n-- {
		switch c.key(&seen) {
		case 1:
			f.Req = c.uint()
		case 2:
			f.Low = c.uint()
		case 3:
			f.Name = f.names.get(c.text())
		case 4:
			f.ID = c.uint()
		case 5:
			f.Life = c.uint()
		case 6:
			f.Type = f.names.get(c.text())
		case 7:
			f.Method = f.names.get(c.text())
		case 8:
			f.Args = c.bytes()
		case 9:
			f.Flags = c.uint()
		case 10:
			f.Timeout = duration(c.int64())
		default:
			c.skip(1)
		}
	}
	c.checkRequests(f.Req, f.Low, 1)
	return c.end("Call")
}

// Clear drops the references to the body and the texts that f keeps for reuse.
// Call it before f rests.
func (f *CallFrame) Clear() { f.Call, f.names = Call{}, names{} }

// ReturnFrame is a Return: what the method returned that the request Req called.
// Value, one CBOR item or nothing, aliases the body.
type ReturnFrame struct {
	Req   uint64
	Value []byte
}

// Decode reads the body of a message of type [TypeReturn]. An error matches
// [reeve.ErrProtocol] and leaves f without a meaning.
func (f *ReturnFrame) Decode(body []byte) error {
	*f = ReturnFrame{}
	c := cursor{b: body}
	var seen keys
	for n := c.mapHead(1); n > 0 && !c.bad(); n-- {
		switch c.key(&seen) {
		case 1:
			f.Req = c.uint()
		case 2:
			f.Value = c.bytes()
		default:
			c.skip(1)
		}
	}
	if f.Req == 0 {
		c.fail(wrongNoRequest)
	}
	return c.end("Return")
}

// Clear drops the reference to the body.
func (f *ReturnFrame) Clear() { *f = ReturnFrame{} }
