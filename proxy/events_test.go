package proxy_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/proxy"
)

// follow loops over events and returns their texts and errors as they come.
func follow(ctx context.Context, c *proxy.Client, queues ...string) (<-chan reeve.Event, <-chan outcome[int]) {
	events := make(chan reeve.Event, 100)
	return events, async(func() (int, error) {
		n := 0
		for e, err := range c.Events(ctx, queues...) {
			if err != nil {
				return n, err
			}
			n++
			events <- e
		}
		return n, nil
	})
}

func event(sub uint64, ids ...reeve.ID) wire.Event {
	m := wire.Event{Sub: sub}
	for _, id := range ids {
		m.Events = append(m.Events, wire.EventRecord{Kind: "put", ID: id, Queue: "tasks"})
	}
	return m
}

func TestEvents_GoOnAfterABreak(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		events, over := follow(ctx, c, "tasks", "other")
		for i := range 3 {
			r := s.next(wire.TypeEvents)
			q := r.msg.(*wire.Events)
			if !slices.Equal(q.Queues, []string{"tasks", "other"}) || q.Sub == 0 {
				t.Fatalf("%+v", q)
			}
			switch i {
			case 1: // a master that is going away is not the end
				s.refuse(r.req, reeve.ErrClosed)
			default:
				s.confirm(r.req, 0)
				s.message(event(q.Sub+1, 99)) // of nobody
				s.message(event(q.Sub, reeve.ID(i+1)))
				if e := <-events; e.ID != reeve.ID(i+1) || e.Queue != "tasks" {
					t.Errorf("%+v", e)
				}
			}
			if i == 2 {
				cancel()
				if n, err := await(t, "the loop", over); n != 2 || err != nil {
					t.Errorf("%d events, %v", n, err)
				}
				if u := s.next(wire.TypeUnevents).msg.(*wire.Unevents); u.Sub != q.Sub {
					t.Errorf("subscription %d ends, want %d", u.Sub, q.Sub)
				}
				return
			}
			synctest.Wait()
			s.drop()
			s = m.session()
		}
	})
}

func TestEvents_ASlowLoopMissesTheOldest(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		var got []reeve.Event
		gate := make(chan struct{})
		over := async(func() (int, error) {
			for e, err := range c.Events(t.Context()) {
				if err != nil {
					return 0, err
				}
				<-gate
				if got = append(got, e); e.ID == 20 {
					break
				}
			}
			return 0, nil
		})
		r := s.next(wire.TypeEvents)
		sub := r.msg.(*wire.Events).Sub
		s.confirm(r.req, 0)
		s.message(event(sub, 1))
		synctest.Wait() // the loop has it, and is slow
		for id := range reeve.ID(19) {
			s.message(event(sub, id+2))
		}
		synctest.Wait()
		close(gate)
		if _, err := await(t, "the loop", over); err != nil {
			t.Fatal(err)
		}
		if len(got) != 5 || got[1].ID != 17 || got[1].Missed != 15 || got[2].Missed != 0 {
			t.Errorf("%+v", got)
		}
	}, func(cfg *proxy.Config) { cfg.EventBuffer = 4 })
}

func TestEvents_EndWithWhatEndsThem(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		_, over := follow(t.Context(), c, "nope")
		s.refuse(s.next(wire.TypeEvents).req, &reeve.NoSuchQueueError{Name: "nope"})
		if _, err := await(t, "the loop", over); !errors.Is(err, reeve.ErrNoSuchQueue) {
			t.Errorf("%v", err)
		}
		_, over = follow(t.Context(), c, "")
		if _, err := await(t, "the loop", over); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("a queue without a name: %v", err)
		}
		_, over = follow(t.Context(), c)
		s.next(wire.TypeUnevents)
		s.next(wire.TypeEvents)
		c.Close()
		if _, err := await(t, "the loop", over); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("%v", err)
		}
		_, over = follow(t.Context(), c)
		if _, err := await(t, "the loop", over); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("of a closed client: %v", err)
		}
	})
}
