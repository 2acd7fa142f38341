package wire

import (
	"time"

	"github.com/reeveq/reeve"
)

// Call calls a method of a shared object: of the one called Name, or of the one
// with the number ID in the master's life Life. The answer is [Return].
type Call struct {
	Req    uint64 `cbor:"1,keyasint"`
	Low    uint64 `cbor:"2,keyasint,omitempty"`
	Name   string `cbor:"3,keyasint,omitempty"`
	ID     uint64 `cbor:"4,keyasint,omitempty"`
	Life   uint64 `cbor:"5,keyasint,omitempty"`
	Type   string `cbor:"6,keyasint,omitempty"` // what the caller takes the object for; empty: anything
	Method string `cbor:"7,keyasint,omitempty"`
	Args   []byte `cbor:"8,keyasint,omitempty"` // a CBOR array
	Flags  uint64 `cbor:"9,keyasint,omitempty"`
	// Timeout is when the caller gives up; 0: never.
	Timeout time.Duration `cbor:"10,keyasint,omitempty"`
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

// Return is what a method returned.
type Return struct {
	Req   uint64 `cbor:"1,keyasint"`
	Value []byte `cbor:"2,keyasint,omitempty"` // one CBOR item, or nothing
}

func (Call) wireType() Type   { return TypeCall }
func (Return) wireType() Type { return TypeReturn }
