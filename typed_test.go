package reeve_test

import (
	"errors"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// A caller gets one error. The lease of every task that it does not hear of
// must end, or nobody would ever get the task.
func TestGetMany_UnreadablePayloadsComeOneByOneAndNoLeaseIsLost(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		handles := map[string]reeve.Queue{
			"local":  m.Declare(t, "local", reeve.QueueConfig{}),
			"remote": m.Dial(t).Queue("remote"),
		}
		m.Declare(t, "remote", reeve.QueueConfig{})
		for name, raw := range handles {
			q := reeve.NewTypedQueue[int](raw, codec.JSON)
			var tasks []reeve.Task
			for _, payload := range []string{"1", "bad", "2", "worse", "worst"} {
				tasks = append(tasks, reeve.Task{Payload: []byte(payload)})
			}
			if _, err := raw.Put(t.Context(), tasks); err != nil {
				t.Fatal(err)
			}
			items, err := q.GetMany(t.Context(), 10)
			if len(items) != 2 || items[0].Value != 1 || items[1].Value != 2 {
				t.Errorf("%s: the items are %v", name, items)
			}
			for _, want := range []string{"bad", "worse", "worst"} {
				var unreadable *reeve.DecodeError
				if !errors.As(err, &unreadable) || string(unreadable.Lease.Payload) != want {
					t.Fatalf("%s: %v instead of an error about %q", name, err, want)
				}
				if err := unreadable.Lease.Bury(t.Context(), "unreadable"); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if want != "worst" {
					_, err = q.GetMany(t.Context(), 10)
				}
			}
			if s, err := raw.Stats(t.Context()); err != nil || s.Leased != 2 || s.Dead != 3 || s.Ready != 0 {
				t.Errorf("%s: %+v, %v", name, s, err)
			}
		}
	})
}

func TestTypedQueue_SaysWhatItCannotEncode(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "in", reeve.QueueConfig{})
		m.Declare(t, "out", reeve.QueueConfig{})
		c := m.Dial(t)
		in, out := proxy.QueueOf[int](c, "in"), proxy.QueueOf[string](c, "out")
		if _, err := in.Put(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		item, err := in.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := item.Complete(t.Context(), out, 2); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("an int completed into a queue of strings: %v", err)
		}
		if err := item.Complete(t.Context(), out, "two"); err != nil {
			t.Errorf("the lease does not stand any more: %v", err)
		}
		raw := reeve.NewTypedQueue[func()](c.Queue("in"), codec.JSON)
		if _, err := raw.Put(t.Context(), func() {}); err == nil {
			t.Error("a func was put")
		}
	})
}

func TestFull_SaysWhetherAPutWouldWait(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		for name, cfg := range map[string]reeve.QueueConfig{
			"length": {MaxLen: 2, Refuse: true},
			"bytes":  {MaxBytes: 3*reeve.TaskOverhead - 1, Refuse: true},
			"none":   {MaxBytes: reeve.NoLimit, Refuse: true},
		} {
			raw := m.Declare(t, name, cfg)
			q := reeve.NewTypedQueue[[]byte](raw, codec.Raw)
			for i := range 5 {
				full, err := q.Full(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := q.Put(t.Context(), nil); full != errors.Is(err, reeve.ErrQueueFull) {
					t.Errorf("%s: the queue with %d tasks is full: %v; a Put says %v", name, i, full, err)
				}
			}
		}
	})
}
