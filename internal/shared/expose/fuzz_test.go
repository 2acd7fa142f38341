package expose_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	inside "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/shared"
)

// greedy takes arguments of all kinds.
type greedy interface {
	Take(ctx context.Context, n int, s string, p *point, m map[string][]any, x any, a account, t *savings, r reeve.Ref, rest ...tree) (any, error)
}

type eater struct{}

func (eater) Take(_ context.Context, _ int, _ string, _ *point, _ map[string][]any, x any, _ account, _ *savings, _ reeve.Ref, _ ...tree) (any, error) {
	return x, nil
}

// Whatever bytes come, the call ends: with what it returned, or an error that says
// what is wrong with them.
func FuzzArguments(f *testing.F) {
	h := inside.New(inside.Config{})
	w := &world{host: h, set: expose.New(expose.Config{Host: h})}
	w.client = w.caller(1)
	f.Cleanup(func() { h.Close(); w.set.Close() })
	v := &vault{accounts: map[string]*savings{}}
	for _, err := range []error{
		share[account](w, "", v.open("ann")), share[greedy](w, "greedy", eater{}), share[account](w, "ann", v.open("ann")),
	} {
		if err != nil {
			f.Fatal(err)
		}
	}
	ann := reeve.Ref{Name: "ann"}
	for _, args := range [][]any{
		nil, {}, {1, "s", nil, nil, nil, nil, nil, ann}, {1, "s", point{1, 2}, map[string][]any{"k": {1, ann}}, ann, ann, ann, ann, tree{}, tree{Left: &tree{}}},
		{"s", 1, 2, 3, 4, 5, 6, 7}, {1, "s", ann, ann, []any{time.Now(), 1.5, []byte("b")}, 7, 7, 7, 7},
	} {
		b, err := codec.CBOR.Marshal(args)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0x9f, 0xff})
	f.Add([]byte{0x81, 0xd9, 0x72, 0x65, 0xa0})
	x := shared.ObjectOf(w.client, "greedy")
	f.Fuzz(func(t *testing.T, args []byte) {
		_, err := w.client.CallObject(t.Context(), &reeve.ObjectCall{Ref: x.Ref(), Method: "Take", Args: args})
		if err != nil && !errors.Is(err, reeve.ErrInvalid) && !errors.Is(err, reeve.ErrUnserializable) {
			t.Errorf("% x: %v", args, err)
		}
	})
}
