package expose_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	inside "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/shared"
)

// bank has accounts, which are objects.
type bank interface {
	Open(name string) (account, error)
	Move(ctx context.Context, from, to account, n int) error
	Join(first account, more ...account) int
	Adopt(a *savings) string
	Where(ref reeve.Ref) reeve.Ref
	Anything(v any) any
	Find(name string) any
	Both(name string) (account, int, account)
}

type account interface {
	Balance() int
	Parent() account
}

type savings struct {
	name  string
	money int
	bank  *vault
}

func (s *savings) Balance() int    { return s.money }
func (s *savings) Parent() account { return s.bank.root }

// vault is a bank.
type vault struct {
	root     account
	accounts map[string]*savings
}

var errBroke = errors.New("no money")

func (v *vault) Open(name string) (account, error) {
	if name == "" {
		return nil, errBroke
	}
	if name == "nobody" {
		return nil, nil
	}
	return v.open(name), nil
}

func (v *vault) open(name string) *savings {
	a := v.accounts[name]
	if a == nil {
		a = &savings{name: name, money: 100, bank: v}
		v.accounts[name] = a
	}
	return a
}

func (v *vault) Move(_ context.Context, from, to account, n int) error {
	from.(*savings).money -= n
	to.(*savings).money += n
	return nil
}

func (v *vault) Join(first account, more ...account) int {
	sum := 0
	for _, a := range append(more, first) {
		if a != nil {
			sum += a.Balance()
		}
	}
	return sum
}

func (v *vault) Adopt(a *savings) string       { return a.name }
func (v *vault) Where(ref reeve.Ref) reeve.Ref { return ref }
func (v *vault) Anything(x any) any            { return x }

func (v *vault) Find(name string) any {
	if name == "" {
		return errBroke // which is no account
	}
	return v.open(name)
}

func (v *vault) Both(name string) (account, int, account) {
	return v.open(name), 7, v.open(name + "'")
}

// newBank shares a bank.
func newBank(w *world) (*vault, *shared.Object) {
	w.Helper()
	v := &vault{accounts: map[string]*savings{}}
	typ[account](w, "account", expose.Options{})
	value[bank](w, "bank", v, expose.Options{Returns: map[string]string{"Find": "account"}})
	return v, shared.ObjectOf(w.client, "bank")
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestResults_OfARegisteredTypeBecomeObjects(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	v, x := newBank(w)
	object := must[*shared.Object](t)
	ann := object(shared.Call[*shared.Object](t.Context(), x, "Open", "ann"))
	if ann.Ref().Type != "account" || ann.Ref().Name != "" || ann.Ref().ID == 0 {
		t.Errorf("%+v", ann.Ref())
	}
	if n, err := shared.Call[int](t.Context(), ann, "Balance"); err != nil || n != 100 {
		t.Errorf("Balance = %d, %v", n, err)
	}
	if _, err := shared.Call[*shared.Object](t.Context(), x, "Open", ""); err == nil || err.Error() != "no money" {
		t.Errorf("Open of nobody: %v", err)
	}
	if nobody, err := shared.Call[*shared.Object](t.Context(), x, "Open", "nobody"); err != nil || nobody != nil {
		t.Errorf("nil is %v, %v", nobody, err)
	}
	found := object(shared.Call[*shared.Object](t.Context(), x, "Find", "ann"))
	if found.Ref() != ann.Ref() {
		t.Errorf("one value is two objects: %v and %v", found.Ref(), ann.Ref())
	}
	if _, err := shared.Call[*shared.Object](t.Context(), x, "Find", ""); !errors.Is(err, reeve.ErrUnserializable) {
		t.Errorf("a value that is no account: %v", err)
	}
	var a, b *shared.Object
	var n int
	if err := x.Invoke(t.Context(), "Both", []any{"bob"}, &a, &n, &b); err != nil || n != 7 || a.Ref() == b.Ref() {
		t.Errorf("Both = %v, %d, %v, %v", a, n, b, err)
	}
	// A type that returns itself, and a value that has a name.
	root := &savings{name: "root", money: 1, bank: v}
	v.root = root
	value[account](w, "root", root, expose.Options{})
	if parent := object(shared.Call[*shared.Object](t.Context(), ann, "Parent")); parent.Ref() != (reeve.Ref{Name: "root", Type: "account"}) {
		t.Errorf("the root is %+v", parent.Ref())
	}
}

func TestArguments_ThatAreReferencesBecomeTheValues(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	v, x := newBank(w)
	object := must[*shared.Object](t)
	ann := object(shared.Call[*shared.Object](t.Context(), x, "Open", "ann"))
	bob := object(shared.Call[*shared.Object](t.Context(), x, "Open", "bob"))
	if err := x.Invoke(t.Context(), "Move", []any{ann, bob.Ref(), 30}); err != nil || v.accounts["ann"].money != 70 || v.accounts["bob"].money != 130 {
		t.Errorf("Move: %v; %+v", err, v.accounts)
	}
	if n, err := shared.Call[int](t.Context(), x, "Join", ann, bob, nil, ann); err != nil || n != 270 {
		t.Errorf("Join = %d, %v", n, err)
	}
	if name, err := shared.Call[string](t.Context(), x, "Adopt", ann); err != nil || name != "ann" {
		t.Errorf("Adopt = %q, %v", name, err)
	}
	if ref, err := shared.Call[reeve.Ref](t.Context(), x, "Where", bob); err != nil || ref != bob.Ref() {
		t.Errorf("Where = %v, %v", ref, err)
	}
	// Inside of another value it stays a reference.
	if out, err := shared.Call[map[string]any](t.Context(), x, "Anything", map[string]any{"who": bob}); err != nil || out["who"] != bob.Ref() {
		t.Errorf("Anything = %v, %v", out, err)
	}
	for _, c := range []struct {
		method string
		args   []any
		want   string
	}{
		{"Move", []any{ann, "bob", 3}, "argument 2 of Move, expose_test.account: want a reference"},
		{"Move", []any{ann, x, 3}, "bank is a *expose_test.vault"},
		{"Adopt", []any{x}, "argument 1 of Adopt, *expose_test.savings: bank is a"},
		{"Adopt", []any{"ann"}, "argument 1 of Adopt"},
		{"Join", []any{ann, reeve.Ref{Name: "$master"}}, "argument 2 of Join, expose_test.account: $master is no value"},
		{"Join", []any{ann, reeve.Ref{Name: "nobody"}}, `no shared object has this name: "nobody"`},
		{"Join", []any{reeve.Ref{ID: 1, Life: 2}}, "no such object"},
	} {
		if err := x.Invoke(t.Context(), c.method, c.args); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%v): %v", c.method, c.args, err)
		}
	}
}

func TestObjects_WithoutANameLiveWhileSomebodyRefersToThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{}, inside.Config{Grace: time.Minute})
		_, x := newBank(w)
		object := must[*shared.Object](t)
		other := w.caller(2)
		ann := object(shared.Call[*shared.Object](t.Context(), x, "Open", "ann"))
		again := object(shared.Call[*shared.Object](t.Context(), shared.ObjectOf(other, "bank"), "Open", "ann"))
		if ann.Ref() != again.Ref() {
			t.Errorf("%v and %v", ann.Ref(), again.Ref())
		}
		if err := ann.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, err := shared.Call[int](t.Context(), again, "Balance"); err != nil || n != 100 {
			t.Errorf("Balance = %d, %v", n, err)
		}
		other.Close(false)
		time.Sleep(2 * time.Minute)
		if _, err := shared.Call[int](t.Context(), ann, "Balance"); !errors.Is(err, reeve.ErrNoSuchObject) {
			t.Errorf("nobody refers to it, but %v", err)
		}
		// The value is shared anew when it is returned again.
		anew := object(shared.Call[*shared.Object](t.Context(), x, "Open", "ann"))
		if n, err := shared.Call[int](t.Context(), anew, "Balance"); err != nil || n != 100 || anew.Ref() == ann.Ref() {
			t.Errorf("%v, %d, %v", anew.Ref(), n, err)
		}
	})
}

func TestCall_ThatIsCancelledLeavesNoObjectBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{}, inside.Config{})
		open := make(chan struct{})
		slow := func(name string) *board { <-open; return newBoard() }
		if err := w.set.Factory("board", reflect.TypeFor[scores](), slow, expose.Options{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := shared.Create(ctx, w.client, "board", "x")
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(open)
		synctest.Wait()
		if list, err := shared.Objects(t.Context(), w.client); err != nil || len(list) != 1 || list[0].Ref.Name != "board" {
			t.Errorf("%+v, %v", list, err)
		}
		if _, err := shared.Create(t.Context(), w.client, "board", "x"); err != nil {
			t.Error(err)
		}
		if list, err := shared.Objects(t.Context(), w.client); err != nil || len(list) != 2 || list[1].Ref.Type != "board" || list[1].Refs != 1 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// stub is a typed handle, as reevegen writes them.
type stub struct{ x *shared.Object }

func (s *stub) BindObject(x *shared.Object) { s.x = x }
func (s *stub) Ref() reeve.Ref              { return s.x.Ref() }

func TestCall_ReturnsTypedHandles(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	_, x := newBank(w)
	one, err := shared.Call[stub](t.Context(), x, "Open", "ann")
	if err != nil || one.x == nil {
		t.Fatalf("%+v, %v", one, err)
	}
	two, err := shared.Call[*stub](t.Context(), x, "Open", "ann")
	if err != nil || two == nil || two.Ref() != one.Ref() {
		t.Errorf("%+v, %v", two, err)
	}
	if none, err := shared.Call[*stub](t.Context(), x, "Open", "nobody"); err != nil || none != nil {
		t.Errorf("nil is %+v, %v", none, err)
	}
	if n, err := shared.Call[int](t.Context(), x, "Join", two, &one, (*stub)(nil)); err != nil || n != 200 {
		t.Errorf("Join = %d, %v", n, err)
	}
	if _, err := shared.Call[*stub](t.Context(), x, "Anything", "a text"); !errors.Is(err, reeve.ErrUnserializable) {
		t.Errorf("a text is a handle: %v", err)
	}
}
