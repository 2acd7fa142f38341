package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

// lease makes a Get that the master answers with a task of that id.
func lease(t *testing.T, c *proxy.Client, s *fakeSession, id reeve.ID) *reeve.Lease {
	t.Helper()
	g := get(t.Context(), c, "tasks")
	s.deliver(0, s.next(wire.TypeGet).req, "tasks", reeve.Task{ID: id, Attempt: 1, Payload: []byte("x")})
	l, err := await(t, "Get", g)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// lossOf gets the cause for which l is lost.
func lossOf(l *reeve.Lease) <-chan error {
	lost := make(chan error, 1)
	l.OnLost(func(cause error) { lost <- cause })
	return lost
}

func TestLease_EachEndIsItsMessage(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx := t.Context()
		for name, end := range map[string]struct {
			do    func(l *reeve.Lease) error
			typ   wire.Type
			check func(r request) bool
		}{
			"Ack": {func(l *reeve.Lease) error { return l.Ack(ctx) }, wire.TypeAck, func(r request) bool { return true }},
			"Complete": {func(l *reeve.Lease) error {
				return l.Complete(ctx, "results", reeve.Task{Payload: []byte("y")})
			}, wire.TypeComplete, func(r request) bool { return string(r.result.Payload) == "y" }},
			"Nack": {func(l *reeve.Lease) error { return l.Nack(ctx, time.Second, errors.New("why")) }, wire.TypeNack, func(r request) bool {
				n := r.msg.(*wire.Nack)
				return n.Cause == wire.CauseFailed && n.Delay == time.Second && n.Error == "why"
			}},
			"timeout": {func(l *reeve.Lease) error {
				done := make(chan error, 1)
				l.Settle(&reeve.Outcome{Verb: reeve.Nack, TimedOut: true}, func(err error) { done <- err })
				return <-done
			}, wire.TypeNack, func(r request) bool { return r.msg.(*wire.Nack).Cause == wire.CauseTimedOut }},
			"Return": {func(l *reeve.Lease) error { return l.Return(ctx) }, wire.TypeNack, func(r request) bool {
				return r.msg.(*wire.Nack).Cause == wire.CauseReturned
			}},
			"Bury": {func(l *reeve.Lease) error { return l.Bury(ctx, "why") }, wire.TypeBury, func(r request) bool {
				return r.msg.(*wire.Bury).Error == "why"
			}},
			"Complete without a queue": {func(l *reeve.Lease) error {
				return l.Complete(ctx, "", reeve.Task{Payload: []byte("y")})
			}, wire.TypeComplete, func(r request) bool { return r.queue == "tasks" && string(r.result.Payload) == "y" }},
			"Snooze": {func(l *reeve.Lease) error { return l.Snooze(ctx, time.Minute) }, wire.TypeNack, func(r request) bool {
				n := r.msg.(*wire.Nack)
				return n.Cause == wire.CauseSnoozed && n.Delay == time.Minute
			}},
			"Skip": {func(l *reeve.Lease) error { return l.Skip(ctx) }, wire.TypeNack, func(r request) bool {
				return r.msg.(*wire.Nack).Cause == wire.CauseSkipped
			}},
			"Discard": {func(l *reeve.Lease) error { return l.Discard(ctx, "why") }, wire.TypeNack, func(r request) bool {
				n := r.msg.(*wire.Nack)
				return n.Cause == wire.CauseDiscarded && n.Error == "why"
			}},
			"Extend": {func(l *reeve.Lease) error { return l.Extend(ctx, time.Minute) }, wire.TypeExtend, func(r request) bool {
				return r.msg.(*wire.Extend).Duration == time.Minute
			}},
		} {
			l := lease(t, c, s, 1)
			done := async(func() (int, error) { return 0, end.do(l) })
			r := s.next(end.typ)
			if !end.check(r) {
				t.Errorf("%s: the master got %+v", name, r)
			}
			s.confirm(r.req, 0)
			if _, err := await(t, name, done); err != nil {
				t.Errorf("%s = %v", name, err)
			}
			if name == "Extend" {
				l.Settle(&reeve.Outcome{Verb: reeve.Ack}, nil)
				s.confirm(s.next(wire.TypeAck).req, 0)
			}
			synctest.Wait()
			if n := c.Stats().Leases; n != 0 {
				t.Errorf("%s: %d leases stand, want none", name, n)
			}
		}
	})
}

func TestSettle_IsKeptAcrossAnOutageAndSentUntilAnswered(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		l := lease(t, c, s, 1)
		m.stop()
		s.drop()
		time.Sleep(time.Second)
		done := make(chan error, 1)
		l.Settle(&reeve.Outcome{Verb: reeve.Complete, To: "results", Result: reeve.Task{Payload: []byte("y")}}, func(err error) { done <- err })
		time.Sleep(time.Minute)
		m.change(func(w *wire.Welcome) { w.Resumed = true })
		m.listen()
		var req uint64
		for range 3 { // the connection is lost before each answer
			s = m.session()
			claim := s.next(wire.TypeClaim).msg.(*wire.Claim)
			if len(claim.Entries) != 1 || claim.Entries[0] != (wire.Pair{ID: 1, Attempt: 1}) {
				t.Errorf("claimed %+v", claim)
			}
			s.message(wire.Answer{Req: claim.Req, Kept: []bool{true}})
			r := s.next(wire.TypeComplete)
			if req == 0 {
				req = r.req
			}
			if r.req != req || string(r.result.Payload) != "y" {
				t.Errorf("completed %+v, want request %d", r, req)
			}
			select {
			case err := <-done:
				t.Fatalf("done before it was answered: %v", err)
			default:
			}
			s.drop()
		}
		s = m.session()
		s.next(wire.TypeClaim)
		s.confirm(s.next(wire.TypeComplete).req, 0)
		if err := <-done; err != nil {
			t.Errorf("Complete = %v", err)
		}
	})
}

func TestClaim_WhatWasNotKeptIsLost(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		kept, gone := lease(t, c, s, 1), lease(t, c, s, 2)
		lost := make(chan error, 2)
		kept.OnLost(func(err error) { t.Errorf("the kept lease was lost: %v", err) })
		gone.OnLost(func(err error) { lost <- err })
		m.change(func(w *wire.Welcome) { w.Epoch = 2 }) // even of a master that has been started anew
		s.drop()
		s = m.session()
		claim := s.next(wire.TypeClaim).msg.(*wire.Claim)
		if len(claim.Entries) != 2 || claim.Entries[0].ID != 1 || claim.Entries[1].ID != 2 || claim.Queue != "tasks" {
			t.Fatalf("claimed %+v", claim)
		}
		if len(lost) > 0 {
			t.Error("lost before the master had decided")
		}
		s.message(wire.Answer{Req: claim.Req, Kept: []bool{true, false}})
		if err := <-lost; !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("lost with %v, want ErrLeaseLost", err)
		}
		if err := gone.Ack(t.Context()); !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("Ack of a lost lease = %v", err)
		}
		ack := async(func() (int, error) { return 0, kept.Ack(t.Context()) })
		s.confirm(s.next(wire.TypeAck).req, 0)
		if _, err := await(t, "Ack", ack); err != nil {
			t.Errorf("Ack of a kept lease = %v", err)
		}
	})
}

func TestLost_TellsTheLease(t *testing.T) {
	for _, cause := range []error{reeve.ErrTimeout, reeve.ErrCancelled} {
		withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
			l := lease(t, c, s, 1)
			lost := lossOf(l)
			s.tell(wire.Lost{Queue: "tasks", ID: 1, Attempt: 2, Code: wire.Code(reeve.ErrExpired)}) // of another attempt
			s.tell(wire.Lost{Queue: "tasks", ID: 1, Attempt: 1, Code: wire.Code(cause)})
			if err := <-lost; !errors.Is(err, reeve.ErrLeaseLost) || !errors.Is(err, cause) {
				t.Errorf("lost with %v, want ErrLeaseLost and %v", err, cause)
			}
		})
	}
}

func TestClose_LosesTheLeases(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		l := lease(t, c, s, 1)
		lost := lossOf(l)
		c.Close()
		if err := <-lost; !errors.Is(err, reeve.ErrLeaseLost) {
			t.Errorf("lost with %v", err)
		}
	})
}

func TestSettle_RefusedLeavesTheLeaseStanding(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		l := lease(t, c, s, 1)
		if err := l.Complete(t.Context(), "results", reeve.Task{Payload: make([]byte, m.welcome.MaxPayload+1)}); !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("Complete with a large result = %v", err)
		}
		if err := l.Nack(t.Context(), -1, nil); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("Nack into the past = %v", err)
		}
		done := async(func() (int, error) { return 0, l.Complete(t.Context(), "nowhere", reeve.Task{}) })
		s.refuse(s.next(wire.TypeComplete).req, &reeve.NoSuchQueueError{Name: "nowhere"})
		if _, err := await(t, "Complete", done); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("Complete to nowhere = %v", err)
		}
		done = async(func() (int, error) { return 0, l.Bury(t.Context(), strings.Repeat("é", reeve.MaxErrorText)) })
		s.confirm(s.next(wire.TypeBury).req, 0)
		if _, err := await(t, "Bury", done); err != nil {
			t.Errorf("Bury = %v", err)
		}
	})
}

func TestSettle_OfAMasterThatForgotTheClientIsTriedAgainByItsToken(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		for _, answer := range []error{nil, reeve.ErrLeaseLost} {
			l := lease(t, c, s, 1)
			done := async(func() (int, error) { return 0, l.Ack(t.Context()) })
			s.next(wire.TypeAck)
			s.drop()
			s = m.session()
			s.next(wire.TypeClaim)
			r := s.next(wire.TypeAck)
			if answer == nil {
				s.confirm(r.req, 0)
			} else {
				s.refuse(r.req, answer)
			}
			_, err := await(t, "Ack", done)
			if answer == nil && err != nil || answer != nil && !errors.Is(err, reeve.ErrOutcomeUnknown) {
				t.Errorf("answered with %v: Ack = %v", answer, err)
			}
		}
	})
}

func TestClaim_TakesInEveryEndThatIsOnItsWay(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		var done []<-chan outcome[int]
		end := func(id reeve.ID, typ wire.Type, how func(*reeve.Lease) error) {
			l := lease(t, c, s, id)
			done = append(done, async(func() (int, error) { return 0, how(l) }))
			s.next(typ)
		}
		end(1, wire.TypeAck, func(l *reeve.Lease) error { return l.Ack(t.Context()) })
		end(2, wire.TypeNack, func(l *reeve.Lease) error { return l.Nack(t.Context(), 0, nil) })
		end(3, wire.TypeComplete, func(l *reeve.Lease) error { return l.Complete(t.Context(), "results", reeve.Task{}) })
		m.change(func(w *wire.Welcome) { w.Resumed = true })
		s.drop()
		s = m.session()
		claim := s.next(wire.TypeClaim).msg.(*wire.Claim)
		if len(claim.Entries) != 3 {
			t.Errorf("claimed %+v", claim)
		}
		s.message(wire.Answer{Req: claim.Req, Kept: make([]bool, 3)}) // they were carried out
		for _, typ := range []wire.Type{wire.TypeAck, wire.TypeNack, wire.TypeComplete} {
			s.confirm(s.next(typ).req, 0)
		}
		for _, d := range done {
			if _, err := await(t, "an end", d); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestClaimed_IsSentOnceWhenAllClaimsAreAnswered(t *testing.T) {
	for _, old := range []bool{false, true} { // the master does not know it
		withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
			m.old = old
			// A consumer with so many types that its Consume and its Claim are large.
			types := make([]string, reeve.MaxTypes)
			for i := range types {
				types[i] = strings.Repeat("t", 200) + fmt.Sprint(i)
			}
			made := async(func() (reeve.Consumer, error) {
				return c.Queue("tasks").Consume(t.Context(), 1, reeve.ForTypes(types...))
			})
			consume := s.next(wire.TypeConsume)
			s.message(wire.Answer{Req: consume.req, Lease: time.Minute})
			cs, err := await(t, "Consume", made)
			if err != nil {
				t.Fatal(err)
			}
			s.deliver(1, 0, "tasks", reeve.Task{ID: 1, Attempt: 1})
			if _, err := cs.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			held := lease(t, c, s, 2)
			for range 3 {
				if len(s.claimed) > 0 {
					t.Fatal("Claimed on the first connection")
				}
				s.drop()
				s = m.session()
				large := 0
				var claims []request
				for len(claims) < 2 {
					r := <-s.requests
					if r.typ == wire.TypeClaim {
						claims = append(claims, r)
						if r.bulk {
							large++
						}
					} else {
						s.message(wire.Answer{Req: r.req, Lease: time.Minute})
					}
				}
				if large != 1 {
					t.Errorf("%d large claims, want one", large)
				}
				for _, r := range claims {
					synctest.Wait()
					if len(s.claimed) > 0 {
						t.Fatal("Claimed before a Claim was answered")
					}
					s.message(wire.Answer{Req: r.req, Kept: []bool{true}})
				}
				<-s.claimed
				synctest.Wait()
				if len(s.claimed) > 0 {
					t.Error("Claimed twice")
				}
			}
			ack := async(func() (int, error) { return 0, held.Ack(t.Context()) })
			for r := range s.requests {
				if r.typ == wire.TypeAck {
					s.confirm(r.req, 0)
					break
				}
			}
			if _, err := await(t, "Ack", ack); err != nil {
				t.Errorf("old master %v: Ack = %v", old, err)
			}
		})
	}
}

func TestClaimed_IsSentWithNothingToClaim(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		synctest.Wait()
		if len(s.claimed) > 0 {
			t.Error("Claimed on the first connection")
		}
		for range 3 {
			s.drop()
			s = m.session()
			<-s.claimed
		}
	})
}

func TestSettleWait_EndsWithItsCtxAndTheEndGoesOn(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		l := lease(t, c, s, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		done := async(func() (int, error) { return 0, l.Complete(ctx, "results", reeve.Task{}) })
		r := s.next(wire.TypeComplete) // the queue is full: no answer
		if _, err := await(t, "Complete", done); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Complete = %v", err)
		}
		synctest.Wait()
		if len(s.requests) > 0 {
			t.Errorf("the client sent %+v", <-s.requests)
		}
		s.confirm(r.req, 0)
		synctest.Wait()
		if n := c.Stats().Unanswered; n != 0 {
			t.Errorf("%d unanswered", n)
		}
	})
}
