package shared

import "github.com/reeveq/reeve"

// Type is a kind of object that can be made.
type Type struct {
	Name string // "lock", "map"
	// Methods are those that can be called. All others are [reeve.ErrNotExposed].
	Methods []reeve.MethodInfo
	// New makes an object as spec, the deterministic CBOR of its configuration,
	// says. Two specs are the same configuration if they are the same bytes. An
	// error matches [reeve.ErrInvalid].
	New func(env *Env, spec []byte) (Object, error)
}

// Object is what stands behind a name. Its methods may be called by any number of
// goroutines; none may block.
type Object interface {
	// Call carries out a call: it answers it now, or, after [Call.Park], later.
	Call(c *Call)
	// Lost tells that the connection of a client was lost, or that it said goodbye,
	// for which [Client.Mind] was called. Its calls that waited are over before.
	Lost(cl *Client)
	// Gone tells that this client will not come back, or too late. Lost came
	// before it.
	Gone(cl *Client)
	// Close tells that the object is deleted: what waits is to be answered with
	// cause.
	Close(cause error)
	// Describe is a few words about its state, for operators: "3 keys".
	Describe() string
}

// Env is what an object is given when it is made.
type Env struct {
	Host *Host
	Ref  reeve.Ref
	// Store keeps the entries of a durable object; nil: it is not durable. Its
	// methods may be called on nil.
	Store *Store
	// Entries is what the object had before a restart of the master.
	Entries []Entry
}

// holder is implemented by objects that somebody can hold.
type holder interface {
	// Holds lists who holds the object; Owner, Host and PID are filled in by
	// [Client.Hold].
	Holds() []reeve.HoldInfo
}
