package reeve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/pprof"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/bench/internal/program"
	"github.com/reeveq/reeve/bench/internal/system"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/shared"
)

// echo is the object whose method is called.
type echo struct{}

func (echo) Echo(b []byte) []byte { return b }

const (
	echoName = "echo"
	lockName = "lock"
	mapName  = "map"
)

// object starts this program as a master with an object of its own.
func (w way) object(ctx context.Context, set system.Settings) (*system.Server, error) {
	s, err := program.Self(ctx, w, set)
	if err == nil {
		s.Version = version()
	}
	return s, err
}

// Serve is a master that shares objects.
func (w way) Serve(ctx context.Context, set system.Settings, announce func(string)) error {
	key, text, err := auth.GenerateKey("bench")
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		return err
	}
	defer m.Close()
	if err := manager.Register[interface{ Echo([]byte) []byte }](m, echoName, echo{}, manager.Reads("Echo")); err != nil {
		return err
	}
	if set.Profile != "" {
		f, err := os.Create(set.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(ln.Addr().String() + " " + text)
	if err := m.Serve(ctx, ln); ctx.Err() == nil {
		return err
	}
	return nil
}

// handles are what a client uses of what is shared.
type handles struct {
	object *shared.Object
	lock   *shared.Lock
	values *shared.Map[string, []byte]
}

// declare declares lock and map, when they are used first.
func (c *client) declare() (handles, error) {
	ctx := context.Background()
	lock, err := shared.NewLock(ctx, c.Client, lockName, shared.LockConfig{})
	if err != nil {
		return handles{}, fmt.Errorf("lock: %w", err)
	}
	values, err := shared.NewMap[string, []byte](ctx, c.Client, mapName, shared.MapConfig{})
	if err != nil {
		return handles{}, fmt.Errorf("map: %w", err)
	}
	return handles{shared.ObjectOf(c.Client, echoName), lock, values}, nil
}

var value = make([]byte, 100)

func (c *client) Call(ctx context.Context) error {
	h, err := c.shared()
	if err != nil {
		return err
	}
	got, err := shared.Call[[]byte](ctx, h.object, "Echo", value)
	if err == nil && len(got) != len(value) {
		err = errors.New("the method has returned something else")
	}
	return err
}

func (c *client) Lock(ctx context.Context) error {
	h, err := c.shared()
	if err != nil {
		return err
	}
	held, err := h.lock.Acquire(ctx)
	if err != nil {
		return err
	}
	return held.Release(ctx)
}

func (c *client) Set(ctx context.Context, key string) error {
	h, err := c.shared()
	if err != nil {
		return err
	}
	return h.values.Set(ctx, key, value)
}

func (c *client) Get(ctx context.Context, key string) error {
	h, err := c.shared()
	if err != nil {
		return err
	}
	_, err = h.values.Get(ctx, key)
	return err
}

var (
	_ system.Objects = (*client)(nil)
	_ system.Served  = way{}
)
