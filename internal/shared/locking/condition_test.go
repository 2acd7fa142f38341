package locking_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

// A caller that was told of the end of its wait comes for the lock, and may be
// there before the condition has heard of that end.
func TestCondition_AResumeTakesThePlaceOfItsWait(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		cond, err := shared.NewCondition(t.Context(), c, "c", shared.ConditionConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cond.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		call := func(method string, try uint64) error {
			args, err := codec.CBOR.Marshal([]any{[]shared.Owner{cond.Owner()}, try})
			if err != nil {
				return err
			}
			_, err = c.CallObject(t.Context(), &reeve.ObjectCall{Ref: cond.Ref(), Method: method, Args: args, Waits: true})
			return err
		}
		const try = 1 << 40 // no other is so high
		waited := make(chan error, 1)
		go func() { waited <- call("wait", try) }()
		synctest.Wait()
		if err := call("resume", try+1); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("the resume of another wait: %v", err)
		}
		if err := call("resume", try); err != nil {
			t.Errorf("resume: %v", err)
		}
		if err := <-waited; !errors.Is(err, context.Canceled) {
			t.Errorf("the wait ended with %v", err)
		}
		if locked, err := cond.Locked(t.Context()); !locked || err != nil {
			t.Errorf("after the resume locked is %v, %v", locked, err)
		}
	})
}
