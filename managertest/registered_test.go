package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

var errBadLuck = errors.New("bad luck")

func init() { reeve.RegisterError("managertest.bad-luck", errBadLuck) }

// desk is an interface of a program, with methods that take their time or fail.
type desk interface {
	Count() int
	Peek() int
	Hold(ctx context.Context) (int, error)
	Ask(ctx context.Context) error
	Fail() error
	Panic() error
	Child() child
}

type child interface{ Name() string }

// clerk is a desk.
type clerk struct {
	n    atomic.Int64
	let  chan struct{} // lets a Hold go
	ends chan error    // why an Ask ended
	of   *kid
}

type kid struct{ n int }

func (*kid) Name() string { return "kid" }

func newClerk() *clerk {
	return &clerk{let: make(chan struct{}), ends: make(chan error, 10), of: &kid{}}
}

func (c *clerk) Count() int { return int(c.n.Add(1)) }
func (c *clerk) Peek() int  { return int(c.n.Load()) }

func (c *clerk) Hold(ctx context.Context) (int, error) {
	n := int(c.n.Add(1))
	select {
	case <-c.let:
		return n, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

func (c *clerk) Ask(ctx context.Context) error {
	<-ctx.Done()
	c.ends <- context.Cause(ctx)
	return ctx.Err()
}

func (c *clerk) Fail() error  { return fmt.Errorf("today: %w", errBadLuck) }
func (c *clerk) Panic() error { panic("boom") }
func (c *clerk) Child() child { return c.of }

// registers shares c with whoever connects to the master, also after a restart.
func registers(c *clerk) manager.Config {
	return manager.Config{OnStart: func(_ context.Context, m *manager.Master) error {
		if err := manager.RegisterType[child](m, "child"); err != nil {
			return err
		}
		return manager.Register[desk](m, "desk", c, manager.Reads("Peek"), manager.Idempotent("Child"))
	}}
}

func TestRegistered_IsTheSameFromBothSides(t *testing.T) {
	c := newClerk()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		for i, o := range []reeve.Objects{m.Dial(t), m.Manager()} {
			x := shared.ObjectOf(o, "desk")
			if n, err := shared.Call[int](t.Context(), x, "Count"); err != nil || n != i+1 {
				t.Errorf("%T: Count = %d, %v", o, n, err)
			}
			err := x.Invoke(t.Context(), "Fail", nil)
			remote, ok := errors.AsType[*reeve.RemoteError](err)
			if !ok || err.Error() != "today: bad luck" || !errors.Is(err, errBadLuck) || !errors.Is(err, reeve.ErrMethod) ||
				remote.Object != "desk" || remote.Method != "Fail" || remote.Code != 37 || remote.Stack != "" {
				t.Errorf("%T: Fail: %#v", o, err)
			}
			if err := x.Invoke(t.Context(), "Panic", nil); !errors.Is(err, reeve.ErrPanic) || errors.Is(err, reeve.ErrMethod) {
				t.Errorf("%T: Panic: %v", o, err)
			}
			if err := x.Invoke(t.Context(), "ends", nil); !errors.Is(err, reeve.ErrNotExposed) {
				t.Errorf("%T: ends: %v", o, err)
			}
			if err := x.Invoke(t.Context(), "Count", []any{1}); !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("%T: Count(1): %v", o, err)
			}
			kid, err := shared.Call[*shared.Object](t.Context(), x, "Child")
			if err != nil {
				t.Fatal(err)
			}
			if name, err := shared.Call[string](t.Context(), kid, "Name"); err != nil || name != "kid" {
				t.Errorf("%T: Name = %q, %v", o, name, err)
			}
			if list, err := shared.Objects(t.Context(), o); err != nil || len(list) != 2 || list[1].Refs != i+1 {
				t.Errorf("%T: %+v, %v", o, list, err)
			}
		}
	}, registers(c))
}

func TestRegistered_AMethodGoesOnWhileTheConnectionIsLost(t *testing.T) {
	c := newClerk()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c.let = make(chan struct{})
		x := shared.ObjectOf(m.Dial(t), "desk")
		held := async(func() (int, error) { return shared.Call[int](t.Context(), x, "Hold") })
		settle()
		m.Disconnect()
		settle()
		c.let <- struct{}{} // it is answered to nobody, or to the next connection
		if h := <-held; h.err != nil || h.v != 1 {
			t.Errorf("Hold = %d, %v", h.v, h.err)
		}
		if n, err := shared.Call[int](t.Context(), x, "Peek"); err != nil || n != 1 {
			t.Errorf("it ran %d times, %v", n, err)
		}
	}, registers(c))
}

func TestRegistered_ACallIsCancelledOverTheNetwork(t *testing.T) {
	c := newClerk()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c.ends = make(chan error, 10)
		client := m.Dial(t)
		x := shared.ObjectOf(client, "desk")
		ctx, cancel := context.WithCancel(t.Context())
		asked := async(func() (int, error) { return 0, x.Invoke(ctx, "Ask", nil) })
		settle()
		cancel()
		if a := <-asked; !errors.Is(a.err, context.Canceled) {
			t.Errorf("Ask: %v", a.err)
		}
		if err := <-c.ends; !errors.Is(err, context.Canceled) {
			t.Errorf("its ctx ended with %v", err)
		}
		if _, err := shared.Call[int](t.Context(), x, "Count"); err != nil {
			t.Errorf("the session after a cancelled call: %v", err)
		}

		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := x.Invoke(ctx, "Ask", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ask with a deadline: %v", err)
		}
		if err := <-c.ends; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("its ctx ended with %v", err)
		}

		asked = async(func() (int, error) { return 0, x.Invoke(t.Context(), "Ask", nil) })
		settle()
		client.Close()
		if a := <-asked; a.err == nil {
			t.Error("Ask of a closed client returned")
		}
		began := time.Now()
		if err := <-c.ends; err == nil || time.Since(began) > 2*time.Minute {
			t.Errorf("its ctx ended with %v, after %v", err, time.Since(began))
		}
	}, registers(c))
}

func TestRegistered_AfterARestartOfTheMaster(t *testing.T) {
	c := newClerk()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c.let = make(chan struct{})
		x := shared.ObjectOf(m.Dial(t), "desk")
		kid, err := shared.Call[*shared.Object](t.Context(), x, "Child")
		if err != nil {
			t.Fatal(err)
		}
		held := async(func() (int, error) { return shared.Call[int](t.Context(), x, "Hold") })
		settle()
		m.Restart(t)
		// It may have run to its end: nobody knows any more.
		if h := <-held; !errors.Is(h.err, reeve.ErrOutcomeUnknown) {
			t.Errorf("Hold = %d, %v", h.v, h.err)
		}
		if n, err := shared.Call[int](t.Context(), x.ReadOnly(), "Peek"); err != nil || n != 1 {
			t.Errorf("Peek = %d, %v", n, err)
		}
		if _, err := shared.Call[string](t.Context(), kid, "Name"); !errors.Is(err, reeve.ErrNoSuchObject) {
			t.Errorf("an object of the old master: %v", err)
		}
	}, registers(c))
}

func TestRegistered_ManyHandlesOnOneConnectionCostNoGoroutine(t *testing.T) {
	const handles, objects = 10_000, 1000
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		if err := manager.RegisterFactory[child](m.Manager(), "kids", func() *kid { return &kid{n: 1} }); err != nil {
			t.Fatal(err)
		}
		client := m.Dial(t)
		all := make([]*shared.Object, 0, handles)
		settle()
		before := runtime.NumGoroutine()
		for i := range handles {
			x := shared.ObjectOf(client, "desk")
			if i < objects {
				var err error
				if x, err = shared.Create(t.Context(), client, "kids"); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, x)
		}
		settle()
		if more := runtime.NumGoroutine() - before; more > 100 {
			t.Errorf("%d more goroutines", more)
		}
		for i := 0; i < handles; i += 100 {
			method := "Peek"
			if i < objects {
				method = "Name"
			}
			if err := all[i].Invoke(t.Context(), method, nil); err != nil {
				t.Fatalf("handle %d: %v", i, err)
			}
		}
	}, registers(newClerk()))
}

func TestRegister_OnAMasterThatIsClosed(t *testing.T) {
	m := managertest.Start(t)
	m.Kill()
	if err := manager.Register[desk](m.Manager(), "desk", newClerk(), manager.Only("Count", "Peek"), manager.MaxCalls(1)); !errors.Is(err, reeve.ErrClosed) {
		t.Errorf("Register: %v", err)
	}
	if err := manager.RegisterFactory[child](m.Manager(), "child", func() *kid { return &kid{} }); !errors.Is(err, reeve.ErrClosed) {
		t.Errorf("RegisterFactory: %v", err)
	}
	if err := manager.RegisterType[desk](m.Manager(), "desk", manager.Returns("Count", "nothing"), manager.Returns("Nobody", "x")); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("RegisterType: %v", err)
	}
}
