package proxy

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// fuzzClient is a client in the midst of a session, without the session: a
// call of each kind is asked, and a consumer with a lease.
func fuzzClient() (*Client, *link) {
	c := &Client{
		cfg:     Config{EventBuffer: 4, ProgressEvery: time.Hour},
		pending: newPending(), consumers: map[uint64]*consumer{}, subs: map[uint64]*subscription{},
	}
	l := &link{c: c, window: 1 << 10, maxFrame: 1 << 20, wake: make(chan struct{}, 1), reports: make(chan wire.Report, maxCommands)}
	c.link = l
	c.subs[1] = &subscription{c: c, id: 1, avail: make(chan struct{}, 1)}
	cs := &consumer{c: c, from: &supply{c: c, name: "tasks"}, tag: 1, slots: 4, told: 4, opened: make(chan struct{}), avail: make(chan struct{}, 1)}
	c.consumers[1] = cs
	c.holdLocked(reeve.NewLease("tasks", reeve.Task{ID: 1, Attempt: 1}, c), cs)
	one := &plain{extra: 5, message: func(id, low uint64) wire.Message { return wire.Join{Req: id, Low: low, Queue: "tasks"} }}
	calls := []*call{
		{req: one, traits: mutating | parks, ids: 1},
		{req: one, traits: mutating, ids: 3},
		{req: one, traits: giving | parks},
		{req: one, traits: giving | parks},
		{req: one, traits: answered},
		{req: one, traits: mutating | fenced},
		{req: one, traits: mutating | counted},
		{req: &consume{cs: cs, slots: 4}, traits: sessional | answered, then: consumed},
		{req: &claim{link: l, queue: "tasks", pairs: wire.Pairs{{ID: 1, Attempt: 1}}}, traits: sessional | answered, then: claimed},
	}
	c.mu.Lock()
	for _, k := range calls {
		k.ready = make(chan struct{}, 1)
		c.submitLocked(k)
	}
	calls[3].phase = abandoned
	c.unlock()
	return c, l
}

// Whatever a master sends, nothing panics, no call ends twice (its channel
// would block), and what the client keeps account of stays in order.
func FuzzAnswers(f *testing.F) {
	var b wire.Builder
	for req := range uint64(10) {
		b.Confirm(req, 1, reeve.ID(req))
		b.Deliver(0, req+1, "tasks", &reeve.Task{ID: 2, Attempt: 1, Payload: []byte("x")})
		b.Message(wire.Answer{Req: req + 1, Kept: []bool{true}})
		b.Message(wire.ErrorFor(req+1, reeve.ErrClosed, ""))
	}
	b.Confirm(1, 1<<30, 1)
	b.Deliver(1, 0, "tasks", &reeve.Task{ID: 1, Attempt: 2})
	b.Deliver(7, 0, "tasks", &reeve.Task{ID: 3, Attempt: 2})
	b.Message(wire.End{Consumer: 1, Queue: "tasks", Code: 3})
	b.ConfirmCount(9, 3)
	b.Message(wire.Event{Sub: 1, Events: make([]wire.EventRecord, 6)})
	b.Message(wire.Event{Sub: 2, Events: make([]wire.EventRecord, 1)})
	b.Message(wire.Error{Req: 9, Code: 2, First: 7})
	all := b.Take()
	f.Add(all)
	for frame, rest := wire.SplitFrame(all); frame != nil; frame, rest = wire.SplitFrame(rest) {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, l := fuzzClient()
		var a answers
		for len(data) > wire.HeaderLen {
			n := min(int(binary.BigEndian.Uint32(data)), len(data)-wire.HeaderLen)
			if n < 2 || l.onAnswer(&a, data[wire.HeaderLen:wire.HeaderLen+n], false) != nil {
				return
			}
			data = data[wire.HeaderLen+n:]
			c.mu.Lock()
			asked := 0
			for id := c.pending.low; id < c.pending.next; id++ {
				if k := c.pending.get(id); k != nil {
					asked++
					if k.phase == done || k.phase == queued {
						t.Fatalf("request %d waits for an answer in phase %d", id, k.phase)
					}
				}
			}
			if asked != c.pending.n {
				t.Fatalf("%d calls are asked, %d counted", asked, c.pending.n)
			}
			stand := 0
			for h := range c.leases.all() {
				stand++
				if c.leases.at(h.lease.ID) != h {
					t.Fatalf("lease %v stands elsewhere", h.lease.ID)
				}
			}
			if stand != c.leases.n {
				t.Fatalf("%d leases stand, %d counted", stand, c.leases.n)
			}
			if n := len(c.subs[1].buf); n > c.cfg.EventBuffer {
				t.Fatalf("%d events wait", n)
			}
			c.mu.Unlock()
		}
	})
}
