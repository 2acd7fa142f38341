package wire

import (
	"fmt"

	"github.com/reeveq/reeve"
)

// violation is a message that breaks the protocol. It matches
// [reeve.ErrProtocol], and where a limit was broken it wraps the
// [reeve.LimitError].
type violation struct {
	in    string // the message's name
	what  string
	limit *reeve.LimitError
}

func (e *violation) Error() string {
	if e.limit != nil {
		return fmt.Sprintf("%v: %s: %s %d, limit %d", reeve.ErrProtocol, e.in, e.limit.Limit, e.limit.Value, e.limit.Max)
	}
	return fmt.Sprintf("%v: %s: %s", reeve.ErrProtocol, e.in, e.what)
}

// Is reports whether target is [reeve.ErrProtocol].
func (e *violation) Is(target error) bool { return target == reeve.ErrProtocol }

// Unwrap gives the [reeve.LimitError], if any.
func (e *violation) Unwrap() error {
	if e.limit == nil {
		return nil
	}
	return e.limit
}

// tooLarge is the error of the sender for what does not fit into a frame.
func tooLarge(what string, value, max int) error {
	return &reeve.LimitError{Kind: reeve.ErrTooLarge, Limit: what, Value: int64(value), Max: int64(max)}
}
