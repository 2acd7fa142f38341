package queue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
)

func TestDeclare_NamesTheFieldThatIsOutOfRange(t *testing.T) {
	t.Parallel()
	e := queue.New(queue.Config{})
	defer e.Close()
	for field, cfg := range map[string]reeve.QueueConfig{
		"QueueConfig.MaxLen is -1":           {MaxLen: -1},
		"QueueConfig.MaxBytes is 255":        {MaxBytes: 255},
		"QueueConfig.MaxBytes is -2":         {MaxBytes: -2},
		"QueueConfig.Lease is 99ms":          {Lease: 99 * time.Millisecond},
		"QueueConfig.Lease is 24h0m0.000000": {Lease: 24*time.Hour + 1},
		"QueueConfig.Lease is -1":            {Lease: -1},
		"QueueConfig.Timeout is -1ns":        {Timeout: -1},
		"QueueConfig.Timeout is 2562047h":    {Timeout: 1<<63 - 1}, // would overflow the clock
		"QueueConfig.Attempts is -1":         {Attempts: -1},
		"QueueConfig.Attempts is 1000001":    {Attempts: 1_000_001},
	} {
		_, err := e.Declare("q", cfg)
		if !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), `"q"`) {
			t.Errorf("%+v: %v, want %s", cfg, err, field)
		}
	}
	for _, name := range []string{"", strings.Repeat("n", 256), "a\nb", "a\x00", "a\xffb", "\u200e"} {
		if _, err := e.Declare(name, reeve.QueueConfig{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for _, name := range []string{"q", strings.Repeat("n", 255), "größe/α 1"} {
		if _, err := e.Declare(name, reeve.QueueConfig{MaxBytes: 256, Lease: 100 * time.Millisecond, Attempts: 1_000_000}); err != nil {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestDeclare_AgainIsTheSameQueueOrAnError(t *testing.T) {
	t.Parallel()
	e := queue.New(queue.Config{})
	defer e.Close()
	if e.ShortestLease() != 0 {
		t.Fatal("a lease without queues")
	}
	a := declare(t, e, "a", reeve.QueueConfig{})
	same := declare(t, e, "a", reeve.QueueConfig{MaxBytes: reeve.DefaultMaxBytes, Lease: reeve.DefaultLease, Attempts: reeve.DefaultAttempts})
	if same != a {
		t.Fatal("equal configurations gave two queues")
	}
	if _, err := e.Declare("a", reeve.QueueConfig{MaxLen: 1}); !errors.Is(err, reeve.ErrQueueExists) {
		t.Fatal(err)
	}
	b := declare(t, e, "b", reeve.QueueConfig{MaxBytes: reeve.NoLimit, Lease: time.Second})
	if c := b.Config(); c.MaxBytes != reeve.NoLimit || c.Attempts != reeve.DefaultAttempts {
		t.Fatalf("%+v", c)
	}
	if e.ShortestLease() != time.Second {
		t.Fatal(e.ShortestLease())
	}
	if got, err := e.Lookup("b"); got != b || err != nil {
		t.Fatal(err)
	}
	_, err := e.Lookup("c")
	var none *reeve.NoSuchQueueError
	if !errors.As(err, &none) || strings.Join(none.Known, " ") != "a b" {
		t.Fatal(err)
	}
	if s := e.Stats(); len(s) != 2 || s[1].Name != "b" || s[1].MaxBytes != reeve.NoLimit {
		t.Fatalf("%+v", s)
	}
}

func TestIDs_GrowAndAreNotGivenOutAgainByTheNextEngine(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, e *queue.Engine) {
		last := reeve.ID(0)
		for range 3 { // restarts, all within one second
			e := queue.New(queue.Config{})
			q, c := declare(t, e, "q", reeve.QueueConfig{}), newClient(e)
			for range 10 {
				r := c.must(t, c.put(q, "a", "b", "c"))
				if r.first <= last {
					t.Fatalf("id %v after %v", r.first, last)
				}
				last = r.first + 2
			}
			e.Close()
			sleep(time.Millisecond)
		}
	})
}
