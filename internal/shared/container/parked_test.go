package container

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
)

// Who waits for changes and gives up, or is lost, is not kept until there is one.
func TestWatch_WhoWaitsNoMoreIsForgotten(t *testing.T) {
	for _, typ := range []string{"map", "set", "value"} {
		synctest.Test(t, func(t *testing.T) {
			h := shared.New(shared.Config{})
			defer h.Close()
			Add(h)
			spec := []byte{0xa0}
			if typ == "value" {
				spec = nil
			}
			ref, err := h.Declare(nil, typ, "x", spec, false)
			if err != nil {
				t.Fatal(err)
			}
			o, err := h.Object(nil, ref)
			if err != nil {
				t.Fatal(err)
			}
			var b *base
			switch o := o.(type) {
			case *served[*mapObject]:
				b = o.o.common()
			case *served[*setObject]:
				b = o.o.common()
			case *served[*valueObject]:
				b = o.o.common()
			}
			parked := func() int {
				b.mu.Lock()
				defer b.mu.Unlock()
				return len(b.watch.parked)
			}
			since := appendUint(appendArray(nil, 2), b.version)
			watch := func(ctx context.Context, c *shared.Caller) <-chan error {
				ended := make(chan error, 1)
				go func() {
					_, err := c.CallObject(ctx, &reeve.ObjectCall{Ref: ref, Method: "changes", Args: appendUint(since[:len(since):len(since)], 0), Reads: true, Waits: true})
					ended <- err
				}()
				synctest.Wait()
				return ended
			}
			for _, farewell := range []bool{false, true} {
				c := h.NewCaller(shared.ClientID{Process: [16]byte{1}}, shared.Who{})
				ctx, cancel := context.WithCancel(t.Context())
				first, second := watch(ctx, c), watch(t.Context(), c)
				if n := parked(); n != 2 {
					t.Fatalf("%s: %d wait", typ, n)
				}
				cancel()
				if err := <-first; !errors.Is(err, context.Canceled) || parked() != 1 {
					t.Errorf("%s: %v, %d wait", typ, err, parked())
				}
				c.Close(farewell)
				if err := <-second; !errors.Is(err, reeve.ErrClosed) || parked() != 0 {
					t.Errorf("%s: %v, %d wait", typ, err, parked())
				}
			}
		})
	}
}
