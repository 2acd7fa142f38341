package record

import "fmt"

var kindNames = [...]string{
	KindMaster: "master", KindQueue: "queue", KindPause: "pause", KindClient: "client", KindGone: "gone",
	KindRequest: "request", KindPut: "put", KindTask: "task", KindLease: "lease", KindExtend: "extend",
	KindState: "state", KindMove: "move", KindEnd: "end", KindResult: "result", KindUnique: "unique",
	KindDelete: "delete", KindObject: "object", KindDrop: "drop", KindEntry: "entry", KindRemove: "remove",
	KindAnswer: "answer",
}

// Known reports whether there is a struct for the kind.
func (k Kind) Known() bool { return int(k) < len(kindNames) && kindNames[k] != "" }

// String is the kind's name, as lines have it.
func (k Kind) String() string {
	if k.Known() {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// kindOf is the kind of a name; 0: there is none.
func kindOf(name string) Kind {
	for k, n := range kindNames {
		if n == name && n != "" {
			return Kind(k)
		}
	}
	return 0
}

var stateNames = [...]string{Ready: "ready", Delayed: "delayed", Leased: "leased", Dead: "dead"}

// String is the state's name.
func (s State) String() string {
	if s > 0 && int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// MarshalText writes the form of [State.String].
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the form of [State.String]; [ErrMalformed].
func (s *State) UnmarshalText(b []byte) error {
	for v, name := range stateNames {
		if name == string(b) && v > 0 {
			*s = State(v)
			return nil
		}
	}
	return fmt.Errorf("%w: state %.100q, want ready, delayed, leased or dead", ErrMalformed, b)
}
