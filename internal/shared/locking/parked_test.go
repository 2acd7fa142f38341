package locking

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// Who observes an election and gives up, or is lost, is not kept until another one
// leads.
func TestElection_WhoObservesNoMoreIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := shared.New(shared.Config{})
		defer h.Close()
		Add(h)
		ref, err := h.Declare(nil, "election", "x", nil, false)
		if err != nil {
			t.Fatal(err)
		}
		o, err := h.Object(nil, ref)
		if err != nil {
			t.Fatal(err)
		}
		e := o.(*election)
		watching := func() int {
			e.gate.sp.mu.Lock()
			defer e.gate.sp.mu.Unlock()
			return len(e.watch)
		}
		args, err := codec.CBOR.Marshal([]uint64{e.version})
		if err != nil {
			t.Fatal(err)
		}
		observe := func(ctx context.Context, c *shared.Caller) <-chan error {
			ended := make(chan error, 1)
			go func() {
				_, err := c.CallObject(ctx, &reeve.ObjectCall{Ref: ref, Method: "leader", Args: args, Reads: true, Waits: true})
				ended <- err
			}()
			synctest.Wait()
			return ended
		}
		for _, farewell := range []bool{false, true} {
			c := h.NewCaller(shared.ClientID{Process: [16]byte{1}}, shared.Who{})
			ctx, cancel := context.WithCancel(t.Context())
			first, second := observe(ctx, c), observe(t.Context(), c)
			if n := watching(); n != 2 {
				t.Fatalf("%d observe", n)
			}
			cancel()
			if err := <-first; !errors.Is(err, context.Canceled) || watching() != 1 {
				t.Errorf("%v, %d observe", err, watching())
			}
			c.Close(farewell)
			if err := <-second; !errors.Is(err, reeve.ErrClosed) || watching() != 0 {
				t.Errorf("%v, %d observe", err, watching())
			}
		}
	})
}
