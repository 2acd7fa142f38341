package queue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/journal/journaltest"
)

// busySink is a holder that acks, or completes into another queue, all that it
// is given.
type busySink struct {
	e *queue.Engine
	h *queue.Holder

	mu      sync.Mutex // guards the fields below
	todo    []reeve.Token
	waiting map[uint64]bool
	bad     error
	tag     uint64
}

func (s *busySink) ask(n uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		s.waiting[s.tag+1+i] = true
	}
	s.tag += n
	return s.tag - n + 1
}

func (s *busySink) answered(tag uint64, err error) {
	if !s.waiting[tag] {
		s.bad = fmt.Errorf("request %d was answered, and did not wait", tag)
	}
	delete(s.waiting, tag)
	if err != nil && !errors.Is(err, reeve.ErrNoSuchQueue) && !errors.Is(err, reeve.ErrLeaseLost) && !errors.Is(err, reeve.ErrClosed) {
		s.bad = err
	}
}

func (s *busySink) Reply(tag uint64, count int, _ reeve.ID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range uint64(count) {
		s.answered(tag+i, err)
	}
}

func (s *busySink) take(name string, ts []reeve.Task) {
	for _, t := range ts {
		s.todo = append(s.todo, reeve.Token{Queue: name, ID: t.ID, Attempt: t.Attempt})
	}
}

func (s *busySink) Deliver(_ uint64, name string, t *reeve.Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take(name, []reeve.Task{*t})
}

func (s *busySink) Got(tag uint64, name string, ts []reeve.Task, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered(tag, err)
	s.take(name, ts)
}

func (s *busySink) End(uint64, string, error) {}
func (s *busySink) Lost(reeve.Token, error)   {}

// Wake ends what was given.
func (s *busySink) Wake() {
	s.mu.Lock()
	todo := s.todo
	s.todo = nil
	s.mu.Unlock()
	for _, t := range todo {
		q, err := s.e.Lookup(t.Queue)
		if err != nil {
			continue
		}
		if t.ID%3 == 0 {
			if to, err := s.e.Lookup("q0"); err == nil {
				q.Complete(s.h, to, []queue.CompleteOp{{ID: t.ID, Attempt: t.Attempt, Tag: s.ask(1), By: s}})
				continue
			}
		}
		q.Ack(s.h, []queue.AckOp{{ID: t.ID, Attempt: t.Attempt}}, s.ask(1), s)
	}
}

// TestDelete_UnderFire deletes queues while everything goes on in them. Every
// request is answered once, and at the end nothing waits.
func TestDelete_UnderFire(t *testing.T) {
	for name, cfg := range map[string]queue.Config{
		"in memory": {},
		"journal":   {Journal: journaltest.NewMemory(journaltest.MemoryConfig{TB: t}), Memory: 200},
	} {
		e, err := queue.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		sinks := make([]*busySink, 3)
		stop := make(chan struct{})
		var all sync.WaitGroup
		for i := range sinks {
			s := &busySink{e: e, waiting: map[uint64]bool{}}
			s.h = e.NewHolder(s, true)
			sinks[i] = s
			rnd := rand.New(rand.NewPCG(uint64(i), 7))
			all.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					s.fire(rnd)
				}
			})
		}
		rnd := rand.New(rand.NewPCG(9, 9))
		for range 150 {
			name := fmt.Sprint("q", rnd.IntN(3))
			if err := e.Delete(name, true); err != nil && !errors.Is(err, reeve.ErrNoSuchQueue) {
				t.Fatal(err)
			}
			if _, err := e.Declare(name, reeve.QueueConfig{MaxLen: 4}); err != nil {
				t.Fatal(err)
			}
			runtime.Gosched()
		}
		close(stop)
		all.Wait()
		for i := range 3 {
			if err := e.Delete(fmt.Sprint("q", i), true); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil { // when all has been told
			t.Error(err)
		}
		for i, s := range sinks {
			s.mu.Lock()
			if s.bad != nil || len(s.waiting) > 0 {
				t.Errorf("%s: client %d: %v, %d requests were not answered", name, i, s.bad, len(s.waiting))
			}
			s.mu.Unlock()
			s.h.Release(false)
		}
	}
}

// fire makes a request at random.
func (s *busySink) fire(rnd *rand.Rand) {
	q, err := s.e.Lookup(fmt.Sprint("q", rnd.IntN(3)))
	if err != nil {
		return
	}
	switch rnd.IntN(6) {
	case 0, 1, 2:
		q.Put(s.h, &queue.PutOp{Tasks: []reeve.Task{{Payload: make([]byte, 40)}}, Tag: s.ask(1), By: s})
	case 3:
		q.Get(s.h, &queue.GetOp{Max: 2, Tag: s.ask(1)})
	case 4:
		q.Join(s.h, &queue.JoinOp{Tag: s.ask(1), By: s})
	default:
		if c := q.Consume(s.h, 1<<40, 2, reeve.GetOptions{}); c != nil {
			c.SetSlots(1)
		}
		_, _ = s.e.ConsumeFrom(s.h, 1<<41, 2, []reeve.Source{{Queue: "q0"}, {Queue: "q1"}}, reeve.GetOptions{})
	}
}
