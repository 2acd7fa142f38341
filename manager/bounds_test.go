package manager_test

// What one client may cost the master is bounded, and what goes beyond a bound
// is answered with an error that names it, or ends that client's session, while
// all others go on.

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

func limitOf(t *testing.T, err error) reeve.LimitError {
	t.Helper()
	var limit *reeve.LimitError
	if !errors.As(err, &limit) || !errors.Is(err, reeve.ErrLimit) {
		t.Errorf("%v is no error of a limit", err)
		return reeve.LimitError{}
	}
	return *limit
}

func TestMaxWaiting_PutsThatWaitForRoomBeyondItAreRefused(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		putOne(t, m.Declare(t, "tasks", reeve.QueueConfig{MaxLen: 1}), "x")
		r := enter(t, m)
		big := func() []byte {
			return build(t, func(b *wire.Builder) error {
				return b.Put(r.next(), 1, "tasks", 0, []reeve.Task{{Payload: make([]byte, 40<<10)}})
			})
		}
		first := r.req + 1
		r.write(r.calls, big())
		r.write(r.calls, big())
		_, err := r.answer(r.req)
		if limit := limitOf(t, err); limit.Max != 64<<10 {
			t.Errorf("%+v", limit)
		}
		if err := get(t, m.Dial(t).Queue("tasks")).Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.answer(first); err != nil {
			t.Errorf("the one that waited: %v", err)
		}
		r.write(r.calls, big()) // there is room for one that waits again
		settle()
		r.alive()
	}, manager.Config{MaxWaiting: 64 << 10})
}

func TestMaxWaiting_ClientsHoldTheirCallersBackInstead(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{MaxLen: 2})
		c := m.Dial(t)
		var puts sync.WaitGroup
		for range 50 {
			puts.Go(func() {
				if _, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{{Payload: make([]byte, 20<<10)}}); err != nil {
					t.Error(err)
				}
			})
		}
		settle()
		for range 50 {
			if err := get(t, q).Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		puts.Wait()
	}, manager.Config{MaxWaiting: 64 << 10})
}

func TestMaxWaiting_BoundsTheTypesThatAreWanted(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		types := make([]string, reeve.MaxTypes)
		for i := range types {
			types[i] = fmt.Sprintf("%0100d", i)
		}
		long := reeve.ForTypes(types...) // 116 KiB
		one := must(c.Queue("tasks").Consume(t.Context(), 1, long))(t)
		gets := make(chan error, 2)
		ctx, cancel := context.WithCancel(t.Context())
		get := func(ctx context.Context) {
			_, err := c.Queue("tasks").Get(ctx, 1, long)
			gets <- err
		}
		go get(ctx)
		settle()
		_, err := c.Queue("tasks").Consume(t.Context(), 1, long)
		limitOf(t, err)
		_, err = c.Queue("tasks").TryGet(t.Context(), 1, long)
		limitOf(t, err)
		consume(t, c.Queue("tasks"), 1) // who wants all wants little
		cancel()
		if err := <-gets; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		settle()
		go get(t.Context())
		settle()
		one.Close()
		settle()
		for range 5 { // each gives back what it took
			if _, err := c.Queue("tasks").TryGet(t.Context(), 1, long); !errors.Is(err, reeve.ErrEmpty) {
				t.Errorf("with room again: %v", err)
			}
		}
		putOne(t, q, "x", reeve.WithType(types[7]))
		putOne(t, q, "x", reeve.WithType(types[7]))
		if err := <-gets; err != nil {
			t.Error(err)
		}
	}, manager.Config{MaxWaiting: 250 << 10})
}

func TestMaxSessions_RefusesTheNextClientUntilOneLeaves(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		a, b := m.Dial(t), m.Dial(t)
		cfg := m.ClientConfig()
		cfg.DialOnce = true
		_, err := proxy.Dial(t.Context(), m.Addr(), cfg)
		if !errors.Is(err, reeve.ErrLimit) {
			t.Errorf("one too many: %v", err)
		}
		r := knock(t, m)
		r.openControl()
		r.write(r.control, encode(t, wire.Hello{Version: wire.Version, Client: wire.ClientID{7}}))
		if err := r.goodbye(); !errors.Is(err, reeve.ErrLimit) {
			t.Errorf("the goodbye says %v", err)
		}
		if s := m.Manager().Stats(); s.RefusedFull != 2 || s.Sessions != 2 {
			t.Errorf("%+v", s)
		}
		waiting := make(chan error, 1)
		go func() {
			c, err := proxy.Dial(t.Context(), m.Addr(), m.ClientConfig())
			if err == nil {
				err = c.Close()
			}
			waiting <- err
		}()
		time.Sleep(time.Minute)
		a.Close()
		if err := <-waiting; err != nil {
			t.Errorf("one who waited for a place: %v", err)
		}
		putOne(t, b.Queue("tasks"), "x")
	}, manager.Config{MaxSessions: 2})
}

// two are keys by their ids.
type two map[string]auth.Key

func (k two) Lookup(kid string) (auth.Key, bool) { key, ok := k[kid]; return key, ok }

func TestMaxSessionsPerKey_LeavesRoomForTheOthers(t *testing.T) {
	keys := two{}
	for _, kid := range []string{"one", "other"} {
		key, _, err := auth.GenerateKey(kid)
		if err != nil {
			t.Fatal(err)
		}
		keys[kid] = key
	}
	t.Parallel()
	m, addr, cfg := listenWith(t, manager.Config{Keys: keys, MaxSessionsPerKey: 2})
	dial := func(kid string) error {
		cfg := cfg
		cfg.AuthKey, cfg.DialOnce = keys[kid], true
		c, err := proxy.Dial(t.Context(), addr, cfg)
		if err == nil {
			t.Cleanup(func() { c.Close() })
		}
		return err
	}
	for i, want := range []error{nil, nil, reeve.ErrLimit} {
		if err := dial("one"); !errors.Is(err, want) {
			t.Errorf("client %d with the first key: %v", i, err)
		}
	}
	if err := dial("other"); err != nil {
		t.Errorf("with the other key: %v", err)
	}
	if s := m.Stats(); s.RefusedKey != 1 || s.Sessions != 3 {
		t.Errorf("%+v", s)
	}
}

func TestMaxConsumers_RefusesTheNextOneUntilOneIsClosed(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		var all []reeve.Consumer
		for range 3 {
			all = append(all, consume(t, c.Queue("tasks"), 1))
		}
		_, err := c.Queue("tasks").Consume(t.Context(), 1)
		if limit := limitOf(t, err); limit.Max != 3 || limit.Set == "" {
			t.Errorf("%+v", limit)
		}
		if err := all[0].SetSlots(5); err != nil { // those that are there may be changed
			t.Error(err)
		}
		all[1].Close()
		consume(t, c.Queue("tasks"), 1)
		consume(t, m.Dial(t).Queue("tasks"), 1)
	}, manager.Config{MaxConsumers: 3})
}

func TestMaxReceiving_LargeRequestsTakeTurnsAndSmallOnesGoOn(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		batch := func(r *raw) []byte {
			return build(t, func(b *wire.Builder) error {
				part := reeve.Task{Payload: make([]byte, 900<<10)}
				return b.Put(r.next(), 1, "tasks", 0, []reeve.Task{part, part})
			})
		}
		a, b := enter(t, m), enter(t, m)
		a.alive()
		b.alive()
		bulkA, bulkB := a.open(session.Bulk), b.open(session.Bulk)
		first := batch(a)
		a.write(bulkA, first[:1<<20])
		settle()
		second := batch(b)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			b.write(bulkB, second) // waits in the master for its turn
		}()
		for range 10 {
			time.Sleep(time.Second)
			a.aliveAs(1 << 12)
			b.aliveAs(1 << 12)
			if s := statsOf(t, q); s.Put != 0 {
				t.Fatalf("%+v", s)
			}
		}
		a.write(bulkA, first[1<<20:])
		if _, err := a.answer(a.req); err != nil {
			t.Error(err)
		}
		if _, err := b.answer(b.req); err != nil {
			t.Error(err)
		}
		<-sent
		if s := statsOf(t, q); s.Put != 4 {
			t.Errorf("%+v", s)
		}
	}, manager.Config{MaxPayload: 1 << 20, MaxReceiving: 3 << 20})
}

func TestMaxReceiving_IsNotHeldForEverByOneWhoStops(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		r.alive()
		r.write(r.open(session.Bulk), []byte{0, 0x20, 0, 0, 16, 0xa5}) // 2 MiB
		began := time.Now()
		if _, err := m.Dial(t).Queue("tasks").Put(t.Context(), []reeve.Task{{Payload: make([]byte, 1<<20)}, {Payload: make([]byte, 1<<20-1<<10)}}); err != nil {
			t.Fatal(err)
		}
		soon(t, began, manager.DefaultWriteTimeout+time.Minute, "the turn of the next one")
		<-r.s.Done()
	}, manager.Config{MaxPayload: 1 << 20, MaxReceiving: 3 << 20})
}

func TestPayloadOverTheLimit_IsTheErrorOfItsRequest(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		r.alive()
		bulk := r.open(session.Bulk)
		r.write(bulk, build(t, func(b *wire.Builder) error {
			return b.Put(r.next(), 1, "tasks", 0, []reeve.Task{{Payload: make([]byte, 1<<20+1)}})
		}))
		_, err := r.answer(r.req)
		if limit := limitOf(t, err); !errors.Is(err, reeve.ErrTooLarge) || limit.Max != 1<<20 || limit.Value != 1<<20+1 {
			t.Errorf("%v, %+v", err, limit)
		}
		r.alive()
		if s := statsOf(t, q); s.Put != 0 {
			t.Errorf("%+v", s)
		}
		r.write(bulk, build(t, func(b *wire.Builder) error {
			return b.Put(r.next(), 1, "tasks", 0, []reeve.Task{{Payload: make([]byte, 4<<20)}})
		}))
		if err := r.goodbye(); !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("a frame over the limit: %v", err)
		}
		checkServes(t, m)
	}, manager.Config{MaxPayload: 1 << 20})
}

func TestWaitingRequests_OfOneClientAreBounded(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m)
		for range queue.Window {
			r.write(r.calls, encode(t, wire.Get{Req: r.next(), Low: r.req, Queue: "tasks", Max: 1}))
		}
		for _, msg := range []wire.Message{
			wire.Get{Req: r.next(), Low: r.req, Queue: "tasks", Max: 1},
			wire.Join{Req: r.next(), Low: r.req, Queue: "tasks"},
		} {
			r.write(r.calls, encode(t, msg))
		}
		for i := range uint64(2) {
			_, err := r.answer(r.req - 1 + i)
			limitOf(t, err)
		}
		r.write(r.calls, encode(t, wire.Cancel{Req: 5}))
		if _, err := r.answer(5); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		r.write(r.calls, encode(t, wire.Get{Req: r.next(), Low: r.req, Queue: "tasks", Max: 1, NoWait: true}))
		if _, err := r.answer(r.req); !errors.Is(err, reeve.ErrEmpty) {
			t.Errorf("after one was cancelled: %v", err)
		}
	})
}

func TestClientThatReadsNoAnswers_IsHeldUpAndEnded(t *testing.T) {
	var kept reeve.ID
	floods := map[string]func(t *testing.T, req uint64) []byte{
		"results": func(t *testing.T, req uint64) []byte {
			return encode(t, wire.ResultRequest{Req: req, Low: req, ID: kept})
		},
		"large results": func(t *testing.T, req uint64) []byte {
			return encode(t, wire.ResultRequest{Req: req, Low: req, ID: kept + 1})
		},
		"ends that are waited for": func(t *testing.T, req uint64) []byte {
			return encode(t, wire.ResultRequest{Req: req, Low: req, ID: kept, Wait: true})
		},
		"lists": func(t *testing.T, req uint64) []byte {
			return encode(t, wire.List{Req: req, Low: req, Queue: "graves", Payload: reeve.NoLimit})
		},
		"small answers": func(t *testing.T, req uint64) []byte {
			return encode(t, wire.Get{Req: req, Low: req, Queue: "nope", Max: 1})
		},
		"numbers": func(t *testing.T, req uint64) []byte { return encode(t, wire.StatsRequest{Req: req, Low: req}) },
		"large answers": func(t *testing.T, req uint64) []byte {
			return encode(t, wire.DeadRequest{Req: req, Low: req, Queue: "graves", Max: reeve.MaxBatch})
		},
		"heartbeats": nil,
	}
	for name, request := range floods {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				m.Declare(t, "tasks", reeve.QueueConfig{})
				graves := m.Declare(t, "graves", reeve.QueueConfig{KeepResult: time.Hour})
				for i := range 2 {
					id := putOne(t, graves, "x")
					if i == 0 {
						kept = id
					}
					result := reeve.Task{Payload: make([]byte, i*100<<10)}
					if err := get(t, graves).Complete(t.Context(), "", result); err != nil {
						t.Fatal(err)
					}
				}
				for range 8 {
					putOne(t, graves, string(make([]byte, 256<<10)))
					if err := get(t, graves).Bury(t.Context(), "dead"); err != nil {
						t.Fatal(err)
					}
				}
				r := enter(t, m)
				r.alive()
				before := heap()
				began := time.Now()
				var sent int
				over := make(chan struct{})
				go func() { // ends with the session
					defer close(over)
					for {
						var b []byte
						for len(b) < 60<<10 {
							if request != nil {
								b = append(b, request(t, r.next())...)
							} else {
								b = append(b, encode(t, wire.Heartbeat{Seq: r.next()})...)
							}
						}
						to := r.calls
						if request == nil {
							to = r.control
						}
						if _, err := to.Write(b); err != nil {
							return
						}
						sent += len(b)
					}
				}()
				settle() // the client is held up
				if grown := heap() - before; grown > 48<<20 {
					t.Errorf("the master's memory grew by %d MiB", grown>>20)
				}
				checkServes(t, m)
				<-over
				if sent > 16<<20 {
					t.Errorf("%d MiB of requests were taken", sent>>20)
				}
				soon(t, began, manager.DefaultWriteTimeout+manager.DefaultHeartbeat, "the end of the session")
				settle()
				if s := m.Manager().Stats(); s.Sessions != 1 {
					t.Errorf("%+v", s)
				}
			}, usual)
		})
	}
}

func TestCrowdOfClients_LeavesNothingBehind(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		for i := range 100 {
			c, cable := plug(t, m)
			consume(t, c.Queue("tasks"), 3)
			var calls sync.WaitGroup
			calls.Go(func() { c.Queue("tasks").Get(t.Context(), 1) })
			calls.Go(func() { c.Queue("tasks").Join(t.Context()) })
			putOne(t, q, fmt.Sprint(i))
			settle()
			if i%2 == 0 {
				cable.Kill()
			}
			c.Close()
			calls.Wait()
		}
		settle()
		s := m.Manager().Stats()
		if s.Sessions != 0 || s.Waiting != 0 || s.Clients != 50 {
			t.Errorf("%+v", s)
		}
		if s := statsOf(t, q); s.Consumers != 0 || s.FreeSlots != 0 || s.Leased != 0 {
			t.Errorf("%+v", s)
		}
		time.Sleep(11 * time.Minute) // what is remembered of those that did not say goodbye
		m.Dial(t)
		if n := m.Manager().Stats().Clients; n != 1 {
			t.Errorf("%d clients are remembered", n)
		}
	})
}
