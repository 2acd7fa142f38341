package queue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestDead_TellsWhy(t *testing.T) {
	t.Parallel()
	failed := func(err string) func(*testing.T, *queue.Queue, *client, reeve.Task) {
		return func(_ *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			c.nack(q, task, queue.NackOp{Error: err})
		}
	}
	timedOut := func(_ *testing.T, q *queue.Queue, c *client, task reeve.Task) {
		c.nack(q, task, queue.NackOp{TimedOut: true})
	}
	bury := func(err string) func(*testing.T, *queue.Queue, *client, reeve.Task) {
		return func(_ *testing.T, q *queue.Queue, c *client, task reeve.Task) {
			c.nack(q, task, queue.NackOp{Bury: true, Error: err})
		}
	}
	type step = func(*testing.T, *queue.Queue, *client, reeve.Task)
	for name, x := range map[string]struct {
		attempts int
		steps    []step
		reason   string
		err      string
	}{
		"failed":              {2, []step{failed("one"), failed("two\nmore")}, "2 attempts failed; last: two", "two\nmore"},
		"failed without text": {2, []step{failed(""), failed("")}, "2 attempts failed", ""},
		"last without text":   {2, []step{failed("one"), failed("")}, "2 attempts failed", "one"},
		"mixed":               {3, []step{failed("x"), timedOut, failed("y")}, "2 attempts failed, 1 timed out; last: y", "y"},
		"timed out":           {2, []step{timedOut, timedOut}, "2 attempts timed out", ""},
		"only attempt":        {1, []step{failed("x")}, "the only attempt failed; last: x", "x"},
		"only attempt, time":  {1, []step{timedOut}, "the only attempt timed out", ""},
		"buried":              {9, []step{bury("not for us\nat all")}, "not for us", "not for us\nat all"},
		"buried without text": {9, []step{failed("x"), bury("")}, "buried by its worker", "x"},
		"buried, long text":   {9, []step{bury(strings.Repeat("é", 200))}, strings.Repeat("é", 150), strings.Repeat("é", 200)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, e *queue.Engine) {
				q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: x.attempts}), newClient(e)
				c.put(q, "a")
				var last reeve.Task
				for _, do := range x.steps {
					last = c.take(t, q, 1)[0]
					do(t, q, c, last)
				}
				d := deadOf(q, 0, 10)
				if len(d) != 1 || d[0].Reason != x.reason || d[0].Error != x.err || d[0].Attempt != uint32(len(x.steps)) || d[0].DiedAt.IsZero() {
					t.Fatalf("%+v", d)
				}
				r := c.must(t, c.ack(q, last))
				if !errors.Is(r.err, reeve.ErrLeaseLost) || !strings.Contains(r.err.Error(), x.reason) {
					t.Fatalf("a late ack: %v", r.err)
				}
			})
		})
	}
}

func TestDead_ArePaged(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{Attempts: 1}), newClient(e)
		c.put(q, "a", "b", "c", "d")
		for _, task := range c.take(t, q, 4) {
			c.nack(q, task, queue.NackOp{})
		}
		for _, x := range []struct {
			skip, max int
			want      string
		}{{0, 2, "a b "}, {2, 9, "c d "}, {3, 1, "d "}, {4, 1, ""}, {0, 0, ""}} {
			got := ""
			for _, d := range deadOf(q, x.skip, x.max) {
				got += string(d.Payload) + " "
			}
			if got != x.want {
				t.Errorf("%d after %d: %q, want %q", x.max, x.skip, got, x.want)
			}
		}
	})
}

func TestErrorText_IsKeptAsFarAsThereIsRoom(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{MaxBytes: 30_000, Attempts: 1}), newClient(e)
		c.put(q, "a", "b", "c")
		long := strings.Repeat("x", 20_000)
		for _, task := range c.take(t, q, 3) {
			c.nack(q, task, queue.NackOp{Error: long, Stack: long})
		}
		d, s := deadOf(q, 0, 3), q.Stats()
		if s.Bytes > 30_000 {
			t.Fatalf("%d bytes kept", s.Bytes)
		}
		if len(d[0].Error) != reeve.MaxErrorText || len(d[0].Stack) != reeve.MaxErrorText || len(d[1].Error) != reeve.MaxErrorText {
			t.Fatalf("%d, %d, %d bytes of text", len(d[0].Error), len(d[0].Stack), len(d[1].Error))
		}
		if !strings.HasPrefix(d[2].Reason, "the only attempt failed") {
			t.Fatal(d[2].Reason)
		}
		c.fails(t, reeve.ErrQueueFull, c.putEach(q, true, strings.Repeat("y", 10_000))) // texts take room
	})
}

func TestStats_TellTheAgeOfTheOldestReadyTask(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
		age := func(want time.Duration) {
			t.Helper()
			if got := q.Stats().OldestReady; got != want {
				t.Fatalf("%v, want %v", got, want)
			}
		}
		age(0)
		sleep(time.Second)
		c.put(q, "a")
		sleep(time.Second)
		c.put(q, "b")
		sleep(time.Second)
		age(2 * time.Second)
		task := c.take(t, q, 1)[0]
		age(time.Second)
		c.nack(q, task, queue.NackOp{Returned: true}) // to the front, as old as it was
		age(2 * time.Second)
		c.nack(q, c.take(t, q, 1)[0], queue.NackOp{}) // to the end: it waits anew
		age(time.Second)
	})
}
