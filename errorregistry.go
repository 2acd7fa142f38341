package reeve

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"unicode/utf8"
)

// ErrorKind is how a registered error travels.
type ErrorKind struct {
	Key    string `cbor:"1,keyasint"`
	Detail []byte `cbor:"2,keyasint,omitempty"` // the fields of one of a registered type, JSON
}

// Bounds of what travels of one error.
const (
	maxErrorKey    = 255
	maxErrorKinds  = 8
	maxErrorDetail = 16 << 10
)

// registeredError is how an error of the program is told from others.
type registeredError struct {
	is   any // the error, or the reflect.Type
	find func(err error) (detail []byte, ok bool)
	make func(detail []byte) error // nil: it cannot be made of this
}

// registry has the errors of this process. It is filled while a program starts,
// as the types of encoding/gob are, because both sides of a connection have to
// agree on it.
var registry struct {
	mu    sync.RWMutex // guards the fields below
	keys  []string     // in the order of registration
	byKey map[string]registeredError
}

// RegisterError has an error of the program's own keep its identity on its way
// from the method of a shared object to its caller: errors.Is holds there for err
// if both processes have registered it with the same key, as "app.not-found". It
// is to be called while the program starts, from a variable or an init; it panics
// when the key is empty, longer than 255 bytes, or that of another error.
func RegisterError(key string, err error) {
	if err == nil {
		panic(fmt.Sprintf("reeve: RegisterError(%q): the error is nil", key))
	}
	register(key, registeredError{
		is:   err,
		find: func(e error) ([]byte, bool) { return nil, errors.Is(e, err) },
		make: func([]byte) error { return err },
	})
}

// RegisterErrorType is [RegisterError] for all errors of a type: errors.As finds
// one there with the same fields. They travel as JSON, up to 16 KiB; what
// encoding/json leaves out, as unexported fields, is not there. E is a struct or,
// as is usual, a pointer to one.
func RegisterErrorType[E error](key string) {
	t := reflect.TypeFor[E]()
	if t.Kind() == reflect.Interface {
		panic(fmt.Sprintf("reeve: RegisterErrorType[%v](%q): an interface has no fields", t, key))
	}
	register(key, registeredError{is: t, find: findError[E], make: makeError[E]})
}

func register(key string, r registeredError) {
	if key == "" || len(key) > maxErrorKey || !utf8.ValidString(key) {
		panic(fmt.Sprintf("reeve: the key %q of an error, want 1 to %d bytes of UTF-8", key, maxErrorKey))
	}
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.byKey == nil {
		registry.byKey = map[string]registeredError{}
	}
	if old, ok := registry.byKey[key]; ok {
		if !same(old.is, r.is) {
			panic(fmt.Sprintf("reeve: the key %q is that of another error: %v", key, old.is))
		}
		return
	}
	registry.keys = append(registry.keys, key)
	registry.byKey[key] = r
}

// same compares two errors that may be of a type without ==.
func same(a, b any) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}

// findError finds an error of type E.
func findError[E error](err error) ([]byte, bool) {
	e, ok := errors.AsType[E](err)
	if !ok {
		return nil, false
	}
	detail, err := json.Marshal(e)
	if err != nil || len(detail) > maxErrorDetail || string(detail) == "null" {
		return nil, false
	}
	return detail, true
}

func makeError[E error](detail []byte) error {
	var e E
	if err := json.Unmarshal(detail, &e); err != nil || string(detail) == "null" {
		return nil
	}
	return e
}

// ErrorKinds tells which registered errors err matches, at most eight. It is for
// those who carry errors to other processes.
func ErrorKinds(err error) []ErrorKind {
	registry.mu.RLock()
	keys := slices.Clip(registry.keys) // only ever appended to
	registry.mu.RUnlock()
	var kinds []ErrorKind
	for _, key := range keys {
		registry.mu.RLock()
		r := registry.byKey[key]
		registry.mu.RUnlock()
		if detail, ok := r.find(err); ok {
			if kinds = append(kinds, ErrorKind{Key: key, Detail: detail}); len(kinds) == maxErrorKinds {
				break
			}
		}
	}
	return kinds
}

// Err is the error that k stands for, or nil: it is not registered here, or its
// fields are not those of its type.
func (k ErrorKind) Err() error {
	registry.mu.RLock()
	r, ok := registry.byKey[k.Key]
	registry.mu.RUnlock()
	if !ok || len(k.Detail) > maxErrorDetail {
		return nil
	}
	return r.make(k.Detail)
}
