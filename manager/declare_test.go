package manager_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

// declarers are a master and a client of it, which are to do the same.
func declarers(t *testing.T, m *managertest.Master) map[string]reeve.QueueDeclarer {
	return map[string]reeve.QueueDeclarer{"master": m.Manager(), "client": m.Dial(t)}
}

func TestDeclareQueue_MakesOneThatEverybodyHas(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		for name, d := range declarers(t, m) {
			cfg := reeve.QueueConfig{MaxLen: 1, Rate: reeve.Rate{Tasks: 1000}, TypeConcurrency: map[string]int{"a": 3},
				Windows: []reeve.Window{{To: 24 * time.Hour}}, Backoff: reeve.Backoff{Base: time.Second}, Durability: reeve.DurabilityNone}
			q, err := d.DeclareQueue(t.Context(), name, cfg)
			if err != nil {
				t.Fatal(err)
			}
			put(t, q, 1)
			if _, err := m.Dial(t).Queue(name).Put(t.Context(), []reeve.Task{{}}, reeve.NoWait()); !errors.Is(err, reeve.ErrQueueFull) {
				t.Errorf("%s: a put into a full queue: %v", name, err)
			}
			again, err := d.DeclareQueue(t.Context(), name, cfg)
			if err != nil || again.Name() != name {
				t.Errorf("%s: declared again: %v", name, err)
			}
			if s, err := again.Stats(t.Context()); err != nil || s.Ready != 1 || s.MaxLen != 1 {
				t.Errorf("%s: %+v, %v", name, s, err)
			}
			if _, err := m.Manager().Queue(name, cfg); err != nil {
				t.Errorf("%s: at the master: %v", name, err)
			}
		}
	})
}

func TestDeclareQueue_RefusesWhatCannotBe(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		const long = time.Hour
		put(t, m.Declare(t, "there", reeve.QueueConfig{MaxLen: 7, Lease: long}), 1)
		m.Declare(t, "other", reeve.QueueConfig{Lease: long})
		for name, d := range declarers(t, m) {
			_, err := d.DeclareQueue(t.Context(), "there", reeve.QueueConfig{MaxLen: 8, Lease: long})
			if !errors.Is(err, reeve.ErrQueueExists) || !strings.HasSuffix(err.Error(), `"there" has MaxLen 7, not 8`) {
				t.Errorf("%s: another configuration: %v", name, err)
			}
			_, err = d.DeclareQueue(t.Context(), "other", reeve.QueueConfig{MaxBytes: reeve.NoLimit, Lease: long, KeepResult: time.Hour, Durability: reeve.DurabilityNone, Rate: reeve.Rate{Tasks: 2}, TypeConcurrency: map[string]int{"a": 1}})
			if want := `"other" has MaxBytes 1073741824, not unlimited; TypeConcurrency map[], not map[a:1]; Rate unset, not 2/s; KeepResult 0s, not 1h0m0s; Durability unset, not none`; !errors.Is(err, reeve.ErrQueueExists) || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%s: another configuration: %v", name, err)
			}
			_, err = d.DeclareQueue(t.Context(), "new", reeve.QueueConfig{Attempts: -1})
			if !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "QueueConfig.Attempts") {
				t.Errorf("%s: a configuration out of range: %v", name, err)
			}
			for _, bad := range []string{"", "a\nb", strings.Repeat("x", 256)} {
				if _, err := d.DeclareQueue(t.Context(), bad, reeve.QueueConfig{}); !errors.Is(err, reeve.ErrInvalid) {
					t.Errorf("%s: the name %q: %v", name, bad, err)
				}
			}
			_, err = d.DeclareQueue(t.Context(), "new", reeve.QueueConfig{})
			if limit, ok := errors.AsType[*reeve.LimitError](err); !ok || !errors.Is(err, reeve.ErrLimit) || limit.Max != 2 || limit.Set != "Config.MaxQueues" {
				t.Errorf("%s: one too many: %v", name, err)
			}
		}
		if s, err := m.Dial(t).Queue("there").Stats(t.Context()); err != nil || s.Ready != 1 || s.MaxLen != 7 {
			t.Errorf("%+v, %v", s, err)
		}
	}, manager.Config{MaxQueues: 2})
}

func TestDeclareQueue_ManyAtOnceMakeOne(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		var all sync.WaitGroup
		for range 4 {
			c := m.Dial(t)
			for range 8 {
				all.Go(func() {
					if _, err := c.DeclareQueue(t.Context(), "q", reeve.QueueConfig{MaxLen: 3}); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		if n := len(m.Manager().QueueStats()); n != 1 {
			t.Errorf("%d queues", n)
		}
	})
}

func TestDeleteQueue_EndsWhatWaitsAtClients(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		for name, d := range declarers(t, m) {
			m.Declare(t, name, reeve.QueueConfig{MaxLen: 2})
			c := m.Dial(t)
			q := c.Queue(name)
			put(t, q, 2)
			consumer, err := q.Consume(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			held, err := consumer.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			lost := make(chan error, 1)
			held.OnLost(func(cause error) { lost <- cause })
			put(t, q, 1)
			ends := make(chan error, 5)
			local, err := m.Manager().Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []func() error{
				func() error { _, err := consumer.Next(t.Context()); return err },
				func() error { _, err := q.Put(t.Context(), []reeve.Task{{}}); return err },
				func() error { _, err := q.Get(t.Context(), 1, reeve.ForTypes("other")); return err },
				func() error { return q.Join(t.Context()) },
				func() error { _, err := local.Get(t.Context(), 1, reeve.ForTypes("other")); return err },
			} {
				go func() { ends <- f() }() // waited for below
			}
			synctest.Wait()
			if err := d.DeleteQueue(t.Context(), name, false); !errors.Is(err, reeve.ErrNotEmpty) {
				t.Errorf("%s: without force: %v", name, err)
			}
			if err := d.DeleteQueue(t.Context(), name, true); err != nil {
				t.Fatal(err)
			}
			for range cap(ends) {
				if err := <-ends; !errors.Is(err, reeve.ErrNoSuchQueue) {
					t.Errorf("%s: what waited ended with %v", name, err)
				}
			}
			if err := <-lost; !errors.Is(err, reeve.ErrLeaseLost) {
				t.Errorf("%s: the lease was lost with %v", name, err)
			}
			if err := held.Ack(t.Context()); !errors.Is(err, reeve.ErrLeaseLost) {
				t.Errorf("%s: Ack: %v", name, err)
			}
			for where, q := range map[string]reeve.Queue{"client": q, "master": local} {
				if _, err := q.TryGet(t.Context(), 1); !errors.Is(err, reeve.ErrNoSuchQueue) {
					t.Errorf("%s: a later Get at the %s: %v", name, where, err)
				}
				if _, err := q.Stats(t.Context()); !errors.Is(err, reeve.ErrNoSuchQueue) {
					t.Errorf("%s: Stats at the %s: %v", name, where, err)
				}
			}
			if err := d.DeleteQueue(t.Context(), name, true); !errors.Is(err, reeve.ErrNoSuchQueue) {
				t.Errorf("%s: a second time: %v", name, err)
			}
		}
		if s := m.Manager().Stats(); s.Deleted != 2 || s.Idle != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestDeleteQueue_HandlesAreOfTheNextQueueOfTheName has one handle in each
// process over two lives of a queue.
func TestDeleteQueue_HandlesAreOfTheNextQueueOfTheName(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		local, err := m.Manager().DeclareQueue(t.Context(), "q", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		remote := c.Queue("q")
		put(t, remote, 3)
		if err := c.DeleteQueue(t.Context(), "q", true); err != nil {
			t.Fatal(err)
		}
		if _, err := c.DeclareQueue(t.Context(), "q", reeve.QueueConfig{MaxLen: 5}); err != nil {
			t.Fatal(err)
		}
		put(t, local, 1)
		leases, err := remote.TryGet(t.Context(), 5)
		if err != nil || len(leases) != 1 {
			t.Fatalf("%d, %v", len(leases), err)
		}
		if err := leases[0].Ack(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestDeclareQueue_WhatClientsDidIsThereAfterARestart(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		for _, name := range []string{"stays", "goes"} {
			q, err := c.DeclareQueue(t.Context(), name, reeve.QueueConfig{Lease: time.Hour, Durability: reeve.DurabilityNone})
			if err != nil {
				t.Fatal(err)
			}
			put(t, q, 2)
		}
		if err := c.DeleteQueue(t.Context(), "goes", true); err != nil {
			t.Fatal(err)
		}
		m.Kill()
		m.Restart(t)
		// As it is in the journal, although nobody has asked for it.
		if _, err := c.DeclareQueue(t.Context(), "stays", reeve.QueueConfig{Lease: time.Minute}); !errors.Is(err, reeve.ErrQueueExists) {
			t.Errorf("another configuration: %v", err)
		}
		if s, err := c.Queue("stays").Stats(t.Context()); err != nil || s.Ready != 2 {
			t.Errorf("%+v, %v", s, err)
		}
		if _, err := c.Queue("goes").Stats(t.Context()); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("it is back: %v", err)
		}
	}, manager.Config{Journal: managertest.Reopen(func(prev journal.Journal) (journal.Journal, error) {
		if prev == nil {
			return journaltest.NewMemory(journaltest.MemoryConfig{TB: t}), nil
		}
		return prev.(*journaltest.Memory).Crash(journaltest.PowerCut()), nil
	})})
}

func TestIdleTTL_AQueueThatNobodyUsesGoesAndTheMasterSaysSo(t *testing.T) {
	var log bytes.Buffer
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		if _, err := c.DeclareQueue(t.Context(), "q", reeve.QueueConfig{IdleTTL: time.Minute}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var told []reeve.Event
		done := make(chan struct{})
		go func() { // waited for below
			defer close(done)
			for ev, err := range c.Events(ctx) {
				if err == nil {
					told = append(told, ev)
				}
			}
		}()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := m.Manager().Stats(); s.Idle != 1 || s.Deleted != 1 {
			t.Errorf("%+v", s)
		}
		if _, err := c.Queue("q").TryGet(t.Context(), 1); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("%v", err)
		}
		cancel()
		<-done
		if len(told) != 1 || told[0].Kind != reeve.EventDeleted || told[0].Queue != "q" || !strings.Contains(told[0].Text, "1m0s") {
			t.Errorf("events %+v", told)
		}
	}, manager.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if !strings.Contains(log.String(), `msg="queue deleted: nobody used it" queue=q`) {
		t.Errorf("the log is\n%s", &log)
	}
}

// queueItem is one queue of the service's list.
type queueItem struct {
	Name   string `cbor:"1,keyasint"`
	Config string `cbor:"2,keyasint"`
}

// TestIdleTTL_APutIsRefusedOrThere puts at the moment at which the queue goes.
func TestIdleTTL_APutIsRefusedOrThere(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		for i := range 100 {
			name := fmt.Sprint("q", i)
			local, err := m.Manager().DeclareQueue(t.Context(), name, reeve.QueueConfig{IdleTTL: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			var puts atomic.Int64
			var all sync.WaitGroup
			for _, q := range []reeve.Queue{local, c.Queue(name), local} {
				all.Go(func() { // waited for below
					if _, err := q.Put(t.Context(), []reeve.Task{{}}); err == nil {
						puts.Add(1)
					} else if !errors.Is(err, reeve.ErrNoSuchQueue) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if s, err := c.Queue(name).Stats(t.Context()); puts.Load() > 0 && (err != nil || int64(s.Ready) != puts.Load()) {
				t.Fatalf("%d were put, and there are %d, %v", puts.Load(), s.Ready, err)
			}
		}
	})
}

func TestQueuesService_ListsPages(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		c := m.Dial(t)
		for _, name := range []string{"b", "a", "c"} {
			m.Declare(t, name, reeve.QueueConfig{MaxLen: len(name)})
		}
		list := func(after string, max int) (names []string, next string, err error) {
			args, _ := codec.CBOR.Marshal([]any{after, max})
			a, err := c.CallObject(t.Context(), &reeve.ObjectCall{Ref: reeve.Ref{Name: "$queues"}, Method: "list", Args: args, Reads: true})
			if err != nil {
				return nil, "", err
			}
			var page struct {
				_     struct{} `cbor:",toarray"`
				Items []queueItem
				Next  string
			}
			if err := codec.CBOR.Unmarshal(a.Value, &page); err != nil {
				t.Fatal(err)
			}
			for _, q := range page.Items {
				names = append(names, q.Name)
				if !strings.Contains(q.Config, `"MaxLen":1`) {
					t.Errorf("%s has %s", q.Name, q.Config)
				}
			}
			return names, page.Next, nil
		}
		for _, want := range []struct {
			after string
			max   int
			names string
			next  string
		}{{"", 2, "a b", "b"}, {"b", 2, "c", ""}, {"c", 1, "", ""}, {"aa", 1, "b", "b"}} {
			names, next, err := list(want.after, want.max)
			if err != nil || strings.Join(names, " ") != want.names || next != want.next {
				t.Errorf("after %q: %q, %q, %v", want.after, names, next, err)
			}
		}
		for _, max := range []int{0, 1001} {
			if _, _, err := list("", max); !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("a page of %d: %v", max, err)
			}
		}
	})
}
