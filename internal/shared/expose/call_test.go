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

func TestCall_ReachesTheMethodsOfTheInterface(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	value[scores](w, "scores", newBoard(), expose.Options{})
	x, ctx := shared.ObjectOf(w.client, "scores"), t.Context()
	if n, err := shared.Call[int](ctx, x, "Add", "ann", 3); err != nil || n != 3 {
		t.Errorf("Add = %d, %v", n, err)
	}
	if n, err := shared.Call[int](ctx, x, "Add", "bob", 5); err != nil || n != 5 {
		t.Errorf("Add = %d, %v", n, err)
	}
	var best string
	var n int
	if err := x.Invoke(ctx, "Best", []any{"ann", "bob", "cid"}, &best, &n); err != nil || best != "bob" || n != 5 {
		t.Errorf("Best = %q, %d, %v", best, n, err)
	}
	if err := x.Invoke(ctx, "Best", nil, &best, &n); err != nil || best != "" || n != 0 {
		t.Errorf("Best of none = %q, %d, %v", best, n, err)
	}
	if err := x.Invoke(ctx, "Reset", nil); err != nil {
		t.Error(err)
	}
	methods, err := x.Methods(ctx)
	want := []reeve.MethodInfo{
		{Name: "Add", Signature: "Add(ctx, string, int) (int, error)"}, {Name: "Best", Signature: "Best(...string) (string, int)"},
		{Name: "Get", Signature: "Get(string) (int, error)"}, {Name: "Reset", Signature: "Reset()"},
	}
	if err != nil || !reflect.DeepEqual(methods, want) {
		t.Errorf("%+v, %v", methods, err)
	}
	list, err := shared.Objects(ctx, w.client)
	if err != nil || len(list) != 1 || list[0].Ref != (reeve.Ref{Name: "scores", Type: "scores"}) || list[0].Text != "*expose_test.board" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestCall_OfAMethodThatTheInterfaceDoesNotNameIsNotExposed(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	value[scores](w, "scores", newBoard(), expose.Options{Only: []string{"Add"}})
	for _, method := range []string{"Secret", "hidden", "Get", "add", "Lock", "String", "", "Add ", strings.Repeat("x", 1<<16)} {
		err := shared.ObjectOf(w.client, "scores").Invoke(t.Context(), method, nil)
		if !errors.Is(err, reeve.ErrNotExposed) || !strings.Contains(err.Error(), "it has: Add") || len(err.Error()) > 1000 {
			t.Errorf("%.20s: %v", method, err)
		}
	}
	if (&board{}).hidden() == "" {
		t.Error("there is no unexported method")
	}
}

func TestCall_WithWrongArgumentsSaysWhich(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	value[scores](w, "scores", newBoard(), expose.Options{})
	x := shared.ObjectOf(w.client, "scores")
	for _, c := range []struct {
		method string
		args   []any
		want   string
	}{
		{"Add", nil, "0 arguments, want Add(ctx, string, int) (int, error)"},
		{"Add", []any{"ann"}, "1 arguments, want Add("},
		{"Add", []any{"ann", 1, 2}, "3 arguments, want Add("},
		{"Add", []any{"ann", "x"}, "argument 2 of Add, int: cbor: cannot unmarshal UTF-8 text string into Go value of type int"},
		{"Add", []any{7, 1}, "argument 1 of Add, string: "},
		{"Add", []any{"ann", uint64(1 << 63)}, "argument 2 of Add, int: "},
		{"Add", []any{[]int{1}, 1}, "argument 1 of Add, string: "},
		{"Best", []any{"a", "b", 3}, "argument 3 of Best, string: "},
		{"Reset", []any{nil}, "1 arguments, want Reset()"},
	} {
		err := x.Invoke(t.Context(), c.method, c.args)
		if !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), c.want) || errors.Is(err, reeve.ErrMethod) {
			t.Errorf("%s(%v): %v, want %s", c.method, c.args, err, c.want)
		}
	}
	for _, args := range [][]byte{nil, {0xff}, {0x82, 0x61}, {0xa0}, {0x01}, {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
		_, err := w.client.CallObject(t.Context(), &reeve.ObjectCall{Ref: x.Ref(), Method: "Add", Args: args})
		if !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("arguments % x: %v", args, err)
		}
	}
	if err := x.Invoke(t.Context(), "Add", []any{make(chan int), 1}); !errors.Is(err, reeve.ErrUnserializable) {
		t.Errorf("a channel: %v", err)
	}
	if _, err := shared.Call[string](t.Context(), x, "Add", "ann", 1); !errors.Is(err, reeve.ErrUnserializable) {
		t.Errorf("a string of an int: %v", err)
	}
	var a, b, c int
	if err := x.Invoke(t.Context(), "Best", nil, &a, &b, &c); !errors.Is(err, reeve.ErrUnserializable) {
		t.Errorf("three of two: %v", err)
	}
	if _, err := shared.Call[int](t.Context(), x, "Reset"); !errors.Is(err, reeve.ErrUnserializable) {
		t.Errorf("one of none: %v", err)
	}
}

// troubled has methods that go wrong.
type troubled interface {
	Fail(text string) error
	Known() error
	Panic() error
	Exit() error
	Broken() any
	Odd(weird) error
	Nil() (int, error)
}

type trouble struct{}

// weird panics when it is read.
type weird struct{}

func (weird) MarshalCBOR() ([]byte, error) { return []byte{0x01}, nil }
func (*weird) UnmarshalCBOR([]byte) error  { panic("cannot be read") }
func (trouble) Fail(text string) error     { return errors.New(text) }
func (trouble) Known() error               { return errors.Join(errUnknown, reeve.ErrNoSuchKey) }
func (trouble) Panic() error               { panic("boom") }
func (trouble) Broken() any                { return make(chan int) }
func (trouble) Odd(weird) error            { return nil }
func (trouble) Nil() (int, error)          { var e *typedError; return 1, e }
func (trouble) Exit() error                { exit(); return nil }

type typedError struct{ text string }

func (e *typedError) Error() string { return e.text }

func TestCall_ErrorsOfAMethodArrive(t *testing.T) {
	for _, debug := range []bool{false, true} {
		w := newWorld(t, expose.Config{}, inside.Config{Debug: debug})
		value[troubled](w, "trouble", trouble{}, expose.Options{})
		x := shared.ObjectOf(w.client, "trouble")
		call := func(method string, args ...any) (*reeve.RemoteError, error) {
			err := x.Invoke(t.Context(), method, args)
			remote, ok := errors.AsType[*reeve.RemoteError](err)
			if !ok || remote.Object != "trouble" || remote.Method != method {
				t.Fatalf("%s: %#v", method, err)
			}
			return remote, err
		}
		if _, err := call("Fail", "no lamp"); err.Error() != "no lamp" || !errors.Is(err, reeve.ErrMethod) || errors.Is(err, reeve.ErrPanic) {
			t.Errorf("Fail: %v", err)
		}
		if _, err := call("Known"); !errors.Is(err, errUnknown) || !errors.Is(err, reeve.ErrNoSuchKey) || !errors.Is(err, reeve.ErrMethod) {
			t.Errorf("Known: %v", err)
		}
		for method, want := range map[string]string{
			"Panic": "panicked: boom", "Exit": "Goexit", "Odd": "cannot be read", "Nil": "nil pointer",
		} {
			var args []any
			if method == "Odd" {
				args = []any{1}
			}
			remote, err := call(method, args...)
			if !errors.Is(err, reeve.ErrPanic) || errors.Is(err, reeve.ErrMethod) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", method, err)
			}
			if strings.Contains(remote.Stack, "call_test.go") != debug && method != "Exit" {
				t.Errorf("%s, debug %v: stack %q", method, debug, remote.Stack)
			}
		}
		if err := x.Invoke(t.Context(), "Broken", nil); !errors.Is(err, reeve.ErrUnserializable) || !strings.Contains(err.Error(), "Broken has run") {
			t.Errorf("Broken: %v", err)
		}
		if err := x.Invoke(t.Context(), "Fail", []any{"again"}); !errors.Is(err, reeve.ErrMethod) {
			t.Errorf("after all that: %v", err)
		}
	}
}

// patient has methods that wait.
type patient interface {
	Wait(ctx context.Context) error
	Deadline(ctx context.Context) (time.Time, error)
}

type patience struct{ causes chan error }

func (p patience) Wait(ctx context.Context) error {
	<-ctx.Done()
	p.causes <- errors.Join(ctx.Err(), context.Cause(ctx))
	return ctx.Err()
}

func (p patience) Deadline(ctx context.Context) (time.Time, error) {
	d, ok := ctx.Deadline()
	if !ok {
		return d, errors.New("no deadline")
	}
	return d, nil
}

func TestCall_ThatIsCancelledEndsTheMethodsCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{}, inside.Config{Grace: time.Minute})
		p := patience{make(chan error, 1)}
		value[patient](w, "patience", p, expose.Options{})
		x := shared.ObjectOf(w.client, "patience")
		call := func(ctx context.Context) <-chan error {
			done := make(chan error, 1)
			go func() { done <- x.Invoke(ctx, "Wait", nil) }()
			synctest.Wait()
			return done
		}

		ctx, cancel := context.WithCancel(t.Context())
		done := call(ctx)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if err := <-p.causes; !errors.Is(err, context.Canceled) {
			t.Errorf("its ctx ended with %v", err)
		}

		ctx, cancel = context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if d, err := shared.Call[time.Time](ctx, x, "Deadline"); err != nil || !d.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("Deadline = %v, %v", d, err)
		}
		if err := <-call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("too late: %v", err)
		}
		if err := <-p.causes; !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("its ctx ended with %v", err)
		}

		done = call(t.Context())
		w.client.Close(false) // the connection is lost: the method goes on
		<-done
		time.Sleep(59 * time.Second)
		if len(p.causes) > 0 {
			t.Errorf("it has ended early: %v", <-p.causes)
		}
		time.Sleep(2 * time.Second) // the client does not come back
		if err := <-p.causes; !errors.Is(err, context.Canceled) || err.Error() == "context canceled\ncontext canceled" {
			t.Errorf("its ctx ended with %v", err)
		}
		w.host.Close()
	})
}

func TestDelete_EndsTheCtxOfCallsThatRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{}, inside.Config{})
		p := patience{make(chan error, 2)}
		value[patient](w, "patience", p, expose.Options{MaxCalls: 1})
		x := shared.ObjectOf(w.client, "patience")
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- x.Invoke(t.Context(), "Wait", nil) }()
			synctest.Wait()
		}
		if list, err := shared.Objects(t.Context(), w.client); err != nil || list[0].Text != "expose_test.patience, 1 calls running, 1 waiting" {
			t.Errorf("%+v, %v", list, err)
		}
		if err := x.Delete(t.Context()); !errors.Is(err, reeve.ErrPermission) {
			t.Errorf("a client deletes what the program shares: %v", err)
		}
		own := w.host.NewCaller(inside.ClientID{}, inside.Who{Name: "master"})
		if err := shared.ObjectOf(own, "patience").Delete(t.Context()); err != nil {
			t.Fatal(err)
		}
		own.Close(true)
		first, second := <-done, <-done
		if errors.Is(first, reeve.ErrMethod) {
			first, second = second, first
		}
		if !errors.Is(first, reeve.ErrNoSuchObject) || !errors.Is(second, reeve.ErrMethod) || !errors.Is(second, context.Canceled) {
			t.Errorf("the one that waited: %v; the one that ran: %v", first, second)
		}
		if err := <-p.causes; !errors.Is(err, reeve.ErrNoSuchObject) {
			t.Errorf("its ctx ended with %v", err)
		}
		w.client.Close(true)
	})
}

func TestCall_ThatAnEarlierMasterGotIsMadeAgainIfThatDoesNoHarm(t *testing.T) {
	w := newWorld(t, expose.Config{}, inside.Config{})
	value[scores](w, "scores", newBoard(), expose.Options{Reads: []string{"Best"}, Idempotent: []string{"Reset"}})
	for method, want := range map[string]error{"Best": nil, "Reset": nil, "Add": reeve.ErrOutcomeUnknown} {
		to := &oneAnswer{answers: make(chan error, 1)}
		link, _ := w.host.Attach(inside.ClientID{Process: [16]byte{9}}, inside.Who{}, to)
		args := []byte{0x80}
		link.Call(&inside.Request{Req: 1, Ref: reeve.Ref{Name: "scores"}, Method: method, Args: args, Again: true})
		if err := <-to.answers; !errors.Is(err, want) {
			t.Errorf("%s: %v", method, err)
		}
		link.Detach(true)
	}
	methods, err := shared.ObjectOf(w.client, "scores").Methods(t.Context())
	for _, m := range methods {
		if m.Reads != (m.Name == "Best") {
			t.Errorf("%+v", m)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// oneAnswer takes answers.
type oneAnswer struct{ answers chan error }

func (a *oneAnswer) Return(uint64, []byte)    { a.answers <- nil }
func (a *oneAnswer) Fail(_ uint64, err error) { a.answers <- err }
