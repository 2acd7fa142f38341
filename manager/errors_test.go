package manager_test

// An error means the same on both sides of a connection: errors.Is and
// errors.As hold for what a client gets as they do for the master's own
// handles. A panic is the error of its request and of nothing else.

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

// failure is a call that fails.
type failure struct {
	name string
	do   func(ctx context.Context, t *testing.T, q func(string) reeve.Queue) error
	is   []error
	as   func(error) bool
}

func isLimit(name string) func(error) bool {
	return func(err error) bool {
		var limit *reeve.LimitError
		return errors.As(err, &limit) && strings.Contains(limit.Limit, name) && limit.Max > 0
	}
}

func isMissing(err error) bool {
	var missing *reeve.NoSuchQueueError
	return errors.As(err, &missing) && missing.Name == "nope" && strings.Contains(err.Error(), "full")
}

// failures need the queues of declareForFailures.
var failures = []failure{
	{"put into a full queue", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("full").Put(ctx, []reeve.Task{{}}, reeve.NoWait())
		return err
	}, []error{reeve.ErrQueueFull, reeve.ErrLimit}, isLimit("full")},
	{"put into a queue that refuses", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("refuses").Put(ctx, []reeve.Task{{}})
		return err
	}, []error{reeve.ErrQueueFull}, isLimit("refuses")},
	{"put more than ever fits", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("full").Put(ctx, make([]reeve.Task, 2))
		return err
	}, []error{reeve.ErrTooLarge, reeve.ErrLimit}, isLimit("full")},
	{"put a payload over the limit", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("tasks").Put(ctx, []reeve.Task{{Payload: make([]byte, 1<<20+1)}})
		return err
	}, []error{reeve.ErrTooLarge}, isLimit("payload")},
	{"put into a shut down queue", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("shut").Put(ctx, []reeve.Task{{}})
		return err
	}, []error{reeve.ErrShutdown}, nil},
	{"put nothing", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("tasks").Put(ctx, nil)
		return err
	}, []error{reeve.ErrInvalid}, nil},
	{"put with a negative delay", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("tasks").Put(ctx, []reeve.Task{{Delay: -1}})
		return err
	}, []error{reeve.ErrInvalid}, nil},
	{"put with a delay of two centuries", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("tasks").Put(ctx, []reeve.Task{{Delay: 200 * 365 * 24 * time.Hour}})
		return err
	}, []error{reeve.ErrInvalid}, nil},
	{"put that waits and is cancelled", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := q("full").Put(ctx, []reeve.Task{{}})
		return err
	}, []error{context.DeadlineExceeded}, nil},
	{"get from an empty queue", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("empty").TryGet(ctx, 1)
		return err
	}, []error{reeve.ErrEmpty}, nil},
	{"get too many", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("empty").Get(ctx, reeve.MaxBatch+1)
		return err
	}, []error{reeve.ErrInvalid}, nil},
	{"get from a shut down queue", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("shut").Get(ctx, 1)
		return err
	}, []error{reeve.ErrShutdown}, nil},
	{"get that is cancelled", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := q("empty").Get(ctx, 1)
		return err
	}, []error{context.DeadlineExceeded}, nil},
	{"next of a shut down queue", func(ctx context.Context, t *testing.T, q func(string) reeve.Queue) error {
		c, err := q("shut").Consume(ctx, 1)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Next(ctx)
		return err
	}, []error{reeve.ErrShutdown}, nil},
	{"next of a closed consumer", func(ctx context.Context, t *testing.T, q func(string) reeve.Queue) error {
		c := consume(t, q("empty"), 1)
		c.Close()
		_, err := c.Next(ctx)
		return err
	}, []error{reeve.ErrClosed}, nil},
	{"consume with too many slots", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("empty").Consume(ctx, reeve.MaxSlots+1)
		return err
	}, []error{reeve.ErrInvalid}, nil},
	{"dead tasks from below the first", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		_, err := q("empty").Dead(ctx, -1, 1)
		return err
	}, []error{reeve.ErrInvalid}, nil},
	{"join that is cancelled", func(ctx context.Context, _ *testing.T, q func(string) reeve.Queue) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return q("full").Join(ctx)
	}, []error{context.DeadlineExceeded}, nil},
	{"a second ack", onLease(func(ctx context.Context, l *reeve.Lease) error {
		l.Ack(ctx)
		return l.Ack(ctx)
	}), []error{reeve.ErrLeaseLost}, nil},
	{"ack of a lost lease", onLease(func(ctx context.Context, l *reeve.Lease) error {
		time.Sleep(time.Minute)
		return l.Ack(ctx)
	}), []error{reeve.ErrLeaseLost, reeve.ErrTimeout}, nil},
	{"complete into no queue", onLease(func(ctx context.Context, l *reeve.Lease) error {
		defer l.Ack(ctx)
		return l.Complete(ctx, "nope", reeve.Task{})
	}), []error{reeve.ErrNoSuchQueue}, isMissing},
	{"complete into a full queue that refuses", onLease(func(ctx context.Context, l *reeve.Lease) error {
		defer l.Ack(ctx)
		return l.Complete(ctx, "refuses", reeve.Task{})
	}), []error{reeve.ErrQueueFull}, isLimit("refuses")},
	{"complete into a shut down queue", onLease(func(ctx context.Context, l *reeve.Lease) error {
		defer l.Ack(ctx)
		return l.Complete(ctx, "shut", reeve.Task{})
	}), []error{reeve.ErrShutdown}, nil},
	{"complete with a result over the limit", onLease(func(ctx context.Context, l *reeve.Lease) error {
		defer l.Ack(ctx)
		return l.Complete(ctx, "tasks", reeve.Task{Payload: make([]byte, 1<<20+1)})
	}), []error{reeve.ErrTooLarge}, isLimit("payload")},
	{"nack with a negative delay", onLease(func(ctx context.Context, l *reeve.Lease) error {
		defer l.Ack(ctx)
		return l.Nack(ctx, -1, nil)
	}), []error{reeve.ErrInvalid}, nil},
	{"extend by too much", onLease(func(ctx context.Context, l *reeve.Lease) error {
		defer l.Ack(ctx)
		return l.Extend(ctx, 25*time.Hour)
	}), []error{reeve.ErrInvalid}, nil},
}

// onLease is a call with a lease of 10 s.
func onLease(f func(context.Context, *reeve.Lease) error) func(context.Context, *testing.T, func(string) reeve.Queue) error {
	return func(ctx context.Context, t *testing.T, q func(string) reeve.Queue) error {
		putOne(t, q("tasks"), "x")
		return f(ctx, get(t, q("tasks")))
	}
}

func declareForFailures(t *testing.T, m *managertest.Master) {
	t.Helper()
	m.Declare(t, "tasks", reeve.QueueConfig{Timeout: 10 * time.Second, Attempts: 1})
	m.Declare(t, "empty", reeve.QueueConfig{})
	putOne(t, m.Declare(t, "full", reeve.QueueConfig{MaxLen: 1}), "x")
	putOne(t, m.Declare(t, "refuses", reeve.QueueConfig{MaxLen: 1, Refuse: true}), "x")
	if err := m.Declare(t, "shut", reeve.QueueConfig{}).Shutdown(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}

func TestErrors_MeanTheSameOnBothSides(t *testing.T) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			managertest.Run(t, func(t *testing.T, m *managertest.Master) {
				declareForFailures(t, m)
				c := m.Dial(t)
				own := func(name string) reeve.Queue {
					q, err := m.Manager().Lookup(name)
					if err != nil {
						t.Fatal(err)
					}
					return q
				}
				for side, q := range map[string]func(string) reeve.Queue{"client": c.Queue, "master": own} {
					err := f.do(t.Context(), t, q)
					for _, want := range f.is {
						if !errors.Is(err, want) {
							t.Errorf("%s: %v, want %v", side, err, want)
						}
					}
					if f.as != nil && !f.as(err) {
						t.Errorf("%s: %v has not its details: %#v", side, err, err)
					}
				}
			}, manager.Config{MaxPayload: 1 << 20})
		})
	}
}

func TestUnknownQueue_IsNamedWithTheKnownOnesByEveryVerb(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		declareForFailures(t, m)
		ctx := t.Context()
		q := m.Dial(t).Queue("nope")
		verbs := map[string]func() error{
			"Put":      func() error { _, err := q.Put(ctx, []reeve.Task{{}}); return err },
			"PutMany":  func() error { _, err := q.Put(ctx, make([]reeve.Task, 3)); return err },
			"Get":      func() error { _, err := q.Get(ctx, 1); return err },
			"TryGet":   func() error { _, err := q.TryGet(ctx, 1); return err },
			"Consume":  func() error { _, err := q.Consume(ctx, 1); return err },
			"Stats":    func() error { _, err := q.Stats(ctx); return err },
			"Join":     func() error { return q.Join(ctx) },
			"Shutdown": func() error { return q.Shutdown(ctx, false) },
			"Dead":     func() error { _, err := q.Dead(ctx, 0, 1); return err },
		}
		for name, do := range verbs {
			if err := do(); !errors.Is(err, reeve.ErrNoSuchQueue) || !isMissing(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := m.Manager().Lookup("nope"); !isMissing(err) {
			t.Errorf("Lookup: %v", err)
		}
		if _, err := m.Manager().Queue("full", reeve.QueueConfig{MaxLen: 2}); !errors.Is(err, reeve.ErrQueueExists) {
			t.Errorf("a second declaration: %v", err)
		}
	})
}

func TestPanic_IsTheErrorOfItsRequestOnly(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		var bad atomic.Int64
		m.Manager().Spy(func(kind wire.Type) {
			if int64(kind) == bad.Load() {
				panic("as a bug would")
			}
		})
		ctx := t.Context()
		c, other := m.Dial(t).Queue("tasks"), m.Dial(t).Queue("tasks")
		putOne(t, c, "x")
		held := get(t, c)
		verbs := map[wire.Type]func() error{
			wire.TypePut:      func() error { _, err := c.Put(ctx, []reeve.Task{{}}); return err },
			wire.TypeGet:      func() error { _, err := c.TryGet(ctx, 1); return err },
			wire.TypeConsume:  func() error { _, err := c.Consume(ctx, 1); return err },
			wire.TypeStats:    func() error { _, err := c.Stats(ctx); return err },
			wire.TypeJoin:     func() error { return c.Join(ctx) },
			wire.TypeShutdown: func() error { return c.Shutdown(ctx, false) },
			wire.TypeDead:     func() error { _, err := c.Dead(ctx, 0, 1); return err },
			wire.TypeExtend:   func() error { return held.Extend(ctx, time.Minute) },
			wire.TypeNack:     func() error { return held.Nack(ctx, 0, nil) },
			wire.TypeBury:     func() error { return held.Bury(ctx, "") },
			wire.TypeComplete: func() error { return held.Complete(ctx, "tasks", reeve.Task{}) },
			wire.TypeAck:      func() error { return held.Ack(ctx) },
		}
		parked := make(chan error, 1)
		go func() { parked <- other.Join(ctx) }() // another's request, untouched by all this
		for kind, do := range verbs {
			settle()
			bad.Store(int64(kind))
			err := do()
			var remote *reeve.RemoteError
			if !errors.Is(err, reeve.ErrInternal) || !strings.Contains(err.Error(), "as a bug would") {
				t.Errorf("%v: %v", kind, err)
			} else if errors.As(err, &remote) && remote.Stack == "" {
				t.Errorf("%v: no stack from a master in debug mode", kind)
			}
			bad.Store(0)
			if _, err := c.Stats(ctx); err != nil {
				t.Errorf("the next request of the same client: %v", err)
			}
		}
		if err := held.Ack(ctx); err != nil {
			t.Errorf("the lease stands after all: %v", err)
		}
		if err := <-parked; err != nil {
			t.Error(err)
		}
		if n := m.Manager().Stats().Panics; n != uint64(len(verbs)) {
			t.Errorf("%d panics were counted", n)
		}
		if s := statsOf(t, q); s.Put != 1 || s.Done != 1 {
			t.Errorf("%+v", s)
		}
	}, manager.Config{Debug: true})
}

func TestPanic_AnswersAllRequestsOfItsMessage(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		var bad atomic.Bool
		m.Manager().Spy(func(wire.Type) {
			if bad.CompareAndSwap(true, false) {
				panic("once")
			}
		})
		r := enter(t, m)
		r.alive()
		bad.Store(true)
		first := r.req + 1
		puts := build(t, func(b *wire.Builder) error {
			for range 3 {
				if err := b.Put(r.next(), 1, "tasks", wire.FlagEach, []reeve.Task{{}}); err != nil {
					return err
				}
			}
			return nil
		})
		r.write(r.calls, puts)
		for i := range uint64(3) {
			if _, err := r.answer(first + i); !errors.Is(err, reeve.ErrInternal) {
				t.Errorf("request %d of the message: %v", i, err)
			}
		}
		r.alive()
	})
}
