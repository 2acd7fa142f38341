package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// crew are those who know masters only by their address. None of them ever
// begins anew, and none is told of an error.
type crew struct {
	t       *testing.T
	addr    string
	key     auth.Key
	seed    uint64
	book    book
	number  atomic.Uint64 // of tasks
	workers []*worker.Worker
	labels  []string

	enough    chan struct{} // closed when nothing more is to be put
	producing sync.WaitGroup
	over      context.CancelFunc // ends those who take
	taking    sync.WaitGroup
}

func newCrew(t *testing.T, addr string, seed uint64) *crew {
	t.Helper()
	key, err := auth.ParseKey([]byte(killKey))
	if err != nil {
		t.Fatal(err)
	}
	return &crew{t: t, addr: addr, key: key, seed: seed, book: newBook(t), enough: make(chan struct{})}
}

// dial connects a client that is soon back: masters do not live long. Where one
// dies in the midst of a handshake it may have been none, and the client waits
// for a second or more.
func (c *crew) dial() *proxy.Client {
	c.t.Helper()
	client, err := proxy.Dial(c.t.Context(), c.addr, proxy.Config{
		AuthKey: c.key, MinBackoff: 5 * time.Millisecond, MaxBackoff: 30 * time.Millisecond,
		OnState: func(s proxy.State) {
			if _, rejected := errors.AsType[*auth.RejectedError](s.Err); rejected {
				c.t.Errorf("the next master does not take the key: %v", s.Err)
			}
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { client.Close() })
	return client
}

// begin starts everybody.
func (c *crew) begin() {
	ctx, over := context.WithCancel(context.Background())
	c.over = over
	c.t.Cleanup(func() {
		over()
		c.stopProducers()
		c.producing.Wait()
		c.taking.Wait()
	})
	for i := range 3 {
		client := c.dial()
		c.producing.Go(func() { c.produce(client.Queue("tasks"), rand.New(rand.NewPCG(c.seed, uint64(i)+1))) })
	}
	for i := range 3 {
		label := fmt.Sprint("worker ", i)
		w := worker.New(c.dial().Queue("tasks"), worker.Config{Concurrency: 8, Prefetch: i * 8, Results: "results", Labels: []string{label}})
		w.HandleDefaultFunc(c.handle)
		c.workers, c.labels = append(c.workers, w), append(c.labels, label)
		c.taking.Go(func() {
			if err := w.Run(ctx); err != nil {
				c.t.Errorf("%s: Run: %v", label, err)
			}
		})
	}
	hands := c.dial()
	c.taking.Go(func() { c.work(ctx, hands.Queue("tasks")) })
	for range 2 {
		client := c.dial()
		c.taking.Go(func() { c.collect(ctx, client.Queue("results")) })
	}
}

func (c *crew) stopProducers() {
	select {
	case <-c.enough:
	default:
		close(c.enough)
	}
}

// value is what a task is to have as its result. In every other respect tasks
// are as the demo of the program worker has them.
func (c *crew) value(d *rand.Rand) string {
	v := fmt.Sprint(c.number.Add(1))
	switch n := d.IntN(400); {
	case n == 0:
		v += strings.Repeat(" ", 90<<10) + "." // on a stream of its own
	case n < 100:
		v += strings.Repeat(" ", d.IntN(1000)) + "."
	}
	return v
}

// produce puts tasks until it is enough, and waits for the answer of each Put.
func (c *crew) produce(q reeve.Queue, d *rand.Rand) {
	for {
		select {
		case <-c.enough:
			return
		default:
		}
		var tasks []reeve.Task
		var values []string
		for range 1 + d.IntN(16) {
			values = append(values, c.value(d))
			task := reeve.Task{Payload: []byte("echo " + values[len(values)-1]), Priority: int32(d.IntN(3))}
			if d.IntN(8) == 0 {
				task.Delay = time.Duration(d.IntN(50)) * time.Millisecond
			}
			if d.IntN(8) == 0 {
				task.Rules = &reeve.Rules{Key: fmt.Sprint("key ", d.IntN(20))}
			}
			tasks = append(tasks, task)
		}
		ids, err := q.Put(context.Background(), tasks)
		if err != nil || len(ids) != len(tasks) {
			c.t.Errorf("Put: %d ids for %d tasks, %v", len(ids), len(tasks), err)
			return
		}
		c.book.wasPut(ids, values)
	}
}

// handle is what the demo of the program worker does. Some tasks take a while,
// and some fail at first.
func (c *crew) handle(ctx context.Context, t *reeve.Task) ([]byte, error) {
	c.book.began(t.ID)
	switch {
	case t.ID%37 == 0 && t.Attempt == 1:
		c.book.fails()
		return nil, errors.New("no luck")
	case t.ID%50 == 0:
		select {
		case <-time.After(time.Duration(t.ID%100) * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return t.Payload[len("echo "):], nil
}

// work is a worker that does everything by hand, and is told what became of it.
func (c *crew) work(ctx context.Context, q reeve.Queue) {
	c.each(ctx, q, 8, func(l *reeve.Lease) error {
		c.book.began(l.ID)
		err := l.Complete(context.WithoutCancel(ctx), "results", reeve.Task{Payload: l.Payload[len("echo "):]})
		if err == nil {
			c.book.hasEnded(l.ID)
		}
		return err
	})
}

// collect takes results.
func (c *crew) collect(ctx context.Context, q reeve.Queue) {
	c.each(ctx, q, 64, func(l *reeve.Lease) error {
		c.book.got(l.ID)
		err := l.Ack(context.WithoutCancel(ctx))
		if err == nil {
			c.book.accepted(l)
		}
		return err
	})
}

// each has end end all that can be had, up to n at a time. A lease that is lost
// comes again.
func (c *crew) each(ctx context.Context, q reeve.Queue, n int, end func(l *reeve.Lease) error) {
	for {
		leases, err := q.Get(ctx, n)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.t.Errorf("Get: %v", err)
			return
		}
		var ends sync.WaitGroup
		for _, l := range leases {
			ends.Go(func() {
				switch err := end(l); {
				case err == nil:
				case errors.Is(err, reeve.ErrLeaseLost):
					c.book.isLost()
				default:
					c.t.Errorf("the end of %v/%d: %v", l.ID, l.Attempt, err)
				}
			})
		}
		ends.Wait()
	}
}

// progress waits until more was put and more was done.
func (c *crew) progress() {
	c.t.Helper()
	puts, results, more := c.book.count()
	late := time.After(patience)
	for {
		select {
		case <-more:
		case <-late:
			c.t.Fatalf("no progress: %v", &c.book)
		}
		var p, r int
		if p, r, more = c.book.count(); p > puts && r > results {
			return
		}
	}
}

// finish has everything done that was put, and a task by each of the workers,
// including one in a process of its own.
func (c *crew) finish(label string) {
	c.t.Helper()
	ctx, end := context.WithTimeout(context.Background(), patience)
	defer end()
	q := c.dial().Queue("tasks")
	d := rand.New(rand.NewPCG(c.seed, 0))
	for _, label := range append(c.labels, label) {
		value := c.value(d)
		ids, err := q.Put(ctx, []reeve.Task{{Payload: []byte("echo " + value)}}, reeve.WithLabels(label))
		if err != nil {
			c.t.Errorf("Put: %v", err)
			continue
		}
		c.book.wasPut(ids, []string{value})
	}
	c.stopProducers()
	c.producing.Wait()
	for _, name := range []string{"tasks", "results"} {
		if err := c.dial().Queue(name).Join(ctx); err != nil {
			c.t.Errorf("queue %s is not drained: %v: %v", name, err, &c.book)
		}
		s, err := c.dial().Queue(name).Stats(ctx)
		if err != nil || s.Ready+s.Delayed+s.Leased+s.Dead != 0 {
			c.t.Errorf("in the end: %+v, %v", s, err)
		}
	}
	c.over()
	c.taking.Wait()
}

// verdict is about all that was told.
func (c *crew) verdict() { c.book.judge() }
