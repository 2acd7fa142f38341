package container

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

const (
	maxKey   = 64 << 10 // bytes of a key, or of an element of a set
	maxBatch = 1 << 20  // elements in one call
)

// args reads the arguments of a call one after the other. The first error stays;
// done tells it. What it returns is part of the call and good until that returns.
type args struct {
	rest []byte
	n    uint64 // that are left
	err  error
}

func newArgs(b []byte) *args {
	a := &args{}
	major, n, rest, err := head(b)
	switch {
	case err != nil:
		a.err = err
	case major != majorArray:
		a.err = errors.New("they are not an array")
	default:
		a.rest, a.n = rest, n
	}
	return a
}

// done tells what was wrong with the arguments, which are all read.
func (a *args) done(c *shared.Call) error {
	if a.err == nil && a.n > 0 {
		a.err = fmt.Errorf("%d too many", a.n)
	}
	if a.err == nil && len(a.rest) > 0 {
		a.err = errors.New("something follows them")
	}
	if a.err != nil {
		return fmt.Errorf("%w: arguments of %s: %w", reeve.ErrInvalid, c.Method, a.err)
	}
	return nil
}

// fail notes an error; nil is none.
func (a *args) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// item is the next argument, whatever it is.
func (a *args) item() []byte {
	if a.err == nil && a.n == 0 {
		a.err = errors.New("too few")
	}
	if a.err != nil {
		return nil
	}
	rest, err := skip(a.rest, maxDepth)
	if err != nil {
		a.err = err
		return nil
	}
	b := a.rest[:len(a.rest)-len(rest)]
	a.rest = rest
	a.n--
	return b
}

// key is the next argument, a key.
func (a *args) key() []byte {
	b := a.item()
	if len(b) > maxKey {
		a.fail(&reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a key", Value: int64(len(b)), Max: maxKey})
	}
	return b
}

// number is the next argument, which has to be of one of two major types.
func (a *args) number(majors ...byte) (major byte, n uint64) {
	b := a.item()
	if a.err != nil {
		return 0, 0
	}
	major, n, _, _ = head(b)
	for _, m := range majors {
		if m == major {
			return major, n
		}
	}
	a.fail(errors.New("not a whole number where one is wanted"))
	return 0, 0
}

func (a *args) uint() uint64 {
	_, n := a.number(majorUint)
	return n
}

func (a *args) int() int64 {
	major, n := a.number(majorUint, majorNegative)
	if n > math.MaxInt64 {
		a.fail(errors.New("a number too large"))
		return 0
	}
	if major == majorNegative {
		return -1 - int64(n)
	}
	return int64(n)
}

// duration is the next argument, nanoseconds.
func (a *args) duration() time.Duration { return time.Duration(a.int()) }

func (a *args) isNil() bool {
	return a.err == nil && a.n > 0 && len(a.rest) > 0 && a.rest[0] == cborNil
}

// optional is the next argument, a number or nil.
func (a *args) optional() *int64 {
	if a.isNil() {
		a.item()
		return nil
	}
	n := a.int()
	return &n
}

func (a *args) bool() bool {
	b := a.item()
	if a.err == nil && b[0] != cborTrue && b[0] != cborFalse {
		a.fail(errors.New("neither true nor false where that is wanted"))
	}
	return a.err == nil && b[0] == cborTrue
}

// text is the next argument, a text, or a byte string.
func (a *args) text() []byte {
	b := a.item()
	if a.err != nil {
		return nil
	}
	major, _, rest, _ := head(b)
	if major != majorText && major != majorBytes {
		a.fail(errors.New("no text where one is wanted"))
	}
	return rest
}

// items is the next argument, an array; nil is an empty one.
func (a *args) items() [][]byte {
	if a.isNil() {
		a.item()
		return nil
	}
	b := a.item()
	if a.err != nil {
		return nil
	}
	major, n, rest, _ := head(b)
	switch {
	case major != majorArray:
		a.fail(errors.New("no array where one is wanted"))
		return nil
	case n > maxBatch:
		a.fail(&reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "elements in one call", Value: int64(min(n, math.MaxInt64)), Max: maxBatch})
		return nil
	}
	list := make([][]byte, n)
	for i := range list {
		after, _ := skip(rest, maxDepth-1) // was seen before
		list[i] = rest[:len(rest)-len(after)]
		rest = after
	}
	return list
}

// keys is the next argument, an array of keys.
func (a *args) keys() [][]byte {
	list := a.items()
	for _, k := range list {
		if len(k) > maxKey {
			a.fail(&reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: "bytes of a key", Value: int64(len(k)), Max: maxKey})
			return nil
		}
	}
	return list
}

// ref is the next argument, a reference.
func (a *args) ref() reeve.Ref {
	var ref reeve.Ref
	if b := a.item(); a.err == nil {
		if err := codec.CBOR.Unmarshal(b, &ref); err != nil {
			a.fail(errors.New("no reference where one is wanted"))
		}
	}
	return ref
}
