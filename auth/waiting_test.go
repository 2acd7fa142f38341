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

// logInAndEcho is a worker on a fresh connection: it logs in and sees that the
// connection works.
func logInAndEcho(ctx context.Context, key Key, raw net.Conn) error {
	conn, _, err := (&ClientConfig{Key: key, Timeout: time.Minute}).Handshake(ctx, raw, raw.RemoteAddr().String())
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

// attacks are what a flood's connections do, and the phase in which they stall.
var attacks = map[string]struct {
	stalls phase
	do     func(net.Conn)
}{
	"silent": {phaseSilent, func(net.Conn) {}},
	"part of a hello": {phaseBytes, func(c net.Conn) {
		c.Write([]byte{tlsHandshakeRecord, 3, 1, 2, 0, 1, 0, 1, 0xfc})
	}},
	"dripping": {phaseBytes, func(c net.Conn) {
		c.Write([]byte{tlsHandshakeRecord, 3, 1, 0x40, 0})
		for {
			if _, err := c.Write([]byte{1}); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond) // the drip itself, no synchronisation
		}
	}},
	"TLS, then silent": {phaseTLS, func(c net.Conn) { tls.Client(c, clientTLS()).Handshake() }},
}

// flood keeps every place of a server's single source taken.
type flood struct {
	server *Server
	addr   string
	attack func(net.Conn)
	dialed uint64 // the workers' connections, too
	mine   []net.Conn
	busy   sync.WaitGroup
}

// dial makes one connection to the server.
func (f *flood) dial() (net.Conn, error) {
	c, err := net.Dial("tcp", f.addr)
	if err == nil {
		f.dialed++
	}
	return c, err
}

// rise makes n more connections and waits until all have been let in.
func (f *flood) rise(n int) error {
	for range n {
		c, err := f.dial()
		if err != nil {
			return err
		}
		f.mine = append(f.mine, c)
		f.busy.Go(func() { f.attack(c) })
	}
	return f.await(func() bool {
		got := f.server.Stats()
		return got.Evicted+got.LoggedIn+uint64(got.Waiting) == f.dialed
	})
}

// settle waits until every connection inside has come to phase p.
func (f *flood) settle(p phase) error {
	return f.await(func() bool {
		w := f.server.waiting
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.phases[p].Len() == w.count
	})
}

// await waits for what the server's goroutines bring about.
func (f *flood) await(ok func() bool) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !ok(); <-tick.C {
		if time.Now().After(end) {
			return fmt.Errorf("after a minute: %d dialed, %+v", f.dialed, f.server.Stats())
		}
	}
	return nil
}

func (f *flood) end() {
	for _, c := range f.mine {
		c.Close()
	}
	f.busy.Wait()
}

// flooded is a worker's connection: the flood rises before each of its writes.
type flooded struct {
	net.Conn
	rise func() error
}

func (f *flooded) Write(p []byte) (int, error) {
	if err := f.rise(); err != nil {
		return 0, err
	}
	return f.Conn.Write(p)
}

// The workers come from the flood's own address. What rises during one login
// is far less than the places, however slow the machine is: that much, and not
// a rate, is what every worker is sure to survive.
func TestFlood_OfHalfOpenConnectionsStopsNoWorker(t *testing.T) {
	t.Parallel()
	const places, workers, perWrite = 128, 8, 6
	key := mustKey(t, "secret")
	key.prsBytes()
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustServer(t, ServerConfig{MaxWaitingPerSource: places, Timeout: time.Hour}, key)
			f := &flood{server: s, addr: listen(t, s), attack: attack.do}
			defer f.end()
			if err := f.rise(places + places/4); err != nil {
				t.Fatal(err)
			}
			for i := range workers {
				if err := f.settle(attack.stalls); err != nil {
					t.Fatal(err)
				}
				before := s.Stats().Evicted
				raw, err := f.dial()
				if err != nil {
					t.Fatal(err)
				}
				if err := logInAndEcho(t.Context(), key, &flooded{raw, func() error { return f.rise(perWrite) }}); err != nil {
					t.Errorf("worker %d: %v", i, err)
				}
				if got := s.Stats().Evicted - before; got < 3*perWrite || got > places/2 {
					t.Errorf("%d connections went meanwhile", got)
				}
			}
		})
	}
}
