package managertest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

// noise takes what a master logs for people, from Info on.
type noise struct {
	mu    sync.Mutex // guards the field below
	lines []string
}

func (n *noise) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (n *noise) WithAttrs([]slog.Attr) slog.Handler           { return n }
func (n *noise) WithGroup(string) slog.Handler                { return n }

func (n *noise) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v %s", r.Level, r.Message)
	r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&b, " %s=%.200v", a.Key, a.Value); return true })
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, b.String())
	return nil
}

// take returns what was logged since the last take.
func (n *noise) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	lines := n.lines
	n.lines = nil
	return lines
}

// declareAll makes one object of every type, called like its type, and a queue, at
// the master itself, which has a desk. Nothing is durable.
func declareAll(t *testing.T, m *managertest.Master) {
	t.Helper()
	if err := declareAllAs(t.Context(), m.Manager(), false); err != nil {
		t.Fatal(err)
	}
}

func declareAllAs(ctx context.Context, o reeve.Objects, durable bool) error {
	var errs []error
	made := func(_ any, err error) { errs = append(errs, err) }
	made(shared.NewLock(ctx, o, "lock", shared.LockConfig{}))
	made(shared.NewRLock(ctx, o, "rlock", shared.LockConfig{}))
	made(shared.NewRWLock(ctx, o, "rwlock", shared.LockConfig{}))
	made(shared.NewSemaphore(ctx, o, "semaphore", shared.SemaphoreConfig{Value: 1, Bounded: true}))
	made(shared.NewCondition(ctx, o, "condition", shared.ConditionConfig{}))
	made(shared.NewEvent(ctx, o, "event", shared.EventConfig{}))
	made(shared.NewBarrier(ctx, o, "barrier", shared.BarrierConfig{Parties: 100}))
	made(shared.NewElection(ctx, o, "election", shared.ElectionConfig{}))
	made(shared.NewMap[string, int](ctx, o, "map", shared.MapConfig{Durable: durable}))
	made(shared.NewList[int](ctx, o, "list", shared.ListConfig{Durable: durable}))
	made(shared.NewSet[int](ctx, o, "set", shared.SetConfig{Durable: durable}))
	made(shared.NewArray[int](ctx, o, "array", shared.ArrayConfig{Len: 4, Durable: durable}))
	made(shared.NewValue(ctx, o, "value", 0, shared.ValueConfig{Durable: durable}))
	made(shared.NewNamespace(ctx, o, "namespace", shared.NamespaceConfig{Durable: durable}))
	return errors.Join(errs...)
}

// everything is the name of each object of declareAll, and of the master's own.
var everything = []string{
	"lock", "rlock", "rwlock", "semaphore", "condition", "event", "barrier", "election",
	"map", "list", "set", "array", "value", "namespace", "desk", "$master", "$queues", "$blobs",
}

// malformed are arguments that no method of anything takes.
var malformed = map[string][]byte{
	"nothing":               {},
	"no CBOR":               {0xff},
	"a number":              {0x01},
	"a map":                 {0xa0},
	"a text":                {0x61, 'x'},
	"nil":                   {0xf6},
	"an array cut short":    {0x82, 0x01},
	"an array of 2^64-1":    {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	"more behind the array": {0x80, 0x00},
	"a text cut short":      {0x81, 0x7a, 0x7f, 0xff, 0xff, 0xff, 'x'},
	"nested too deep":       append(bytes.Repeat([]byte{0x81}, 5000), 0x80),
	"twenty arguments":      append([]byte{0x94}, bytes.Repeat([]byte{0xf6}, 20)...),
	"a method's own nil":    {0x81, 0xf7, 0xf7},
}

// typed reports whether err is one that a program can tell from others.
func typed(err error) bool {
	for _, e := range []error{
		reeve.ErrInvalid, reeve.ErrTooLarge, reeve.ErrLimit, reeve.ErrNotExposed, reeve.ErrNoSuchName, reeve.ErrNoSuchObject,
		reeve.ErrNotLocked, reeve.ErrNotOwner, reeve.ErrOverRelease, reeve.ErrNoSuchKey, reeve.ErrOutOfRange, reeve.ErrNotFound,
		reeve.ErrNoSuchBlob, reeve.ErrUnserializable, reeve.ErrPermission, reeve.ErrNoSuchQueue, reeve.ErrObjectExists,
		reeve.ErrLocked, reeve.ErrDeadlock, reeve.ErrBrokenBarrier, reeve.ErrMethod, reeve.ErrPanic, reeve.ErrEmpty,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// quiet is a master that logs into n, with a desk.
func quiet(n *noise, k *clerk) manager.Config {
	cfg := registers(k)
	cfg.Logger = slog.New(n)
	return cfg
}

// bothSides runs f with a client and with the master itself; then the client still
// has its first connection, the master no panic counted and nothing logged.
func bothSides(t *testing.T, m *managertest.Master, n *noise, f func(t *testing.T, o reeve.Objects)) {
	t.Helper()
	client, cable := plugged(t, m, proxy.Config{})
	n.take() // of before
	for _, o := range []reeve.Objects{client, m.Manager()} {
		f(t, o)
		if _, err := shared.Objects(t.Context(), o); err != nil {
			t.Errorf("%T: it does not go on: %v", o, err)
		}
	}
	if cable.Made() != 1 || client.Stats().Connects != 1 {
		t.Errorf("the client has its connection number %d", cable.Made())
	}
	if s := m.Manager().Stats(); s.Panics != 0 || s.Protocol != 0 {
		t.Errorf("%+v", s)
	}
	for _, line := range n.take() {
		t.Errorf("logged: %s", line)
	}
}

func TestArguments_ThatNoMethodTakesAreInvalidToTheCallerAndNobodyElse(t *testing.T) {
	n := &noise{}
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareAll(t, m)
		bothSides(t, m, n, func(t *testing.T, o reeve.Objects) {
			for _, name := range everything {
				methods, err := shared.ObjectOf(o, name).Methods(t.Context())
				if err != nil || len(methods) == 0 {
					t.Fatalf("%s: %v", name, err)
				}
				for _, method := range methods {
					for what, args := range malformed {
						ctx, cancel := context.WithTimeout(t.Context(), time.Second)
						_, err := o.CallObject(ctx, &reeve.ObjectCall{Ref: reeve.Ref{Name: name}, Method: method.Name, Args: args, Waits: true})
						cancel()
						if !errors.Is(err, reeve.ErrInvalid) && !errors.Is(err, reeve.ErrTooLarge) || errors.Is(err, reeve.ErrMethod) {
							t.Errorf("%T: %s.%s of %s: %v", o, name, method.Name, what, err)
						}
					}
				}
			}
		})
	}, quiet(n, newClerk()))
}

// Every method is called with each number of arguments, of each kind: what it does
// not take it refuses, by an error that a program can tell, and goes on.
func TestArguments_OfAnyNumberAndKindAreTakenOrRefusedByATypedError(t *testing.T) {
	kinds := map[string]any{
		"nil": nil, "true": true, "-1": -1, "0": 0, "1": 1, "2^63": uint64(1 << 63), "a fraction": 0.5, "a text": "x", "bytes": []byte{0x80},
		"an array": []any{}, "numbers": []int{1, 2}, "a map": map[string]int{"a": 1}, "a reference": reeve.Ref{Name: "barrier"},
		"nobody": reeve.Ref{ID: 7, Life: 7}, "a long text": strings.Repeat("x", 100_000), "a hash": make([]byte, 32),
	}
	n, k := &noise{}, newClerk()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		k.let, k.ends = make(chan struct{}), make(chan error, 100)
		bothSides(t, m, n, func(t *testing.T, o reeve.Objects) {
			declareAll(t, m) // again: one of the calls deletes
			refused := 0
			for _, name := range everything {
				x := shared.ObjectOf(o, name)
				methods, err := x.Methods(t.Context())
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, method := range methods {
					if method.Name == "Panic" || method.Name == "shutdown" {
						continue // which people are told of
					}
					for what, arg := range kinds {
						for many := range 5 {
							args := make([]any, many)
							for i := range args {
								args[i] = arg
							}
							ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond) // some wait
							err := x.Invoke(ctx, method.Name, args)
							cancel()
							if err != nil {
								refused++
							}
							if err != nil && !typed(err) {
								t.Errorf("%T: %s.%s of %d times %s: %v", o, name, method.Name, many, what, err)
							}
						}
					}
				}
			}
			if refused < 1000 {
				t.Errorf("%d calls were refused", refused)
			}
		})
	}, quiet(n, k))
}

func TestArguments_ThatAreTooLargeAreRefusedBeforeTheyAreSent(t *testing.T) {
	n := &noise{}
	cfg := quiet(n, newClerk())
	cfg.MaxPayload = 1 << 20
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareAll(t, m)
		huge := make([]byte, 4<<20)
		bothSides(t, m, n, func(t *testing.T, o reeve.Objects) {
			_, remote := o.(*proxy.Client)
			for _, name := range everything {
				methods, err := shared.ObjectOf(o, name).Methods(t.Context())
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				err = shared.ObjectOf(o, name).Invoke(t.Context(), methods[0].Name, []any{huge})
				if !errors.Is(err, reeve.ErrTooLarge) && (remote || !errors.Is(err, reeve.ErrInvalid)) {
					t.Errorf("%T: %s.%s: %v", o, name, methods[0].Name, err)
				}
			}
		})
	}, cfg)
}

func TestMethods_ThatThereAreNotAreNotExposed(t *testing.T) {
	n := &noise{}
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareAll(t, m)
		bothSides(t, m, n, func(t *testing.T, o reeve.Objects) {
			for _, name := range everything {
				for _, method := range []string{"", "nothing", "__str__", "Lock", "Call", "String", "\x00", "\xff", strings.Repeat("m", 100_000)} {
					err := shared.ObjectOf(o, name).Invoke(t.Context(), method, nil)
					if !errors.Is(err, reeve.ErrNotExposed) && !errors.Is(err, reeve.ErrInvalid) && !errors.Is(err, reeve.ErrTooLarge) {
						t.Errorf("%T: %s.%.20q: %v", o, name, method, err)
					}
				}
			}
			for _, ref := range []reeve.Ref{{}, {Name: "nobody"}, {Name: "$nobody"}, {ID: 1}, {ID: 1 << 63, Life: 1}, {Name: strings.Repeat("n", 100_000)}, {Name: "\xff"}, {Name: "map", Type: "list"}} {
				_, err := o.CallObject(t.Context(), &reeve.ObjectCall{Ref: ref, Method: "len", Args: []byte{0x80}})
				if !typed(err) {
					t.Errorf("%T: %.60v: %v", o, ref, err)
				}
			}
		})
	}, quiet(n, newClerk()))
}
