package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
)

// TestWaiting_… : against a plain list, with random arrivals, progress and ends.
func TestWaiting_EvictsTheOldestOfTheMostCrowdedPhase(t *testing.T) {
	t.Parallel()
	type conn struct {
		e      *entry
		source string
		phase  phase
		cut    bool
	}
	const limit, perSource = 12, 5
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		w := newWaiting(limit, perSource)
		var model []*conn // inside, in the order in which they reached their phase
		count := func(source string) (n int) {
			for _, c := range model {
				if c.source == source {
					n++
				}
			}
			return n
		}
		// victims are the ones that may go: ties leave a choice.
		victims := func(source string) (out []*conn) {
			pool := func(of func(*conn) bool) []*conn {
				var by [phases][]*conn
				for _, c := range model {
					if of(c) {
						by[c.phase] = append(by[c.phase], c)
					}
				}
				crowd := 0
				for _, list := range by {
					crowd = max(crowd, len(list))
				}
				var first []*conn
				for _, list := range by {
					if len(list) == crowd && crowd > 0 {
						first = append(first, list[0])
					}
				}
				return first
			}
			if count(source) >= perSource {
				return pool(func(c *conn) bool { return c.source == source })
			}
			if len(model) < limit {
				return nil
			}
			heaviest := 0
			for _, c := range model {
				heaviest = max(heaviest, count(c.source))
			}
			if heaviest == 1 {
				return pool(func(*conn) bool { return true })
			}
			for _, c := range model {
				if count(c.source) == heaviest {
					out = append(out, pool(func(o *conn) bool { return o.source == c.source })...)
				}
			}
			return out
		}
		for range 2000 {
			switch random.IntN(4) {
			case 0, 1:
				c := &conn{source: fmt.Sprint(random.IntN(int(seed) + 3))}
				allowed := victims(c.source)
				c.e = w.add(c.source, func() { c.cut = true })
				before := len(model)
				model = slices.DeleteFunc(model, func(o *conn) bool {
					if o.cut && !slices.Contains(allowed, o) {
						t.Fatalf("seed %d: one was cut off that should have stayed", seed)
					}
					return o.cut
				})
				if gone := before - len(model); gone > 1 || (gone == 1) != (len(allowed) > 0) {
					t.Fatalf("seed %d: %d cut off, %d candidates", seed, gone, len(allowed))
				}
				model = append(model, c)
			case 2:
				if len(model) > 0 {
					i := random.IntN(len(model))
					c := model[i]
					c.phase = phase(random.IntN(int(phases)))
					w.moved(c.e, c.phase)
					model = append(slices.Delete(model, i, i+1), c)
				}
			case 3:
				if len(model) > 0 {
					i := random.IntN(len(model))
					if !w.remove(model[i].e) {
						t.Fatal("one that was inside had been cut off")
					}
					model = slices.Delete(model, i, i+1)
				}
			}
			if w.len() != len(model) || len(w.sources) != len(w.heavy) {
				t.Fatalf("seed %d: %d inside, want %d; %d sources, %d in the heap", seed, w.len(), len(model), len(w.sources), len(w.heavy))
			}
		}
	}
}

func TestServer_AnEvictedConnectionEndsAtOnceWithItsReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, ServerConfig{MaxWaiting: 1}, mustKey(t, "secret"))
		start := time.Now()
		err := serverAgainst(t, s, func(net.Conn) {
			synctest.Wait()
			_, b := net.Pipe()
			s.Admit(b).Close()
		})
		if _, ok := errors.AsType[*EvictedError](err); !ok || !errors.Is(err, reeve.ErrLimit) || time.Since(start) > 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if got := s.Stats(); got.Evicted != 1 || got.Waiting != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// listen serves s on loopback until the test ends; authenticated connections
// echo one byte.
func listen(t *testing.T, s *Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			ticket := s.Admit(c)
			wg.Go(func() {
				conn, _, err := ticket.Handshake(ctx)
				if err != nil {
					return
				}
				defer conn.Close()
				var b [1]byte
				if _, err := io.ReadFull(conn, b[:]); err == nil {
					conn.Write(b[:])
				}
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		cancel()
		wg.Wait()
	})
	return ln.Addr().String()
}

// dialAndEcho is a worker: it logs in and sees that the connection works.
func dialAndEcho(ctx context.Context, key Key, addr string) error {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	conn, _, err := (&ClientConfig{Key: key}).Handshake(ctx, raw, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte{7}); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}

// attacks are what a flood's connections do before they fall silent.
var attacks = map[string]func(net.Conn){
	"silent": func(net.Conn) {},
	"part of a hello": func(c net.Conn) {
		c.Write([]byte{tlsHandshakeRecord, 3, 1, 2, 0, 1, 0, 1, 0xfc})
	},
	"dripping": func(c net.Conn) {
		c.Write([]byte{tlsHandshakeRecord, 3, 1, 2, 0})
		for {
			if _, err := c.Write([]byte{1}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond) // the drip itself, no synchronisation
		}
	},
	"TLS, then silent": func(c net.Conn) { tls.Client(c, clientTLS()).Handshake() },
}

// The worker dials while the flood goes on, from the flood's own address.
func TestFlood_OfHalfOpenConnectionsStopsNoWorker(t *testing.T) {
	key := mustKey(t, "secret")
	key.prsBytes()
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			s := mustServer(t, ServerConfig{MaxWaitingPerSource: 512}, key)
			addr := listen(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			var flood, ready sync.WaitGroup
			ready.Add(8)
			for range 8 {
				flood.Go(func() {
					var mine []net.Conn
					made := 0
					var stalled sync.WaitGroup
					for ctx.Err() == nil {
						c, err := net.Dial("tcp", addr)
						if err != nil {
							continue
						}
						mine = append(mine, c)
						if name == "dripping" {
							stalled.Go(func() { attack(c) })
						} else {
							attack(c)
						}
						if made++; made == 100 {
							ready.Done()
						}
						if len(mine) > 150 { // 8 * 150 stay open: more than twice the limit
							mine[0].Close()
							mine = mine[1:]
						}
					}
					for _, c := range mine {
						c.Close()
					}
					stalled.Wait()
				})
			}
			ready.Wait() // 800 connections: the table is full, the flood in full swing
			var worst time.Duration
			for i := range 25 {
				start := time.Now()
				if err := dialAndEcho(ctx, key, addr); err != nil {
					t.Errorf("dial %d: %v", i, err)
				}
				worst = max(worst, time.Since(start))
			}
			cancel()
			flood.Wait()
			if worst > 5*time.Second {
				t.Errorf("the slowest dial took %v", worst)
			}
			if s.Stats().Evicted == 0 {
				t.Error("the flood never filled the table")
			}
		})
	}
}
