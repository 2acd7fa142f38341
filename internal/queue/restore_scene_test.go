package queue_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

// What happens in a scene.

func (s *scene) randomConfig() reeve.QueueConfig {
	cfg := reeve.QueueConfig{
		MaxBytes:       pickOf(s, []int64{0, 0, 20000, reeve.NoLimit}),
		Lease:          pickOf(s, []time.Duration{time.Second, 10 * time.Second}),
		Timeout:        pickOf(s, []time.Duration{0, 0, 5 * time.Second}),
		Attempts:       1 + s.rnd.IntN(4),
		History:        1 + s.rnd.IntN(4),
		CountSnoozed:   s.chance(30),
		KeyConcurrency: pickOf(s, []int{1, 1, 2, reeve.NoLimit}),
		LIFO:           s.chance(25),
		Durability:     pickOf(s, []reeve.Durability{0, reeve.DurabilitySync, reeve.DurabilityNone, reeve.Durability(50 * time.Millisecond)}),
		KeepResult:     pickOf(s, []time.Duration{0, 0, 3 * time.Second, time.Hour}),
		MaxDead:        pickOf(s, []int{0, 0, 3}),
		IdleTTL:        pickOf(s, []time.Duration{0, 0, 2 * time.Second, time.Hour}),
		DeadFor:        pickOf(s, []time.Duration{0, 0, 20 * time.Second}),
	}
	if s.chance(25) {
		cfg.Ageing = pickOf(s, []time.Duration{time.Millisecond, time.Second})
	}
	if s.chance(20) {
		cfg.Reserve = reeve.Reserve{Slots: 1, Priority: 1}
	}
	if s.chance(20) {
		cfg.Concurrency = 3 + s.rnd.IntN(5)
	}
	if s.chance(30) {
		cfg.TypeConcurrency = map[string]int{"b": 1 + s.rnd.IntN(2)}
	}
	if s.chance(15) {
		cfg.KeyRate = reeve.Rate{Tasks: 2, Burst: 1}
	}
	if s.chance(15) {
		cfg.Rate = reeve.Rate{Tasks: 20, Burst: 5}
	}
	if s.chance(15) {
		cfg.Windows = []reeve.Window{{From: time.Hour, To: 23 * time.Hour, Zone: "Europe/Berlin"}, {To: 24 * time.Hour}}
	}
	if s.chance(40) {
		cfg.Backoff = reeve.Backoff{Base: 700 * time.Millisecond, Jitter: reeve.NoJitter}
	}
	return cfg
}

// client is one that is there; some have a name of their own that outlives
// connections.
func (s *scene) client() *client {
	if len(s.clients) < 3 {
		c := newClient(s.Engine)
		if s.chance(70) {
			s.names++
			id := queue.ClientID{Key: "k", Process: [16]byte{byte(s.names), byte(s.names >> 8), 1}}
			known, _ := s.Clients().Attach(id)
			c.SetClient(known)
			s.named[c] = true
		}
		c.SetName(fmt.Sprint("worker ", len(s.clients)))
		s.clients = append(s.clients, c)
	}
	return pickOf(s, s.clients)
}

func (s *scene) queue() *queue.Queue {
	return s.still(fmt.Sprint("q", s.rnd.IntN(3)))
}

// still is the queue of a name, which is declared anew if it was deleted because
// nobody used it.
func (s *scene) still(name string) *queue.Queue {
	q, err := s.Lookup(name)
	if errors.Is(err, reeve.ErrNoSuchQueue) {
		cfg := s.randomConfig()
		s.note("declare %s %+v", name, cfg)
		q, err = s.Declare(name, cfg)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return q
}

// step does one thing, and lets it become durable.
func (s *scene) step() {
	switch n := s.rnd.IntN(100); {
	case n < 32:
		s.put()
	case n < 50:
		s.get()
	case n < 78:
		s.settle()
	case n < 90:
		s.operate()
	case n < 92 && len(s.clients) > 0:
		s.hangUp()
	default:
		d := pickOf(s, []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 3 * time.Second}) + time.Duration(s.rnd.IntN(1000))*time.Microsecond // two things at one moment have no order
		s.note("sleep %v", d)
		time.Sleep(d)
	}
	time.Sleep(time.Nanosecond)
	synctest.Wait()
	for _, c := range s.clients {
		c.Touch()
	}
}

func (s *scene) randomTask() reeve.Task {
	t := reeve.Task{
		Payload: []byte(fmt.Sprintf("%04d", len(s.ids)) + strings.Repeat("x", s.rnd.IntN(60))),
		Type:    pickOf(s, []string{"", "a", "b"}),
	}
	if s.chance(5) {
		t.Payload = nil
	}
	if s.chance(30) {
		t.Priority = int32(s.rnd.IntN(5) - 2)
	}
	if s.chance(20) {
		t.Delay = time.Duration(s.rnd.IntN(6000)) * time.Millisecond
	}
	if s.chance(15) {
		t.Timeout = 4 * time.Second
	}
	if s.chance(60) {
		r := &reeve.Rules{}
		if s.chance(15) && t.Delay == 0 {
			r.At = s.wall.now().Add(time.Duration(s.rnd.IntN(8000)-1000) * time.Millisecond)
		}
		if s.chance(15) {
			r.Expiry = time.Duration(1+s.rnd.IntN(9000)) * time.Millisecond
		} else if s.chance(15) {
			r.ExpireAt = s.wall.now().Add(time.Duration(1+s.rnd.IntN(9000)) * time.Millisecond)
		}
		if s.chance(20) {
			r.Attempts = 1 + s.rnd.IntN(4)
		}
		if s.chance(20) {
			r.Backoff = reeve.Backoff{Base: 300 * time.Millisecond, Jitter: reeve.NoJitter}
		}
		if s.chance(40) {
			r.Key = pickOf(s, []string{"k1", "k2", "k3"})
		}
		if s.chance(40) {
			r.Unique = fmt.Sprint("u", s.rnd.IntN(6))
			r.UniqueMode = reeve.UniqueMode(s.rnd.IntN(3))
			if r.UniqueMode == reeve.UniqueForTime && s.chance(70) {
				r.UniqueFor = time.Duration(1+s.rnd.IntN(8)) * time.Second
			}
		}
		if s.chance(15) {
			r.Labels = pickOf(s, [][]string{{"gpu"}, {"eu", "gpu"}})
		}
		if s.chance(20) {
			r.KeepResult = pickOf(s, []time.Duration{-1, 2 * time.Second, time.Hour})
		}
		t.Rules = r
	}
	return t
}

func brief(t *reeve.Task) string {
	text := fmt.Sprintf("%.4s %q %d", t.Payload, t.Type, t.Priority)
	if t.Delay > 0 {
		text += fmt.Sprint(" delay ", t.Delay)
	}
	if t.Rules != nil {
		text += " {"
		v := reflect.ValueOf(*t.Rules)
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				text += fmt.Sprintf("%s %v ", v.Type().Field(i).Name, v.Field(i))
			}
		}
		text += "}"
	}
	return text
}

func (s *scene) put() {
	c, q := s.client(), s.queue()
	ts := []reeve.Task{s.randomTask()}
	for s.chance(30) && len(ts) < 4 {
		ts = append(ts, s.randomTask())
	}
	tag := c.tag(len(ts))
	q.Put(c.Holder, &queue.PutOp{Tasks: ts, NoWait: true, Each: true, Tag: tag, By: c})
	synctest.Wait()
	for i := range ts {
		r := c.must(s.t, tag+uint64(i))
		s.note("put %s into %s: %v %v", brief(&ts[i]), q.Name(), r.first, r.err)
		if r.err == nil {
			s.ids = append(s.ids, r.first)
		}
	}
}

func (s *scene) get() {
	c, q := s.client(), s.queue()
	want := reeve.GetOptions{}
	if s.chance(70) {
		want.Labels = []string{"eu", "gpu"}
	}
	if s.chance(20) {
		want.Types = []string{"a", "b"}
	}
	tag := c.tag(1)
	q.Get(c.Holder, &queue.GetOp{Max: 1 + s.rnd.IntN(3), NoWait: true, Tag: tag, Want: want})
	synctest.Wait()
	g := c.gotOf(s.t, tag)
	for _, t := range g.ts {
		s.note("got %v of %s at %d by %s", t.ID, q.Name(), t.Attempt, "client")
		s.held = append(s.held, grip{c, q.Name(), t})
	}
}

// settle ends, or tells something of, one lease.
func (s *scene) settle() {
	if len(s.held) == 0 {
		s.get()
		return
	}
	i := s.rnd.IntN(len(s.held))
	g := s.held[i]
	q := s.still(g.q)
	op := queue.NackOp{ID: g.t.ID, Attempt: g.t.Attempt}
	tag, n := g.c.tag(1), s.rnd.IntN(14)
	switch n {
	case 0, 1:
		q.Ack(g.c.Holder, []queue.AckOp{{ID: g.t.ID, Attempt: g.t.Attempt}}, tag, g.c)
	case 2, 3:
		var to *queue.Queue
		if s.chance(60) {
			to = s.queue()
		}
		r := s.randomTask()
		r.Delay = 0
		q.Complete(g.c.Holder, to, []queue.CompleteOp{{ID: g.t.ID, Attempt: g.t.Attempt, Result: r, Tag: tag, By: g.c}})
	case 4, 5:
		q.Extend(g.c.Holder, g.t.ID, g.t.Attempt, time.Duration(1+s.rnd.IntN(60))*time.Second, tag, g.c)
	case 6:
		_ = q.Progress(g.c.Holder, g.t.ID, g.t.Attempt, 50, "half")
		return
	default:
		op.Delay = pickOf(s, []time.Duration{0, 0, time.Second, 4 * time.Second})
		op.Error = pickOf(s, []string{"", "boom", "bang\nand more"})
		if op.Error != "" && s.chance(50) {
			op.Stack = strings.Repeat("stack ", 1+s.rnd.IntN(600))
		}
		switch n {
		case 7:
			op.Bury = true
		case 8:
			op.Returned, op.Delay = true, 0
		case 9:
			op.Snooze = true
		case 10:
			op.Skip = s.chance(50)
			op.Discard = !op.Skip
		case 11:
			op.TimedOut = true
		}
		q.Nack(g.c.Holder, &op, tag, g.c)
	}
	synctest.Wait()
	r, ok := g.c.answer(tag)
	if !ok { // it waits for room
		g.c.Cancel(tag, errCancelled)
	}
	s.note("settle %d of %v in %s at %d: %+v: %v", n, g.t.ID, g.q, g.t.Attempt, op, r.err)
	if n != 4 && n != 5 {
		s.held = append(s.held[:i], s.held[i+1:]...)
	}
}

// operate is what operators do.
func (s *scene) operate() {
	q, to := s.queue(), s.queue()
	f := &reeve.Filter{}
	if s.chance(50) && len(s.ids) > 0 {
		f.IDs = []reeve.ID{pickOf(s, s.ids), pickOf(s, s.ids)}
	} else {
		f.Types = []string{pickOf(s, []string{"", "a", "b"})}
	}
	n, err := 0, error(nil)
	what := s.rnd.IntN(9)
	switch what {
	case 0:
		if len(s.ids) > 0 {
			err = s.Cancel(pickOf(s, s.ids), pickOf(s, []string{"", "not wanted"}))
		}
	case 1:
		n, err = q.CancelAll(&reeve.Filter{IDs: f.IDs, Types: f.Types, States: []reeve.State{reeve.StateDead, reeve.StateDelayed}}, "all")
	case 2, 3:
		if q != to {
			n, err = q.Move(to, f)
		}
	case 4, 5:
		n, err = q.Revive(f)
	case 6:
		if s.chance(50) {
			f.States = []reeve.State{reeve.StateReady, reeve.StateDelayed}
		}
		n, err = q.Purge(f)
	case 7:
		if s.chance(40) {
			err = q.Pause(pickOf(s, []string{"", "for a while"}))
		} else {
			q.Resume()
		}
	case 8:
		if s.chance(40) {
			err = s.Delete(q.Name(), s.chance(50))
		}
	}
	s.note("operate %d on %s, to %s, %+v: %d %v", what, q.Name(), to.Name(), *f, n, err)
}

// hangUp ends a client's connection.
func (s *scene) hangUp() {
	i := s.rnd.IntN(len(s.clients))
	c := s.clients[i]
	how := s.rnd.IntN(3)
	s.note("hang up %d", how)
	if how == 0 && s.named[c] {
		c.Leave()
	} else {
		c.Release(how == 1)
	}
	s.clients = append(s.clients[:i], s.clients[i+1:]...)
	held := s.held[:0]
	for _, g := range s.held {
		if g.c != c {
			held = append(held, g)
		}
	}
	s.held = held
}
