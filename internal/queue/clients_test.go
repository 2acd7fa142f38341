package queue_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func clientID(n int) (id queue.ClientID) {
	binary.BigEndian.PutUint64(id.Process[:], uint64(n))
	return id
}

func TestClient_RequestSentAgainIsAnsweredFromMemory(t *testing.T) {
	t.Parallel()
	m := queue.NewClients()
	c, known := m.Attach(clientID(1))
	if known {
		t.Fatal("a new client is known")
	}
	if fresh, err := c.Begin(1, 3, 1); !fresh || err != nil {
		t.Fatal(fresh, err)
	}
	c.Finish(1, 2, 100, nil)
	c.Finish(3, 1, 0, reeve.ErrQueueFull)
	m.Detach(c)
	c, known = m.Attach(clientID(1))
	if !known {
		t.Fatal("the client was forgotten")
	}
	if fresh, err := c.Begin(1, 3, 1); fresh || err != nil {
		t.Fatal(fresh, err)
	}
	for i, want := range []struct {
		first reeve.ID
		err   error
	}{{100, nil}, {101, nil}, {0, reeve.ErrQueueFull}} {
		run, done, first, err := c.Seen(uint64(i + 1))
		if run || !done || first != want.first || !errors.Is(err, want.err) {
			t.Errorf("request %d: %v %v %v %v", i+1, run, done, first, err)
		}
	}
}

func TestClient_RequestUnderWayIsNeitherRunNorAnsweredTwice(t *testing.T) {
	t.Parallel()
	m := queue.NewClients()
	c, _ := m.Attach(clientID(1))
	c.Begin(1, 2, 1)
	if fresh, _ := c.Begin(2, 2, 1); fresh {
		t.Fatal("fresh, though one of them was seen")
	}
	if run, done, _, _ := c.Seen(2); run || done {
		t.Fatal("a request under way was taken for a new one")
	}
	if run, done, _, _ := c.Seen(3); !run || done {
		t.Fatal("a new request was not to be run")
	}
	if run, _, _, _ := c.Seen(3); run {
		t.Fatal("a request was to be run twice")
	}
	m.Detach(c) // its session is over: what has no outcome counts as never sent
	c, _ = m.Attach(clientID(1))
	c.Begin(1, 1, 1)
	if fresh, _ := c.Begin(2, 2, 1); !fresh {
		t.Fatal("aborted requests are not fresh")
	}
}

func TestClient_ForgetsWhatTheClientNoLongerWaitsFor(t *testing.T) {
	t.Parallel()
	m := queue.NewClients()
	c, _ := m.Attach(clientID(1))
	req := uint64(1)
	for range 1000 { // the window moves on, with some of it open
		if fresh, err := c.Begin(req, 100, max(1, req-min(req-1, 50))); !fresh || err != nil {
			t.Fatal(req, fresh, err)
		}
		c.Finish(req, 100, reeve.ID(req), nil)
		req += 100
	}
	if fresh, err := c.Begin(req-200, 1, 1); !errors.Is(err, reeve.ErrProtocol) {
		t.Fatal("below the window:", fresh, err)
	}
	c.Finish(1, 10, 1, nil) // too late: nobody waits
	if _, err := c.Begin(req, 1, req); err != nil {
		t.Fatal(err)
	}
	if run, done, _, _ := c.Seen(req - 1); run || done {
		t.Fatal("what was forgotten is known")
	}
}

func TestClient_WindowIsBounded(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		req   uint64
		count int
		low   uint64
		ok    bool
	}{
		"all of it":      {1, queue.Window, 1, true},
		"its last":       {queue.Window, 1, 1, true},
		"one beyond":     {1, queue.Window + 1, 1, false},
		"far beyond":     {queue.Window + 1, 1, 1, false},
		"zero":           {0, 1, 1, false},
		"none":           {1, 0, 1, false},
		"negative":       {1, -1, 1, false},
		"overflow":       {math.MaxUint64, 2, math.MaxUint64, false},
		"below its low":  {5, 1, 6, false},
		"moved far away": {1 << 60, 10, 1 << 60, true},
	} {
		c, _ := queue.NewClients().Attach(clientID(1))
		fresh, err := c.Begin(x.req, x.count, x.low)
		if fresh != x.ok || (err == nil) != x.ok || err != nil && !errors.Is(err, reeve.ErrProtocol) {
			t.Errorf("%s: %v, %v", name, fresh, err)
		}
	}
}

func TestClient_AgreesWithAMap(t *testing.T) {
	t.Parallel()
	c, _ := queue.NewClients().Attach(clientID(1))
	known := map[uint64]reeve.ID{}
	low, next := uint64(1), uint64(1)
	for i := range 20_000 {
		low += uint64(i*7919%13) / 2
		low = min(low, next)
		req, n := low+uint64(i*104729)%(next-low+40), 1+i%5
		fresh, err := c.Begin(req, n, low)
		if err != nil {
			t.Fatal(err)
		}
		for j := range uint64(n) {
			r := req + j
			next = max(next, r+1)
			want, seen := known[r]
			if fresh && seen {
				t.Fatalf("request %d is fresh again", r)
			}
			if !fresh {
				if run, done, first, _ := c.Seen(r); run == seen || done != seen || first != want {
					t.Fatalf("request %d: run %v, done %v, first %v; want %v, %v", r, run, done, first, seen, want)
				}
			}
			if !seen {
				known[r] = reeve.ID(r * 3)
				c.Finish(r, 1, known[r], nil)
			}
		}
	}
}

func TestClients_AreForgottenByAgeNumberAndSize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := queue.NewClients()
		stays, _ := m.Attach(clientID(-1))
		old, _ := m.Attach(clientID(0))
		m.Detach(old)
		m.Detach(old)
		time.Sleep(10*time.Minute - 1)
		if _, known := m.Attach(clientID(0)); !known {
			t.Fatal("forgotten too early")
		}
		m.Detach(old)
		time.Sleep(10 * time.Minute)
		if _, known := m.Attach(clientID(0)); known {
			t.Fatal("not forgotten by age")
		}
		for i := range 10_100 {
			c, _ := m.Attach(clientID(1 + i))
			m.Detach(c)
		}
		if n := m.Len(); n != 10_000+2 {
			t.Fatalf("%d clients remembered", n)
		}
		if _, known := m.Attach(clientID(100)); known {
			t.Fatal("the one that left first is still known")
		}
		for i := range 400 { // each with a window full of outcomes
			c, _ := m.Attach(clientID(20_000 + i))
			c.Begin(1, queue.Window, 1)
			m.Detach(c)
		}
		if n := m.Len(); n > 160 {
			t.Fatalf("%d clients remembered, most of them large", n)
		}
		if c, known := m.Attach(clientID(-1)); c != stays || !known {
			t.Fatal("a client that is connected was forgotten")
		}
		m.Drop(stays)
		if _, known := m.Attach(clientID(-1)); known {
			t.Fatal("known after its goodbye")
		}
	})
}

func TestClients_MayBeUsedByMany(t *testing.T) {
	t.Parallel()
	m := queue.NewClients()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				c, _ := m.Attach(clientID(g))
				if _, err := c.Begin(uint64(i+1), 1, uint64(i+1)); err != nil {
					panic(fmt.Sprint(g, i, err))
				}
				c.Finish(uint64(i+1), 1, 1, nil)
				m.Detach(c)
			}
		})
	}
	wg.Wait()
	if m.Len() != 8 {
		t.Fatal(m.Len())
	}
}
