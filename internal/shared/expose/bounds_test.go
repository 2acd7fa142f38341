package expose_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	inside "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/shared"
)

// many takes any number of arguments.
type many interface {
	Count(first string, rest ...int) int
	Sum(all ...int) int
	Panic(with string)
}

type manyTaker struct{}

func (manyTaker) Count(_ string, rest ...int) int {
	if rest == nil {
		return -1
	}
	return len(rest)
}

func (manyTaker) Sum(all ...int) (sum int) {
	for _, n := range all {
		sum += n
	}
	return sum
}

func (manyTaker) Panic(with string) { panic(with) }

func TestCall_GivesAVariadicMethodItsArguments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, expose.Config{}, inside.Config{})
	value[many](w, "many", manyTaker{}, expose.Options{})
	x := shared.ObjectOf(w.client, "many")
	for _, c := range []struct {
		method string
		args   []any
		want   int
	}{
		{"Sum", nil, 0}, {"Sum", []any{1, 2, 3}, 6},
		{"Count", []any{"a"}, -1}, {"Count", []any{"a", 1}, 1}, {"Count", []any{"a", 1, 2}, 2},
	} {
		if n, err := shared.Call[int](t.Context(), x, c.method, c.args...); err != nil || n != c.want {
			t.Errorf("%s%v: %d, %v", c.method, c.args, n, err)
		}
	}
	for args, want := range map[*[]any]string{
		{}:               "0 arguments, want Count(string, ...int) int",
		{"a", 1, "b"}:    "argument 3 of Count, int: ",
		{1}:              "argument 1 of Count, string: ",
		{"a", []int{1}}:  "argument 2 of Count, int: ",
		{"a", 1, 2, 1.5}: "argument 4 of Count, int: ",
	} {
		if err := x.Invoke(t.Context(), "Count", *args); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", *args, err)
		}
	}
}

// Arguments of which there may be any number cost their bytes, not a value each.
func TestCall_WithManyArgumentsAllocatesFewTimes(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	value[many](w, "many", manyTaker{}, expose.Options{})
	const n = 1 << 16
	args := append([]byte{0x9a, 0, 1, 0, 0}, bytes.Repeat([]byte{1}, n)...)
	call := &reeve.ObjectCall{Ref: reeve.Ref{Name: "many"}, Method: "Sum", Args: args}
	allocs := testing.AllocsPerRun(3, func() {
		if _, err := w.client.CallObject(t.Context(), call); err != nil {
			t.Error(err)
		}
	})
	if allocs > n/100 {
		t.Errorf("%v allocations for %d arguments", allocs, n)
	}
}

// What a method panics with may be as long as its caller likes.
func TestPanic_FillsNoLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := newWorld(t, expose.Config{}, inside.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	value[many](w, "many", manyTaker{}, expose.Options{})
	err := shared.ObjectOf(w.client, "many").Invoke(t.Context(), "Panic", []any{strings.Repeat("x", 1<<20)})
	if !errors.Is(err, reeve.ErrPanic) || !strings.Contains(err.Error(), "xxx") {
		t.Errorf("%v", err)
	}
	if n := log.Len(); n == 0 || n > 64<<10 {
		t.Errorf("%d bytes are logged", n)
	}
}
