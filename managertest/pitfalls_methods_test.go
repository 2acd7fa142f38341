package managertest_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

// rogue has methods as no program should have them.
type rogue interface {
	Block() int
	Nil() int
	Exit() int
	Panic(n int) int
	Bad() error
	Huge() []byte
	Unsendable() any
	Fine() int
}

type villain struct {
	let  chan struct{}
	runs atomic.Int32
}

// Block takes no ctx, and no notice of anything but let.
func (v *villain) Block() int {
	v.runs.Add(1)
	defer v.runs.Add(-1)
	<-v.let
	return 1
}

func (v *villain) Nil() int {
	var p *int
	return *p
}

func (v *villain) Exit() int       { runtime.Goexit(); return 0 }
func (v *villain) Panic(n int) int { panic(strings.Repeat("\xff\x00", n)) } // long, and no text
func (v *villain) Bad() error      { return badError{} }
func (v *villain) Huge() []byte    { return make([]byte, 8<<20) }
func (v *villain) Unsendable() any { return func() {} }
func (v *villain) Fine() int       { return 7 }

// badError cannot even say what it is.
type badError struct{}

func (badError) Error() string { panic("no words") }

func villains(v *villain) manager.Config {
	cfg := registers(newClerk())
	start := cfg.OnStart
	cfg.MaxPayload = 1 << 20
	cfg.OnStart = func(ctx context.Context, m *manager.Master) error {
		return errors.Join(start(ctx, m), manager.Register[rogue](m, "rogue", v))
	}
	return cfg
}

// fine wants that a client reaches the object and others.
func fine(t *testing.T, o reeve.Objects) {
	t.Helper()
	n, err := shared.Call[int](t.Context(), shared.ObjectOf(o, "rogue"), "Fine")
	_, err2 := shared.Call[int](t.Context(), shared.ObjectOf(o, "desk"), "Count")
	if err := errors.Join(err, err2); err != nil || n != 7 {
		t.Errorf("%T: %d, %v", o, n, err)
	}
}

func TestMethods_ThatGoWrongHarmNobodyButTheirCaller(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c, cable := plugged(t, m, proxy.Config{})
		other := m.Dial(t)
		for method, want := range map[string]error{
			"Nil": reeve.ErrPanic, "Exit": reeve.ErrPanic, "Panic": reeve.ErrPanic, "Bad": reeve.ErrPanic, "Unsendable": reeve.ErrUnserializable, "Huge": reeve.ErrTooLarge,
		} {
			var args []any
			if method == "Panic" {
				args = []any{100_000}
			}
			for range 3 {
				err := shared.ObjectOf(c, "rogue").Invoke(t.Context(), method, args)
				if !errors.Is(err, want) {
					t.Errorf("%s: %.200v, want %v", method, err, want)
				}
				if len(err.Error()) > 1<<16 {
					t.Errorf("%s: an error of %d bytes", method, len(err.Error()))
				}
			}
			fine(t, c)
			fine(t, other)
			fine(t, m.Manager())
		}
		if s := m.Manager().Stats(); cable.Made() != 1 || s.Panics != 0 || s.Protocol != 0 {
			t.Errorf("%d connections, %+v", cable.Made(), s)
		}
	}, villains(&villain{}))
}

// Methods that never return, of a client that is there, of one that has given up,
// and of one that was killed: others are served, and Close waits for none.
func TestMethods_ThatNeverReturnHoldUpNothing(t *testing.T) {
	v := &villain{}
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		v.let = make(chan struct{})
		c, cable := plugged(t, m, proxy.Config{})
		killed, line := plugged(t, m, proxy.Config{})
		other := m.Dial(t)
		x := shared.ObjectOf(c, "rogue")
		ctx, cancel := context.WithCancel(t.Context())
		const each = 50
		given, waiting := make(chan error, each), make(chan error, 3*each)
		for range each {
			go func() { given <- x.Invoke(ctx, "Block", nil) }()
			for _, o := range []reeve.Objects{c, killed, m.Manager()} {
				go func() { waiting <- shared.ObjectOf(o, "rogue").Invoke(t.Context(), "Block", nil) }()
			}
		}
		settle()
		if n := v.runs.Load(); n != 4*each {
			t.Fatalf("%d run", n)
		}
		began := time.Now()
		cancel()
		for range each {
			if err := <-given; !errors.Is(err, context.Canceled) {
				t.Errorf("given up: %v", err)
			}
		}
		line.Kill()
		killed.Close()
		for _, o := range []reeve.Objects{c, other, m.Manager()} {
			fine(t, o)
		}
		if cable.Made() != 1 {
			t.Errorf("%d connections", cable.Made())
		}
		m.Kill()
		if took := time.Since(began); took > time.Second {
			t.Errorf("all that took %v", took)
		}
		if n := v.runs.Load(); n != 4*each {
			t.Errorf("%d still run", n)
		}
		c.Close()
		for range 3 * each {
			if err := <-waiting; err == nil {
				t.Error("one returned")
			}
		}
		close(v.let)
	}, villains(v))
}

// A lock that is held where a method panics, or its caller dies, is free then; and a
// method may itself use what the master shares, as a client of its own process.
func TestMethods_MayUseWhatIsSharedAndBeCancelledThere(t *testing.T) {
	var master atomic.Pointer[manager.Master]
	k := &insider{o: &master}
	cfg := manager.Config{OnStart: func(_ context.Context, m *manager.Master) error {
		master.Store(m)
		return manager.Register[inside](m, "inside", k)
	}}
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		declareAll(t, m)
		x := shared.ObjectOf(c, "inside")
		let := hold(t, m.Manager())
		ctx, cancel := context.WithCancel(t.Context())
		waits := async(func() (int, error) { return shared.Call[int](ctx, x, "Lock") })
		settle()
		if s := state(t, m); !strings.Contains(s, "lock: held by master, 1 wait") {
			t.Errorf("the method does not wait:\n%s", s)
		}
		cancel()
		if w := <-waits; !errors.Is(w.err, context.Canceled) {
			t.Error(w.err)
		}
		settle()
		if s := state(t, m); !strings.Contains(s, "lock: held by master, 0 references") {
			t.Errorf("the method waits still:\n%s", s)
		}
		let()
		for range 2 {
			if err := x.Invoke(t.Context(), "Lock", nil); !errors.Is(err, reeve.ErrPanic) {
				t.Error(err)
			}
		}
		tryAll(t, c)
	}, cfg)
}

type inside interface {
	Lock(ctx context.Context) (int, error)
}

type insider struct {
	o *atomic.Pointer[manager.Master]
}

func (i *insider) Lock(ctx context.Context) (int, error) {
	return 0, shared.LockOf(i.o.Load(), "lock").With(ctx, func(context.Context, *shared.Hold) error { panic("with the lock") })
}
