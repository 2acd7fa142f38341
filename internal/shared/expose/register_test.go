package expose_test

import (
	"context"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	inside "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/shared"
)

// Interfaces that cannot be shared, each for one reason.
type (
	sendsChan    interface{ M(chan int) }
	returnsChan  interface{ M() (<-chan int, error) }
	sendsFunc    interface{ M(string, func()) }
	sendsComplex interface{ M([]complex128) }
	sendsUnsafe  interface{ M(unsafe.Pointer) }
	sendsOpaque  interface{ M(map[string]opaque) }
	sendsDeep    interface{ M(deep) }
	sendsError   interface{ M(error) }
	returnsTwice interface{ M() (error, error) }
	ctxSecond    interface{ M(string, context.Context) }
	sendsReaders interface{ M([]interface{ Read() }) }
	returnsFaces interface{ M() other }
	hidesAll     interface{ m() }
	empty        interface{}
	mutual       interface{ Other() other }
	other        interface{ Mutual() mutual }
)

type opaque struct{ _ int }
type deep struct{ Next *struct{ Last chan int } }

// everything is all that can be sent.
type everything interface {
	Plain(bool, int8, uint64, float32, string, []byte, [3]int) (uintptr, error)
	Nested(map[string][]*point, map[int]any, struct{ A, B int }) (*point, []point)
	Known(time.Time, time.Duration, *big.Int, reeve.Ref, *reeve.Ref, codec.Encoded, struct{})
	Recursive(*tree) tree
	Own(coded) *coded
	Variadic(context.Context, ...point) error
}

type point struct{ X, Y int }
type tree struct{ Left, Right *tree }
type coded struct{ secret int }

func (c coded) MarshalBinary() ([]byte, error)     { return []byte{byte(c.secret)}, nil }
func (c *coded) UnmarshalBinary(data []byte) error { c.secret = int(data[0]); return nil }

func TestRegister_RefusesWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, expose.Config{}, inside.Config{})
	for _, c := range []struct {
		iface reflect.Type
		want  string
	}{
		{reflect.TypeFor[sendsChan](), "sendsChan: reeve: invalid argument: method M: argument 1, chan int: a chan cannot be sent"},
		{reflect.TypeFor[returnsChan](), "method M: result 1, <-chan int: a chan cannot be sent"},
		{reflect.TypeFor[sendsFunc](), "method M: argument 2, func(): a func cannot be sent"},
		{reflect.TypeFor[sendsComplex](), "a complex128 cannot be sent"},
		{reflect.TypeFor[sendsUnsafe](), "a unsafe.Pointer cannot be sent"},
		{reflect.TypeFor[sendsOpaque](), "a struct without exported fields"},
		{reflect.TypeFor[sendsDeep](), "field Next: field Last: a chan cannot be sent"},
		{reflect.TypeFor[sendsError](), "an error cannot be sent"},
		{reflect.TypeFor[returnsTwice](), "result 1, error: an error must come last"},
		{reflect.TypeFor[ctxSecond](), "argument 2, context.Context: ctx must come first"},
		{reflect.TypeFor[sendsReaders](), "an interface with methods, cannot be sent"},
		{reflect.TypeFor[hidesAll](), "has no method to be shared"},
		{reflect.TypeFor[empty](), "has no method to be shared"},
		{reflect.TypeFor[*board](), "*expose_test.board is a ptr; name the interface"},
		{reflect.TypeFor[int](), "int is a int; name the interface"},
	} {
		if err := w.set.Type("x", c.iface, expose.Options{}); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.iface, err, c.want)
		}
	}
	typ[everything](w, "everything", expose.Options{})
}

func TestRegister_RefusesOptionsThatMeanNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, expose.Config{}, inside.Config{})
	typ[account](w, "y", expose.Options{})
	for want, o := range map[string]expose.Options{
		`Only names "Gett"`:                      {Only: []string{"Add", "Gett"}},
		`Reads names "Secret"`:                   {Reads: []string{"Secret"}},
		`Idempotent names "Get", which`:          {Only: []string{"Add"}, Idempotent: []string{"Get"}},
		`Returns names "nothing"`:                {Returns: map[string]string{"nothing": "x"}},
		`has no result to become a x`:            {Returns: map[string]string{"Reset": "x"}},
		`there is no type "x"; the types are: y`: {Returns: map[string]string{"Get": "x"}},
		`has not the methods of`:                 {Returns: map[string]string{"Get": "y"}},
		`MaxCalls is -1, want 1 to `:             {MaxCalls: -1},
		`has no method to be shared`:             {Only: []string{}},
	} {
		err := w.set.Value("scores", reflect.TypeFor[scores](), newBoard(), o)
		if !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", o, err, want)
		}
	}
	for name, v := range map[string]any{"nil": nil, "a nil pointer": (*board)(nil)} {
		if err := w.set.Value("scores", reflect.TypeFor[scores](), v, expose.Options{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "$master", "$scores", "\xff", strings.Repeat("x", 256)} {
		if err := w.set.Value(name, reflect.TypeFor[scores](), newBoard(), expose.Options{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("the name %.20q: %v", name, err)
		}
		if err := w.set.Type(name, reflect.TypeFor[account](), expose.Options{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("a type of the name %.20q: %v", name, err)
		}
	}
	value[scores](w, "scores", newBoard(), expose.Options{})
	if err := w.set.Value("scores", reflect.TypeFor[scores](), newBoard(), expose.Options{}); !errors.Is(err, reeve.ErrObjectExists) {
		t.Errorf("the name twice: %v", err)
	}
}

func TestRegister_WantsTheTypesOfAllThatCanBeReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, expose.Config{}, inside.Config{})
	typ[mutual](w, "mutual", expose.Options{}) // other may come later
	register := func() error {
		return w.set.Factory("faces", reflect.TypeFor[returnsFaces](), func() (returnsFaces, error) { return nil, nil }, expose.Options{})
	}
	if err := register(); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "RegisterType[expose_test.other]") {
		t.Errorf("without a type: %v", err)
	}
	typ[other](w, "other", expose.Options{})
	if err := register(); err != nil {
		t.Errorf("with all types: %v", err)
	}
	typ[other](w, "another", expose.Options{Only: []string{"Mutual"}})
	err := w.set.Value("x", reflect.TypeFor[mutual](), two{}, expose.Options{MaxCalls: 2})
	if !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "more than one type, another, other: say which with Returns") {
		t.Errorf("with two types: %v", err)
	}
	if err := w.set.Type("other", reflect.TypeFor[other](), expose.Options{}); !errors.Is(err, reeve.ErrObjectExists) {
		t.Errorf("a type twice: %v", err)
	}
}

func TestRegister_PrefersTypesToWhatFactoriesMake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, expose.Config{}, inside.Config{})
	factory := func(name string) {
		t.Helper()
		if err := w.set.Factory(name, reflect.TypeFor[leaf](), func() leaf { return nil }, expose.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	register := func(name string) error {
		return w.set.Value(name, reflect.TypeFor[branch](), stick{}, expose.Options{MaxCalls: len(name)})
	}
	factory("a")
	if err := register("x"); err != nil {
		t.Errorf("with one factory: %v", err)
	}
	factory("b")
	if err := register("xx"); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "a, b: say which") {
		t.Errorf("with two: %v", err)
	}
	typ[leaf](w, "c", expose.Options{})
	if err := register("xxx"); err != nil {
		t.Errorf("with a type: %v", err)
	}
}

type (
	leaf   interface{ Colour() string }
	branch interface{ Leaf() leaf }
	stick  struct{}
)

func (stick) Leaf() leaf { return nil }

type two struct{}

func (two) Other() other { return nil }

func TestFactory_IsAFunctionThatReturnsTheInterface(t *testing.T) {
	t.Parallel()
	w := newWorld(t, expose.Config{}, inside.Config{})
	for name, fn := range map[string]any{
		"nil": nil, "no function": 7, "a nil function": (func() scores)(nil), "no result": func() {},
		"another result": func() int { return 1 }, "two results": func() (scores, int, error) { return nil, 0, nil },
		"two of them": func() (a, b scores) { return nil, nil }, "a channel": func(chan int) scores { return nil },
	} {
		if err := w.set.Factory("f", reflect.TypeFor[scores](), fn, expose.Options{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.set.Factory("f", reflect.TypeFor[scores](), newBoard, expose.Options{}); err != nil {
		t.Errorf("after all that: %v", err)
	}
	if err := w.set.Factory("f", reflect.TypeFor[scores](), newBoard, expose.Options{}); !errors.Is(err, reeve.ErrObjectExists) {
		t.Errorf("twice: %v", err)
	}
}

type (
	trunk interface {
		Bough() bough
		Nut() nut
	}
	bough interface{ Trunk() trunk }
	nut   interface{ Crack() string }

	tree1 struct{}
	tree2 struct{}
	tree3 struct{}
)

func (tree1) Bough() bough  { return tree2{} }
func (tree1) Nut() nut      { return tree3{} }
func (tree2) Trunk() trunk  { return tree1{} }
func (tree3) Crack() string { return "crack" }

// A Register that failed leaves no type behind that is taken for whole.
func TestRegister_ThatFailedIsMadeUpForLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, expose.Config{}, inside.Config{})
	typ[trunk](w, "trunk", expose.Options{})
	typ[bough](w, "bough", expose.Options{})
	if err := share[trunk](w, "first", tree1{}); !errors.Is(err, reeve.ErrInvalid) {
		t.Fatalf("without a type for nuts: %v", err)
	}
	if err := share[bough](w, "second", tree2{}); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("what returns that: %v", err)
	}
	typ[nut](w, "nut", expose.Options{})
	value[bough](w, "third", tree2{}, expose.Options{})
	x := shared.ObjectOf(w.client, "third")
	for _, method := range []string{"Trunk", "Nut"} {
		next, err := shared.Call[*shared.Object](t.Context(), x, method)
		if err != nil || next == nil {
			t.Fatalf("%s: %v, %v", method, next, err)
		}
		x = next
	}
	if s, err := shared.Call[string](t.Context(), x, "Crack"); s != "crack" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
}
