package queue

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reeveq/reeve"
)

// follow makes an engine with the queues a and b, and a subscription.
func follow(t *testing.T, buffer int, wake func(), names ...string) (*Engine, *Subscription) {
	t.Helper()
	e := New(Config{})
	t.Cleanup(func() { e.Close() })
	for _, name := range []string{"a", "b"} {
		if _, err := e.Declare(name, reeve.QueueConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := e.Subscribe(names, buffer, wake)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return e, s
}

func event(queue string, id int) reeve.Event {
	return reeve.Event{Queue: queue, Kind: reeve.EventPut, ID: reeve.ID(id)}
}

func TestSubscription_GetsTheEventsOfItsQueuesInOrder(t *testing.T) {
	t.Parallel()
	e, all := follow(t, 100, nil)
	some, err := e.Subscribe([]string{"b", "b"}, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Declare("c", reeve.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		e.events.emit(event([]string{"a", "b"}[i%2], i))
	}
	if err := c.Pause("lunch"); err != nil {
		t.Fatal(err)
	}
	evs := all.Take(100)
	if len(evs) != 12 || evs[0].Kind != reeve.EventDeclared || evs[0].Queue != "c" {
		t.Fatalf("%d events, want 12, the first that c was declared: %+v", len(evs), evs)
	}
	evs = evs[1:]
	for i, ev := range evs[:10] {
		if ev.ID != reeve.ID(i) || ev.Missed != 0 {
			t.Fatalf("event %d is %v", i, ev)
		}
	}
	if ev := evs[10]; ev.Queue != "c" || ev.Kind != reeve.EventPaused || ev.Text != "lunch" || ev.Time.IsZero() {
		t.Fatalf("of a queue that was declared later: %+v", ev)
	}
	evs = append(some.Take(2), some.Take(0)...)
	if evs = append(evs, some.Take(100)...); len(evs) != 5 || evs[0].ID != 1 || evs[4].ID != 9 {
		t.Fatalf("of one queue: %v", evs)
	}
	if all.Take(1) != nil || some.Take(1) != nil {
		t.Fatal("more events than there were")
	}
	if all.Close(); !e.events.on() {
		t.Fatal("nobody follows, while one does")
	}
	if some.Close(); e.events.on() {
		t.Fatal("somebody follows after all were closed")
	}
	some.Close()
	if e.events.emit(event("a", 1)); all.Take(1) != nil {
		t.Fatal("an event after Close")
	}
}

func TestSubscription_MissesTheOldestAndCountsThem(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(21, 22))
	for _, buffer := range []int{1, 2, 7, 16, 17, 100, 1000} {
		e, s := follow(t, buffer, nil)
		next, taken := 0, 0 // events, from 1 on
		for range 3000 {
			for range rnd.IntN(buffer) * rnd.IntN(3) {
				next++
				e.events.emit(event("a", next))
			}
			most := rnd.IntN(buffer + 2)
			evs := s.Take(most)
			if want := min(most, buffer, next-taken); len(evs) != want {
				t.Fatalf("buffer %d: %d events, want %d", buffer, len(evs), want)
			}
			for i, ev := range evs {
				if i > 0 && ev.Missed > 0 {
					t.Fatalf("buffer %d: missed in the middle", buffer)
				}
				if taken += int(ev.Missed) + 1; ev.ID != reeve.ID(taken) {
					t.Fatalf("buffer %d: event %d, want %d", buffer, ev.ID, taken)
				}
			}
			if len(s.ring) > buffer {
				t.Fatalf("buffer %d: a ring of %d", buffer, len(s.ring))
			}
		}
		if s.Take(buffer); s.n != 0 || len(s.ring) > 256 {
			t.Fatalf("empty, in a ring of %d", len(s.ring))
		}
	}
}

func TestSubscription_WakesWhenEventsBeginToWait(t *testing.T) {
	t.Parallel()
	woken := 0
	e, s := follow(t, 10, func() { woken++ }, "a")
	for i := range 20 {
		e.events.emit(event("a", i))
		e.events.emit(event("b", i))
	}
	if woken != 1 {
		t.Fatalf("woken %d times, want once", woken)
	}
	s.Take(9)
	e.events.emit(event("a", 1))
	if s.Take(10); woken != 1 {
		t.Fatal("woken while events waited")
	}
	e.events.emit(event("a", 1))
	if woken != 2 {
		t.Fatalf("woken %d times, want twice", woken)
	}
	s.Take(10)
	s.Close()
	if e.events.emit(event("a", 1)); woken != 2 {
		t.Fatal("woken after Close")
	}
}

func TestSubscription_CutsLongTexts(t *testing.T) {
	t.Parallel()
	e, s := follow(t, 1, nil)
	ev := event("a", 1)
	ev.Text = strings.Repeat("x", 5000)
	e.events.emit(ev)
	if evs := s.Take(1); len(evs[0].Text) != maxEventText {
		t.Fatalf("%d bytes of text", len(evs[0].Text))
	}
}

func TestSubscribe_RefusesWhatIsOutOfRange(t *testing.T) {
	t.Parallel()
	e, _ := follow(t, MaxEvents, nil)
	for _, buffer := range []int{-1, 0, MaxEvents + 1} {
		if _, err := e.Subscribe(nil, buffer, nil); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("buffer %d: %v", buffer, err)
		}
	}
	if _, err := e.Subscribe([]string{"a", "nope"}, 1, nil); !errors.Is(err, reeve.ErrNoSuchQueue) {
		t.Errorf("unknown queue: %v", err)
	}
	e.Stop()
	if _, err := e.Subscribe(nil, 1, nil); !errors.Is(err, reeve.ErrClosed) {
		t.Errorf("after Stop: %v", err)
	}
}

// Every reader gets or misses every event, whoever comes and goes meanwhile.
func TestSubscription_ManyAtOnce(t *testing.T) {
	t.Parallel()
	const emitters, each = 4, 5000
	e := New(Config{})
	defer e.Close()
	queues := make([]*Queue, emitters)
	for i := range queues {
		var err error
		if queues[i], err = e.Declare(fmt.Sprint("q", i), reeve.QueueConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	var done atomic.Bool
	var readers, writers sync.WaitGroup
	for range 2 { // who stay
		signal := make(chan struct{}, 1)
		s, err := e.Subscribe(nil, 64, func() {
			select {
			case signal <- struct{}{}:
			default:
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		readers.Go(func() {
			defer s.Close()
			for seen := uint64(0); seen < emitters*each; {
				<-signal
				for evs := s.Take(10); evs != nil; evs = s.Take(10) {
					for _, ev := range evs {
						seen += ev.Missed + 1
					}
				}
			}
		})
	}
	readers.Go(func() { // who come and go
		for !done.Load() {
			s, err := e.Subscribe([]string{"q1"}, 8, nil)
			if err != nil {
				t.Error(err)
				return
			}
			s.Take(3)
			s.Close()
		}
	})
	for _, q := range queues {
		writers.Go(func() {
			for range each / 2 {
				q.mu.Lock()
				q.emit(reeve.EventPaused, nil, "", "")
				q.emit(reeve.EventResumed, nil, "", "")
				q.mu.Unlock()
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
	if e.events.on() {
		t.Fatal("somebody follows after all were closed")
	}
}

func BenchmarkEmit(b *testing.B) {
	e := New(Config{})
	defer e.Close()
	q, err := e.Declare("q", reeve.QueueConfig{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("nobody", func(b *testing.B) {
		for b.Loop() {
			q.emit(reeve.EventPut, nil, "", "")
		}
	})
	b.Run("one", func(b *testing.B) {
		s, err := e.Subscribe(nil, 1024, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		b.ReportAllocs()
		for b.Loop() {
			q.emit(reeve.EventPut, nil, "", "")
		}
	})
}
