package managertest_test

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// cable connects one client, for a test to harm. Its methods may be called from
// any goroutine.
type cable struct {
	m *managertest.Master

	mu     sync.Mutex // guards the fields below
	conn   *memnet.Conn
	made   int
	dead   bool
	healed chan struct{} // nil: not in the dark
}

// plug connects a client with a cable of its own; cfg needs no key.
func plug(ctx context.Context, m *managertest.Master, cfg proxy.Config) (*proxy.Client, *cable, error) {
	c := &cable{m: m}
	cfg.AuthKey, cfg.Dialer = m.ClientConfig().AuthKey, c.dial
	client, err := proxy.Dial(ctx, m.Addr(), cfg)
	return client, c, err
}

func (c *cable) dial(ctx context.Context, addr string) (net.Conn, error) {
	c.mu.Lock()
	dead, healed := c.dead, c.healed
	c.mu.Unlock()
	if dead {
		return nil, syscall.ECONNREFUSED
	}
	if healed != nil {
		select {
		case <-healed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := c.m.ClientConfig().Dialer(ctx, addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn.(*memnet.Conn)
	c.made++
	return conn, nil
}

// last is the connection made last.
func (c *cable) last() *memnet.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// kill is the end of the client's process: the connection is reset, and no
// other is made.
func (c *cable) kill() {
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	c.last().Reset()
}

// darken swallows everything without a sign, until heal.
func (c *cable) darken() {
	c.mu.Lock()
	if c.healed == nil {
		c.healed = make(chan struct{})
	}
	c.mu.Unlock()
	c.last().BlackHole()
}

func (c *cable) heal() {
	c.mu.Lock()
	if c.healed != nil {
		close(c.healed)
		c.healed = nil
	}
	c.mu.Unlock()
	c.last().Heal()
}

// connect makes a client of the round, which suffers faults.
func (w *world) connect(name string, control func(context.Context, reeve.Command) (*reeve.WorkerStatus, error)) (*proxy.Client, *cable) {
	client, cable, err := plug(context.Background(), w.m, proxy.Config{Name: name, Control: control})
	if err != nil {
		w.t.Errorf("%s: %v", name, err)
		panic(err) // nothing would make sense any more
	}
	w.t.Cleanup(func() { client.Close() })
	w.mu.Lock()
	w.cables = append(w.cables, cable)
	w.mu.Unlock()
	return client, cable
}

// breakThings harms one connection after the other.
func (w *world) breakThings(ctx context.Context) {
	d := w.rand("faults", 0)
	var healing sync.WaitGroup
	defer healing.Wait()
	for ctx.Err() == nil {
		sleep(ctx, d.upTo(600*time.Millisecond))
		w.mu.Lock()
		cables := w.cables
		w.mu.Unlock()
		if len(cables) == 0 {
			continue
		}
		c := pick(d, cables[max(0, len(cables)-12):])
		switch d.IntN(6) {
		case 0:
			c.last().Reset()
		case 1:
			c.last().CutAfter(d.IntN(300))
		case 2:
			c.last().Peer().CutAfter(d.IntN(300))
		case 3:
			c.last().BlackHole() // this connection only: it is noticed and another made
		case 4:
			c.last().Peer().StallAfter(d.IntN(300))
		default:
			c.darken()
			dark := d.upTo(9 * time.Second) // shorter than the leases, or longer
			healing.Go(func() {
				sleep(ctx, dark)
				c.heal()
			})
		}
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
