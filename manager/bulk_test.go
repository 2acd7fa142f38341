package manager_test

// Large payloads hold up nothing: not small calls, not heartbeats, not the
// other direction, whether the connection is slow or the receiver takes nothing.
// A connection over which nothing comes any more is given up within three
// heartbeats.

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

const large = 16 << 20 // the largest payload by default

// slowConn carries so many bytes a second in each direction.
type slowConn struct {
	net.Conn
	rate int
}

const slowStep = 4 << 10

func (c *slowConn) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		part := p[done:min(len(p), done+slowStep)]
		c.pass(len(part))
		n, err := c.Conn.Write(part)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (c *slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:min(len(p), slowStep)])
	c.pass(n)
	return n, err
}

func (c *slowConn) pass(n int) { time.Sleep(time.Duration(n) * time.Second / time.Duration(c.rate)) }

// dialSlow connects a client over so many bytes a second.
func dialSlow(t *testing.T, m *managertest.Master, rate int) *proxy.Client {
	t.Helper()
	cfg := m.ClientConfig()
	fast := cfg.Dialer
	cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := fast(ctx, addr)
		if err != nil {
			return nil, err
		}
		return &slowConn{c, rate}, nil
	}
	c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestSlowConnection_BulkBothWaysHoldsUpNoSmallCallAndNoHeartbeat(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const rate, n = 4 << 20, 4 // each transfer takes 4 s
		up := m.Declare(t, "up", reeve.QueueConfig{})
		down := m.Declare(t, "down", reeve.QueueConfig{})
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := dialSlow(t, m, rate)
		payload := bytes.Repeat([]byte{1}, large)
		for range n {
			if _, err := down.Put(t.Context(), []reeve.Task{{Payload: payload}}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		var bulk sync.WaitGroup
		bulk.Go(func() {
			for range n {
				if _, err := c.Queue("up").Put(t.Context(), []reeve.Task{{Payload: payload}}); err != nil {
					t.Error(err)
				}
			}
		})
		bulk.Go(func() {
			for range n {
				if l := get(t, c.Queue("down")); len(l.Payload) != large {
					t.Errorf("%d bytes", len(l.Payload))
				} else if err := l.Ack(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		over := make(chan struct{})
		go func() { bulk.Wait(); close(over) }()
		var small []time.Duration
		tasks := c.Queue("tasks")
		for busy := true; busy; {
			select {
			case <-over:
				busy = false
			default:
			}
			at := time.Now()
			putOne(t, tasks, string(make([]byte, 1<<10)))
			if err := get(t, tasks).Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
			small = append(small, time.Since(at)/3) // three calls
			time.Sleep(50 * time.Millisecond)
		}
		took := time.Since(began)
		slices.Sort(small)
		p99 := small[len(small)*99/100]
		t.Logf("%v for %d transfers each way; %d small calls: p50 %v, p99 %v, most %v",
			took, n, len(small), small[len(small)/2], p99, small[len(small)-1])
		if took > 2*n*large/rate*time.Second {
			t.Errorf("the transfers took %v", took)
		}
		if len(small) < 20 || p99 > 300*time.Millisecond {
			t.Errorf("%d small calls beside them, p99 %v", len(small), p99)
		}
		if s := c.Stats(); s.Connects != 1 {
			t.Errorf("%d connections were needed", s.Connects)
		}
		if s := statsOf(t, up); s.Ready != n {
			t.Errorf("%+v", s)
		}
	}, manager.Config{Heartbeat: time.Second})
}

func TestTransferLongerThanThreeHeartbeats_IsNoSilence(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := dialSlow(t, m, 256<<10) // a minute
		q := c.Queue("tasks")
		began := time.Now()
		if _, err := q.Put(t.Context(), []reeve.Task{{Payload: make([]byte, large)}}); err != nil {
			t.Fatal(err)
		}
		l := get(t, q)
		if took := time.Since(began); took < 100*time.Second {
			t.Fatalf("the test is wrong: both transfers took %v", took)
		}
		if err := l.Ack(t.Context()); err != nil || c.Stats().Connects != 1 {
			t.Errorf("%v, %d connections", err, c.Stats().Connects)
		}
	}, usual)
}

func TestBulkBothWaysAtFullSpeed_OneConnectionHolds(t *testing.T) {
	const n = 6
	m := managertest.Start(t)
	for _, name := range []string{"up", "down", "tasks"} {
		m.Declare(t, name, reeve.QueueConfig{})
	}
	c := m.Dial(t)
	payload := bytes.Repeat([]byte{1}, large)
	down := m.Dial(t).Queue("down")
	var bulk sync.WaitGroup
	bulk.Go(func() {
		for range n {
			if _, err := down.Put(t.Context(), []reeve.Task{{Payload: payload}}); err != nil {
				t.Error(err)
			}
			if l := get(t, c.Queue("down")); !bytes.Equal(l.Payload, payload) {
				t.Error("a payload was changed on the way down")
			}
		}
	})
	bulk.Go(func() {
		for range n {
			if _, err := c.Queue("up").Put(t.Context(), []reeve.Task{{Payload: payload}}); err != nil {
				t.Error(err)
			}
		}
	})
	over := make(chan struct{})
	go func() { bulk.Wait(); close(over) }()
	for calls := 0; ; calls++ {
		select {
		case <-over:
			if s := c.Stats(); s.Connects != 1 {
				t.Errorf("%d connections were needed", s.Connects)
			}
			if calls < n {
				t.Errorf("only %d small calls came through meanwhile", calls)
			}
			return
		default:
		}
		if _, err := c.Queue("tasks").Stats(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReceiverThatTakesNothingLarge_GetsSmallAnswersAndIsEndedAfterAWhile(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		if _, err := q.Put(t.Context(), []reeve.Task{{Payload: make([]byte, large)}}); err != nil {
			t.Fatal(err)
		}
		r := enter(t, m)
		r.write(r.calls, encode(t, wire.Get{Req: r.next(), Low: 1, Queue: "tasks", Max: 1}))
		settle()
		stalled := time.Now()
		for range 20 {
			r.alive() // beside the delivery that stands still
			time.Sleep(time.Second)
		}
		var beats sync.WaitGroup
		beats.Go(func() { // until the end of the session
			for r.s.Err() == nil {
				r.control.Write(encode(t, wire.Heartbeat{Seq: 1}))
				time.Sleep(time.Second)
			}
		})
		l := get(t, m.Dial(t).Queue("tasks"))
		soon(t, stalled, manager.DefaultWriteTimeout+time.Second, "the end of a session that takes nothing")
		if l.Attempt != 2 {
			t.Errorf("attempt %d", l.Attempt)
		}
		beats.Wait()
		if s := m.Manager().Stats(); s.Stuck != 1 || s.Silent != 0 {
			t.Errorf("%+v", s)
		}
	}, usual)
}

func TestSenderThatStopsInALargeFrame_HoldsUpOnlyThatFrame(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		r.alive()
		big := build(t, func(b *wire.Builder) error {
			return b.Put(1<<10, 1<<10, "tasks", 0, []reeve.Task{{Payload: make([]byte, 1<<20)}})
		})
		bulk := r.open(session.Bulk)
		// A small message before it in the same write: its answer must not wait
		// for the large one.
		small := build(t, func(b *wire.Builder) error { return b.Put(r.next(), 1, "tasks", 0, []reeve.Task{{}}) })
		r.write(bulk, append(append([]byte(nil), small...), big[:len(big)/2]...))
		if _, err := r.answer(r.req); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			r.alive()
			time.Sleep(time.Second)
			checkServes(t, m)
		}
		r.write(bulk, big[len(big)/2:])
		if _, err := r.answer(1 << 10); err != nil {
			t.Error(err)
		}
		if s := statsOf(t, q); s.Put != 2+10 {
			t.Errorf("%+v", s)
		}
	}, manager.Config{Heartbeat: time.Minute})
}

func TestStalledPeer_IsGivenUpWithinThreeHeartbeats(t *testing.T) {
	const limit = 3 * manager.DefaultHeartbeat
	stalls := map[string]struct {
		stall  func(*memnet.Cable)
		master bool // the master must notice
		client bool // the client must notice
	}{
		"cable pulled":                {func(c *memnet.Cable) { c.Last().BlackHole() }, true, true},
		"nothing reaches the master":  {func(c *memnet.Cable) { c.Last().StallAfter(0) }, true, true},
		"nothing reaches the client":  {func(c *memnet.Cable) { c.Last().Peer().StallAfter(0) }, false, true},
		"the master's in mid message": {func(c *memnet.Cable) { c.Last().StallAfter(7) }, true, true},
	}
	for name, test := range stalls {
		for _, after := range []time.Duration{0, 2 * time.Second, 4999 * time.Millisecond} {
			t.Run(name+" "+after.String(), func(t *testing.T) {
				managertest.Run(t, func(t *testing.T, m *managertest.Master) {
					m.Declare(t, "tasks", reeve.QueueConfig{})
					cable := newCable(m)
					cfg := m.ClientConfig()
					cfg.Dialer = cable.Dial
					lost := make(chan time.Time, 1)
					cfg.OnState = func(s proxy.State) {
						if !s.Connected {
							select {
							case lost <- time.Now():
							default:
							}
						}
					}
					c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					consume(t, c.Queue("tasks"), 1)
					time.Sleep(manager.DefaultHeartbeat + after)
					cable.Refuse() // it does not come back
					stalled := time.Now()
					test.stall(cable)
					var noticed sync.WaitGroup
					if test.client {
						noticed.Go(func() {
							if took := (<-lost).Sub(stalled); took > limit+10*time.Millisecond {
								t.Errorf("the client noticed after %v", took)
							}
						})
					}
					for m.Manager().Stats().Sessions > 0 {
						time.Sleep(10 * time.Millisecond)
					}
					if test.master {
						soon(t, stalled, limit+10*time.Millisecond, "the end of the session at the master")
					}
					noticed.Wait()
				}, usual)
			})
		}
	}
}
