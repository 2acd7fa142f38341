package container

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/internal/shared"
)

// A change that the journal cannot take would be the end of the master.
func TestMaxBytes_OfWhatIsDurableFitsIntoTheJournal(t *testing.T) {
	t.Parallel()
	for _, typ := range Types() {
		for _, c := range []struct {
			bytes int64
			store *shared.Store
			err   error
		}{
			{maxDurableBytes, new(shared.Store), nil},
			{maxDurableBytes + 1, new(shared.Store), reeve.ErrInvalid},
			{maxDurableBytes + 1, nil, nil},
		} {
			spec := map[int]any{2: c.bytes}
			if typ.Name == "value" {
				spec[3] = []byte{0xf6}
			}
			b, err := codec.CBOR.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := typ.New(&shared.Env{Store: c.store}, b); !errors.Is(err, c.err) {
				t.Errorf("a %s of %d bytes, durable %v: %v", typ.Name, c.bytes, c.store != nil, err)
			}
		}
	}
}

// declared is a client of a master with one object, which goes by its type.
func declared(t *testing.T, typ string, spec map[int]any) (*shared.Host, *shared.Caller) {
	t.Helper()
	h := shared.New(shared.Config{})
	Add(h)
	t.Cleanup(h.Close)
	c := h.NewCaller(shared.ClientID{}, shared.Who{Name: "test"})
	b, err := codec.Deterministic.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Declare(c.Client(), typ, typ, b, false); err != nil {
		t.Fatal(err)
	}
	return h, c
}

// refused calls a method that is to return a limit.
func refused(t *testing.T, c *shared.Caller, name, method string, args ...any) {
	t.Helper()
	b, err := codec.CBOR.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = c.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: name}, Method: method, Args: b})
	if !errors.Is(err, reeve.ErrLimit) {
		t.Errorf("%s of %s: %v", method, name, err)
	}
}

// The value that goes makes room once, however often its key comes.
func TestMaxBytes_HoldsForAKeyThatComesSeveralTimes(t *testing.T) {
	t.Parallel()
	h, c := declared(t, "map", map[int]any{2: 4096})
	call(t, c, "map", "set", 1, strings.Repeat("x", 3500), 0)
	refused(t, c, "map", "setmany", []int{1, 1, 1, 1}, []any{0, 0, 0, strings.Repeat("x", 5000)}, 0)
	call(t, c, "map", "setmany", []int{1, 1, 1, 1}, []any{0, strings.Repeat("x", 5000), 0, strings.Repeat("x", 3600)}, 0)
	consistent(t, h, c, "map")
}

func TestMaxBytes_AsLargeAsCanBeIsStillABound(t *testing.T) {
	t.Parallel()
	h, c := declared(t, "list", map[int]any{2: math.MaxInt64})
	call(t, c, "list", "append", []int{1, 2})
	refused(t, c, "list", "repeat", math.MaxInt64)
	call(t, c, "list", "repeat", 3)
	consistent(t, h, c, "list")
}

// All elements of an array are there at once.
func TestArray_IsBoundedHoweverManyBytesItMayHave(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]error{maxArray: nil, maxArray + 1: reeve.ErrInvalid, math.MaxInt64 / 200: reeve.ErrInvalid, -1: reeve.ErrInvalid} {
		b, err := codec.Deterministic.Marshal(map[int]any{2: math.MaxInt64, 3: n})
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range Types() {
			if typ.Name != "array" {
				continue
			}
			if _, err := typ.New(&shared.Env{}, b); !errors.Is(err, want) {
				t.Errorf("an array of %d elements: %v", n, err)
			}
		}
	}
}

func TestItems_MayBeArraysOfManyElements(t *testing.T) {
	t.Parallel()
	many := make([]uint16, 150_000)
	for i := range many {
		many[i] = uint16(i)
	}
	_, c := setUp(t)
	call(t, c, "value", "set", many)
	call(t, c, "set", "union", []any{[]any{nil, many}})
}
