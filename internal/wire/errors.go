package wire

import (
	"context"
	"errors"

	"github.com/reeveq/reeve"
)

// codes is the table of error codes: numbers are forever, so it is only ever
// appended to. Where an error matches several, the first counts.
var codes = [...]error{
	1:  reeve.ErrEmpty,
	2:  reeve.ErrQueueFull,
	3:  reeve.ErrShutdown,
	4:  reeve.ErrLeaseLost,
	5:  reeve.ErrNoSuchQueue,
	6:  reeve.ErrQueueExists,
	7:  reeve.ErrNoHandler,
	8:  reeve.ErrTimeout,
	9:  reeve.ErrInvalid,
	10: reeve.ErrTooLarge,
	11: reeve.ErrLimit,
	12: reeve.ErrClosed,
	13: reeve.ErrAuth,
	14: reeve.ErrProtocol,
	15: reeve.ErrVersion,
	16: reeve.ErrUnsupported,
	17: reeve.ErrInternal,
	18: reeve.ErrPermission,
	19: context.Canceled,
	20: reeve.ErrOutcomeUnknown,
	21: reeve.ErrDuplicate,
	22: reeve.ErrNoSuchTask,
	23: reeve.ErrNotDone,
	24: reeve.ErrCancelled,
	25: reeve.ErrExpired,
	26: reeve.ErrDiscarded,
	27: reeve.ErrPurged,
	28: reeve.ErrTaskDead,
	29: reeve.ErrJournalFull,
	30: reeve.ErrJournal,
	31: reeve.ErrNoJournal,
	32: reeve.ErrNoSuchName,
	33: reeve.ErrNoSuchObject,
	34: reeve.ErrObjectExists,
	35: reeve.ErrNotExposed,
	36: reeve.ErrUnserializable,
	37: reeve.ErrMethod,
	38: reeve.ErrPanic,
	39: reeve.ErrLocked,
	40: reeve.ErrNotLocked,
	41: reeve.ErrNotOwner,
	42: reeve.ErrOverRelease,
	43: reeve.ErrBrokenBarrier,
	44: reeve.ErrDeadlock,
	45: reeve.ErrNoSuchKey,
	46: reeve.ErrOutOfRange,
	47: reeve.ErrNotFound,
	48: reeve.ErrMissed,
	49: reeve.ErrTooManyDone,
	50: reeve.ErrWorkerLost,
	51: reeve.ErrNoSuchBlob,
	52: context.DeadlineExceeded,
	53: reeve.ErrNotEmpty,
}

const (
	codeProtocol  = 14
	codeInternal  = 17
	codeCancelled = 24
	codeMethod    = 37
)

// maxNames bounds the names that one [Error] lists.
const maxNames = 64

// maxKinds bounds the registered errors that one [Error] stands for.
const maxKinds = 8

// Code is the number of err on the wire: 0 for nil, that of
// [reeve.ErrInternal] for an error without one.
func Code(err error) int {
	if err == nil {
		return 0
	}
	var v *violation
	remote, _ := errors.AsType[*reeve.RemoteError](err)
	switch {
	case errors.As(err, &v):
		return codeProtocol // even if it also matches ErrLimit
	case remote != nil && remote.Method != "":
		return codeOfMethod(remote)
	case errors.Is(err, reeve.ErrCancelled):
		return codeCancelled // even if it also matches ErrLeaseLost, which the client adds again
	}
	for code, sentinel := range codes {
		if sentinel != nil && errors.Is(err, sentinel) {
			return code
		}
	}
	return codeOf(err)
}

// codeOfMethod is the number of what a method failed with, which matches
// [reeve.ErrMethod] also where it has a number of its own.
func codeOfMethod(e *reeve.RemoteError) int {
	switch code := Code(e.Unwrap()); {
	case e.Code >= len(codes):
		return e.Code
	case code == 0, code == codeInternal:
		return codeMethod
	default:
		return code
	}
}

// codeOf keeps the number of an error that came over the wire from a newer
// version and goes on from here.
func codeOf(err error) int {
	var remote *reeve.RemoteError
	if errors.As(err, &remote) && remote.Code >= len(codes) {
		return remote.Code
	}
	return codeInternal
}

// ErrorFor is the answer to request req that err stands for, with the details
// of a [reeve.NoSuchQueueError] or [reeve.NoSuchNameError] (at most 64 names), a
// [reeve.DeadlockError], a [reeve.LimitError] and a [reeve.DuplicateError] of one
// task, and of what a method of a shared object failed with. The caller sets First
// where it knows it. stack is empty unless the master is in debug mode.
func ErrorFor(req uint64, err error, stack string) *Error {
	e := &Error{Req: req, Code: Code(err), Stack: cleanText(stack)}
	if err != nil {
		e.Text = cleanText(err.Error())
	}
	var missing *reeve.NoSuchQueueError
	if errors.As(err, &missing) {
		e.Name, e.Names = cleanText(missing.Name), cleanNames(missing.Known)
	}
	var unnamed *reeve.NoSuchNameError
	if errors.As(err, &unnamed) {
		e.Name, e.Names = cleanText(unnamed.Name), cleanNames(unnamed.Known)
	}
	var deadlock *reeve.DeadlockError
	if errors.As(err, &deadlock) {
		e.Names = cleanNames(deadlock.Cycle)
	}
	var limit *reeve.LimitError
	if errors.As(err, &limit) {
		e.Limit = &Limit{Name: cleanText(limit.Limit), Value: limit.Value, Max: limit.Max, Set: cleanText(limit.Set)}
	}
	var duplicate *reeve.DuplicateError
	if errors.As(err, &duplicate) && len(duplicate.IDs) == 1 {
		e.First = uint64(duplicate.IDs[0])
	}
	if remote, ok := errors.AsType[*reeve.RemoteError](err); ok && remote.Method != "" {
		e.Object, e.Method = cleanText(remote.Object), cleanText(remote.Method)
		e.Kinds = reeve.ErrorKinds(remote.Unwrap())
		if stack == "" {
			e.Stack = cleanText(remote.Stack)
		}
	}
	return e
}

// cleanNames are the first of names, as they may be sent.
func cleanNames(names []string) []string {
	var clean []string
	for _, name := range names[:min(len(names), maxNames)] {
		clean = append(clean, cleanText(name))
	}
	return clean
}

// Err is the error on this side: errors.Is holds for the sentinel of the code
// and errors.As for [reeve.NoSuchQueueError], [reeve.NoSuchNameError],
// [reeve.DeadlockError], [reeve.LimitError] and [reeve.DuplicateError] (of a request's only task) where the answer has their
// details, and the text is the sender's. A code this version does not know, and
// what a method of a shared object failed with, is a [reeve.RemoteError].
func (e *Error) Err() error {
	kind := sentinel(e.Code)
	switch {
	case e.Code == Code(reeve.ErrNoSuchQueue) && (e.Name != "" || len(e.Names) > 0):
		kind = &reeve.NoSuchQueueError{Name: e.Name, Known: e.Names}
	case kind == reeve.ErrNoSuchName && (e.Name != "" || len(e.Names) > 0):
		kind = &reeve.NoSuchNameError{Name: e.Name, Known: e.Names}
	case kind == reeve.ErrDeadlock && len(e.Names) > 0:
		kind = &reeve.DeadlockError{Cycle: e.Names}
	case kind == reeve.ErrDuplicate && e.First != 0:
		kind = &reeve.DuplicateError{Tasks: []int{0}, IDs: []reeve.ID{reeve.ID(e.First)}}
	case e.Limit != nil && kind != nil:
		kind = &reeve.LimitError{Kind: kind, Limit: e.Limit.Name, Value: e.Limit.Value, Max: e.Limit.Max, Set: e.Limit.Set}
	}
	if e.Method != "" {
		return e.methodError(kind)
	}
	return errorOf(kind, e.Code, e.Text, e.Stack)
}

// methodError is what a method failed with, and kind stands for its code.
func (e *Error) methodError(kind error) error {
	if kind == reeve.ErrMethod {
		kind = nil // which each of them matches
	}
	for _, k := range e.Kinds[:min(len(e.Kinds), maxKinds)] {
		if err := k.Err(); err != nil {
			kind = errors.Join(kind, err)
		}
	}
	remote := reeve.NewRemoteError(kind, e.Code, e.Text, e.Stack)
	remote.Object, remote.Method = e.Object, e.Method
	return remote
}

// Err is why the peer ended the session: nil for the normal end.
func (m *Goodbye) Err() error {
	if m.Code == 0 {
		return nil
	}
	return errorOf(sentinel(m.Code), m.Code, m.Text, "")
}

// Err is why the consumer will get nothing more.
func (m *End) Err() error {
	kind := sentinel(m.Code)
	if kind == nil {
		kind = reeve.ErrClosed
	}
	return errorOf(kind, m.Code, m.Text, "")
}

// Err is why the lease was lost; it always matches [reeve.ErrLeaseLost].
func (m *Lost) Err() error {
	kind := sentinel(m.Code)
	switch {
	case kind == nil:
		kind = reeve.ErrLeaseLost
	case kind != reeve.ErrLeaseLost:
		kind = errors.Join(reeve.ErrLeaseLost, kind)
	}
	return errorOf(kind, m.Code, m.Text, "")
}

func sentinel(code int) error {
	if code < 0 || code >= len(codes) {
		return nil
	}
	return codes[code]
}

// errorOf is kind itself where that says everything.
func errorOf(kind error, code int, text, stack string) error {
	if kind != nil && stack == "" && (text == "" || text == kind.Error()) {
		return kind
	}
	return reeve.NewRemoteError(kind, code, text, stack)
}
