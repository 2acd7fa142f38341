package expose_test

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/internal/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Host, what it shares, and a client in this process.
type world struct {
	*testing.T
	host   *shared.Host
	set    *expose.Set
	client *shared.Caller
}

func newWorld(t *testing.T, cfg expose.Config, hostCfg shared.Config) *world {
	t.Helper()
	w := &world{T: t, host: shared.New(hostCfg)}
	cfg.Host = w.host
	cfg.Crosses = func(err error) error { return wire.ErrorFor(0, err, "").Err() }
	w.set = expose.New(cfg)
	w.client = w.caller(1)
	t.Cleanup(func() { w.host.Close(); w.set.Close() })
	return w
}

func (w *world) caller(n byte) *shared.Caller {
	return w.host.NewCaller(shared.ClientID{Process: [16]byte{n}}, shared.Who{Name: "client"})
}

// value shares a value, which must be possible.
func value[I any](w *world, name string, v I, o expose.Options) {
	w.Helper()
	if err := w.set.Value(name, reflect.TypeFor[I](), v, o); err != nil {
		w.Fatal(err)
	}
}

// typ makes a type of an interface, which must be possible.
func typ[I any](w *world, name string, o expose.Options) {
	w.Helper()
	if err := w.set.Type(name, reflect.TypeFor[I](), o); err != nil {
		w.Fatal(err)
	}
}

var errUnknown = errors.New("unknown player")

func init() { reeve.RegisterError("exposetest.unknown", errUnknown) }

// scores is the interface of most tests.
type scores interface {
	Add(ctx context.Context, name string, n int) (int, error)
	Best(names ...string) (string, int)
	Reset()
	Get(name string) (int, error)
}

// board is a value with more methods than are shared.
type board struct {
	mu     sync.Mutex
	points map[string]int
}

func newBoard() *board { return &board{points: map[string]int{}} }

func (b *board) Add(_ context.Context, name string, n int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.points[name] += n
	return b.points[name], nil
}

func (b *board) Best(names ...string) (best string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if b.points[name] > n {
			best, n = name, b.points[name]
		}
	}
	return best, n
}

func (b *board) Reset() { clear(b.points) }

func (b *board) Get(name string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, ok := b.points[name]
	if !ok {
		return 0, errUnknown
	}
	return n, nil
}

func (b *board) Secret() string { return "secret" }
func (b *board) hidden() string { return "hidden" }

// exit ends the goroutine, as testing.T.FailNow does.
func exit() { runtime.Goexit() }

// share shares a value, or, without a name, a type.
func share[I any](w *world, name string, v I) error {
	if name == "" {
		return w.set.Type("type", reflect.TypeFor[I](), expose.Options{})
	}
	return w.set.Value(name, reflect.TypeFor[I](), v, expose.Options{})
}
