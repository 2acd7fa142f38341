package wire_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

var errNoSuchSeat = errors.New("no such seat")

// seatError is an error of a program, with a field.
type seatError struct{ Row int }

func (e *seatError) Error() string { return fmt.Sprintf("row %d is full", e.Row) }

func init() {
	reeve.RegisterError("wiretest.no-such-seat", errNoSuchSeat)
	reeve.RegisterErrorType[*seatError]("wiretest.seat")
}

// ofMethod is what a method failed with, as the master has it.
func ofMethod(err error) error {
	e := reeve.NewRemoteError(err, 0, err.Error(), "goroutine 7")
	e.Object, e.Method = "hall", "Take"
	return e
}

// One and two crossings: an error may go through a master's own handle first.
func TestErrors_OfMethodsKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	for _, want := range []error{
		errNoSuchSeat, reeve.ErrEmpty, reeve.ErrNoSuchKey, reeve.ErrMethod, context.DeadlineExceeded, context.Canceled,
	} {
		err := across(t, across(t, ofMethod(fmt.Errorf("seat 7: %w", want)), ""), "")
		remote, ok := errors.AsType[*reeve.RemoteError](err)
		if !ok || remote.Object != "hall" || remote.Method != "Take" || remote.Stack != "goroutine 7" || remote.Text != "seat 7: "+want.Error() {
			t.Fatalf("%v became %#v", want, err)
		}
		if !errors.Is(err, want) || !errors.Is(err, reeve.ErrMethod) || errors.Is(err, reeve.ErrPanic) {
			t.Errorf("%v became %v", want, err)
		}
	}
	err := across(t, across(t, ofMethod(fmt.Errorf("%w, %w, %w", errNoSuchSeat, &seatError{3}, reeve.ErrNotFound)), ""), "")
	seat, ok := errors.AsType[*seatError](err)
	if !ok || seat.Row != 3 || !errors.Is(err, errNoSuchSeat) || !errors.Is(err, reeve.ErrNotFound) {
		t.Errorf("became %v", err)
	}
}

func TestErrors_OfMethodsThatNobodyKnowsHaveTheirText(t *testing.T) {
	t.Parallel()
	err := across(t, ofMethod(errors.New("the lamp is broken")), "")
	remote, ok := errors.AsType[*reeve.RemoteError](err)
	if !ok || err.Error() != "the lamp is broken" || remote.Code != wire.Code(reeve.ErrMethod) || !errors.Is(err, reeve.ErrMethod) || errors.Is(err, reeve.ErrInternal) {
		t.Errorf("became %#v", err)
	}
	panicked := across(t, ofMethod(fmt.Errorf("%w: boom", reeve.ErrPanic)), "")
	if !errors.Is(panicked, reeve.ErrPanic) || errors.Is(panicked, reeve.ErrMethod) {
		t.Errorf("a panic became %v", panicked)
	}
	limit := across(t, ofMethod(&reeve.LimitError{Kind: reeve.ErrQueueFull, Limit: "queue length", Value: 3, Max: 2}), "")
	if l, ok := errors.AsType[*reeve.LimitError](limit); !ok || l.Max != 2 || !errors.Is(limit, reeve.ErrMethod) {
		t.Errorf("a limit became %v", limit)
	}
}
