package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// The answers to a Put with unique keys are lost at every byte; asked again, it
// has the same outcome: its own tasks are no duplicates of themselves.
func TestPut_WithUniqueKeysWhoseAnswerIsLostIsPutOnce(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		old := putOne(t, q, reeve.Task{}, reeve.UniqueFor("old", 0))
		c, cable := plugged(t, m, proxy.Config{})
		broken, whole := 0, 0
		for n := range 200 {
			before := cable.Made()
			key := fmt.Sprint("new ", n)
			settle()
			cable.Last().Peer().CutAfter(n)
			ids, err := c.Queue("tasks").Put(t.Context(), []reeve.Task{
				{Rules: &reeve.Rules{Unique: key}}, {Rules: &reeve.Rules{Unique: "old"}}, {Rules: &reeve.Rules{Unique: key}},
			})
			var dup *reeve.DuplicateError
			if !errors.As(err, &dup) || len(dup.Tasks) != 2 || dup.Tasks[0] != 1 || dup.IDs[0] != old || dup.Tasks[1] != 2 || dup.IDs[1] != ids[0] {
				t.Fatalf("cut after %d bytes: %v, %+v", n, ids, err)
			}
			if s, err := q.Stats(t.Context()); err != nil || s.Put != uint64(n)+2 || s.Ready != n+2 {
				t.Fatalf("cut after %d bytes: %+v, %v", n, s, err)
			}
			if cable.Made() > before {
				broken++
			} else {
				whole++
			}
		}
		if broken < 10 || whole == 0 {
			t.Errorf("%d answers were cut and %d were not", broken, whole)
		}
	}, brisk)
}

func TestWait_GoesOnAcrossABreak(t *testing.T) {
	for name, harm := range map[string]func(*memnet.Cable){
		"reset":      func(c *memnet.Cable) { c.Last().Reset() },
		"black hole": func(c *memnet.Cable) { c.Last().BlackHole() },
	} {
		t.Run(name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				q := m.Declare(t, "tasks", reeve.QueueConfig{})
				ids := []reeve.ID{putOne(t, q, reeve.Task{}), putOne(t, q, reeve.Task{}, reeve.KeepResult(time.Hour)), putOne(t, q, reeve.Task{})}
				c, cable := plugged(t, m, proxy.Config{})
				var waits []<-chan result[reeve.Result]
				for _, id := range ids {
					waits = append(waits, async(func() (reeve.Result, error) { return c.Wait(t.Context(), id) }))
				}
				settle()
				harm(cable)
				// The first two end meanwhile, the third when it is back.
				for range 2 {
					if err := get(t, q).Complete(t.Context(), "", reeve.Task{Payload: []byte("r")}); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute)
				if err := get(t, q).Complete(t.Context(), "", reeve.Task{Payload: []byte("r")}); err != nil {
					t.Fatal(err)
				}
				if r := <-waits[0]; r.err != nil && !errors.Is(r.err, reeve.ErrNoSuchTask) || r.err == nil && r.v.State != reeve.StateDone {
					t.Errorf("what is not kept: %+v, %v", r.v, r.err)
				}
				for i, w := range waits[1:] {
					if r := <-w; r.err != nil || r.v.State != reeve.StateDone || string(r.v.Payload) != "r" {
						t.Errorf("%d: %+v, %v", i+1, r.v, r.err)
					}
				}
				if s := c.Stats(); s.Connects != 2 || s.Waiting+s.Unanswered != 0 {
					t.Errorf("%+v", s)
				}
			}, brisk)
		})
	}
}

func TestEvents_GoOnAcrossABreak(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		m.Declare(t, "other", reeve.QueueConfig{})
		c, cable := plugged(t, m, proxy.Config{})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		seen := make(chan reeve.ID, 100)
		over := async(func() (int, error) {
			for ev, err := range c.Events(ctx, "tasks") {
				if err != nil {
					return 0, err
				}
				if ev.Kind != reeve.EventPut || ev.Queue != "tasks" {
					t.Errorf("event %+v", ev)
				}
				seen <- ev.ID
			}
			return 0, nil
		})
		settle()
		for range 5 {
			id := putOne(t, q, reeve.Task{})
			putOne(t, c.Queue("other"), reeve.Task{})
			if got := <-seen; got != id {
				t.Errorf("saw %v, want %v", got, id)
			}
			cable.Last().Reset()
			time.Sleep(10 * time.Second)
		}
		stop()
		if r := <-over; r.err != nil {
			t.Error(r.err)
		}
		if n := len(seen); n != 0 {
			t.Errorf("%d events too many", n)
		}
		// Nobody follows any more: neither this session nor an earlier one.
		settle()
		if s := c.Stats(); s.Connects != 6 {
			t.Errorf("%+v", s)
		}
	}, brisk)
}

// A worker that serves two queues is away for a while: what it runs stays its
// own, once, and takes its slots.
func TestSources_WorkersKeepWhatTheyRunAcrossABreak(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		high, low := m.Declare(t, "high", reeve.QueueConfig{}), m.Declare(t, "low", reeve.QueueConfig{})
		c, cable := plugged(t, m, proxy.Config{})
		release := make(chan struct{})
		var running, most, calls atomic.Int64
		w := worker.New(c.From(reeve.Source{Queue: "high", Weight: 3}, reeve.Source{Queue: "low", Weight: 1}), worker.Config{Concurrency: 4})
		w.HandleDefaultFunc(func(ctx context.Context, _ *reeve.Task) ([]byte, error) {
			calls.Add(1)
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			select {
			case <-release:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
			return nil, nil
		})
		for _, q := range []reeve.Queue{high, low} {
			for range 10 {
				putOne(t, q, reeve.Task{})
			}
		}
		work(t, w) // it takes by weight, of both: the tasks are there
		settle()
		for range 3 {
			cable.Last().Reset()
			time.Sleep(10 * time.Second)
			h, _ := high.Stats(t.Context())
			l, _ := low.Stats(t.Context())
			if h.Leased+l.Leased != 4 || running.Load() != 4 || calls.Load() != 4 || h.Leased == 0 || l.Leased == 0 {
				t.Fatalf("%d and %d are leased, %d of %d handlers run, want 4 of 4", h.Leased, l.Leased, running.Load(), calls.Load())
			}
		}
		close(release)
		for _, q := range []reeve.Queue{high, low} {
			if err := q.Join(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s, err := q.Stats(t.Context()); err != nil || s.Done != 10 || s.Lost+s.Failed+s.LateAcks != 0 || s.Redelivered != 0 {
				t.Errorf("%+v, %v", s, err)
			}
		}
		if calls.Load() != 20 || most.Load() > 4 {
			t.Errorf("%d calls, %d at a time", calls.Load(), most.Load())
		}
	}, brisk)
}
