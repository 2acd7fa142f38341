package reeve

import (
	"context"
	"time"
)

// Ref names a shared object: by its name, or by an id where it has none. It is a
// value: it may be put into tasks, arguments, maps, and compared. Whoever gets it
// reaches the object through a connection of its own.
type Ref struct {
	// Name is the object's; empty: it has none, and ID and Life say which it is.
	Name string `cbor:"1,keyasint,omitempty" json:"name,omitempty"`
	// ID is the number of an object without a name.
	ID uint64 `cbor:"2,keyasint,omitempty" json:"id,omitempty"`
	// Life is that of the master which gave out the number: it means nothing to
	// another.
	Life uint64 `cbor:"3,keyasint,omitempty" json:"life,omitempty"`
	// Type is the object's type, as "lock" or "map"; empty: not known.
	Type string `cbor:"4,keyasint,omitempty" json:"type,omitempty"`
}

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r.Name == "" && r.ID == 0 }

// String is r for people.
func (r Ref) String() string {
	if r.Name != "" {
		return r.Name
	}
	return "#" + ID(r.ID).String()
}

// Objects is where shared objects are reached: a *proxy.Client, or the
// *manager.Master itself. Package shared has handles for the objects of each
// type; they are what programs use.
type Objects interface {
	// CallObject calls a method and returns its answer. It blocks until the method
	// returns or ctx ends, which ends a call that waits. Errors are those of the
	// method: of this package where they have a code, or a [*RemoteError].
	// [ErrNoSuchName] and [ErrNoSuchObject] say that there is no object,
	// [ErrNotExposed] that it has no such method, [ErrOutcomeUnknown] that the
	// master was restarted while a call was under way that may not be made twice.
	CallObject(ctx context.Context, c *ObjectCall) (ObjectAnswer, error)
}

// ObjectCall is a call of a method of a shared object.
type ObjectCall struct {
	Ref    Ref
	Method string
	Args   []byte // a CBOR array; not changed before the call has returned
	// Reads: the method changes nothing, so that it may be called again when its
	// answer was lost.
	Reads bool
	// Waits: the answer may take as long as it likes.
	Waits bool
}

// ObjectAnswer is what a method returned.
type ObjectAnswer struct {
	Value []byte // one CBOR item, or empty: nothing; the caller's
	// Session ends when the connection over which the answer came is lost, with
	// the reason as its cause. What was granted to that connection is lost then.
	Session context.Context
}

// ObjectInfo is what an operator sees of a shared object.
type ObjectInfo struct {
	Ref     Ref       `cbor:"1,keyasint" json:"ref"`
	Text    string    `cbor:"2,keyasint,omitempty" json:"text,omitempty"`       // a few words about its state
	Owner   string    `cbor:"3,keyasint,omitempty" json:"owner,omitempty"`      // the client that made it
	Made    time.Time `cbor:"4,keyasint,omitzero" json:"made,omitzero"`         //
	Holders []string  `cbor:"5,keyasint,omitempty" json:"holders,omitempty"`    // clients that have a reference; the first 16
	Refs    int       `cbor:"6,keyasint,omitempty" json:"references,omitempty"` // how many have
	Durable bool      `cbor:"7,keyasint,omitempty" json:"durable,omitempty"`    //
}

// MethodInfo describes a method of a shared object.
type MethodInfo struct {
	Name string `cbor:"1,keyasint" json:"name"`
	// Signature is the method in Go, for people: "Add(ctx, string, int) (int, error)".
	Signature string `cbor:"2,keyasint,omitempty" json:"signature,omitempty"`
	// Reads: it changes nothing.
	Reads bool `cbor:"3,keyasint,omitempty" json:"reads,omitempty"`
}

// HoldInfo is who holds a lock, or one of the places of a semaphore.
type HoldInfo struct {
	Object  Ref       `cbor:"1,keyasint" json:"object"`
	Owner   string    `cbor:"2,keyasint" json:"owner"` // the client, as in [ObjectInfo]
	Host    string    `cbor:"3,keyasint,omitempty" json:"host,omitempty"`
	PID     uint64    `cbor:"4,keyasint,omitempty" json:"pid,omitempty"`
	Token   uint64    `cbor:"5,keyasint,omitempty" json:"token,omitempty"` // the fencing token
	Since   time.Time `cbor:"6,keyasint,omitzero" json:"since,omitzero"`
	Mode    string    `cbor:"7,keyasint,omitempty" json:"mode,omitempty"` // "read" or "write", of a read-write lock
	Waiters int       `cbor:"8,keyasint,omitempty" json:"waiters,omitempty"`
}
