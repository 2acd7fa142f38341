package expose

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/reeveq/reeve"
)

// Options say how a value is shared.
type Options struct {
	// Only are the methods of the interface that can be called; nil: all.
	Only []string
	// Reads are methods that change nothing.
	Reads []string
	// Idempotent are methods that may be called twice with the effect of once.
	Idempotent []string
	// Returns has, by method, the type of the objects that its first result becomes.
	Returns map[string]string
	// MaxCalls is how many calls of one object run at a time; 0: [DefaultMaxCalls].
	MaxCalls int
}

// DefaultMaxCalls is how many calls of one object run at a time.
const DefaultMaxCalls = 1024

// maxCalls is the most that can be asked for.
const maxCalls = 1 << 20

// check reports what is wrong with o for an interface with these methods.
func (o *Options) check(methods []string) error {
	if o.MaxCalls < 0 || o.MaxCalls > maxCalls {
		return fmt.Errorf("%w: MaxCalls is %d, want 1 to %d", reeve.ErrInvalid, o.MaxCalls, maxCalls)
	}
	for option, names := range map[string][]string{
		"Only": o.Only, "Reads": o.Reads, "Idempotent": o.Idempotent, "Returns": slices.Collect(maps.Keys(o.Returns)),
	} {
		for _, name := range names {
			if !slices.Contains(methods, name) {
				return fmt.Errorf("%w: %s names %q, which is no method that can be called", reeve.ErrInvalid, option, name)
			}
		}
	}
	return nil
}

// same reports whether two values are shared in the same way.
func (o *Options) same(p *Options) bool { return reflect.DeepEqual(o, p) }
