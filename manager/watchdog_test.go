package manager_test

// A queue in which nothing moves although tasks are ready and consumers have
// free slots is reported, with what somebody needs to know who looks into it.

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

// notes is a slog.Handler that keeps warnings.
type notes struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (*notes) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (n *notes) WithAttrs([]slog.Attr) slog.Handler         { return n }
func (n *notes) WithGroup(string) slog.Handler              { return n }

func (n *notes) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool { b.WriteString(" " + a.String()); return true })
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, b.String())
	return nil
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	lines := n.lines
	n.lines = nil
	return lines
}

// silent fails the test if anything was logged.
func (n *notes) silent(t *testing.T, when string) {
	t.Helper()
	if lines := n.take(); len(lines) != 0 {
		t.Errorf("%s: %q", when, lines)
	}
}

// watched runs f with a master that looks for a standstill of a minute, and what
// it warns of.
func watched(t *testing.T, f func(t *testing.T, m *managertest.Master, log *notes)) {
	t.Helper()
	var log notes
	managertest.Run(t, func(t *testing.T, m *managertest.Master) { f(t, m, &log) },
		manager.Config{Watchdog: time.Minute, Logger: slog.New(&log)})
}

// suspects puts n tasks that were twice with a worker that died: they are
// handed over one at a time, and while one runs the others wait beside free
// slots.
func suspects(t *testing.T, m *managertest.Master, q reeve.Queue, n int) {
	t.Helper()
	put(t, q, n)
	for range 2 {
		c, cable := plug(t, m)
		consume(t, c.Queue(q.Name()), n)
		settle()
		cable.Kill()
		c.Close()
		settle()
	}
}

func TestWatchdog_ReportsAQueueInWhichNothingMoves(t *testing.T) {
	watched(t, func(t *testing.T, m *managertest.Master, log *notes) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 10})
		m.Declare(t, "other", reeve.QueueConfig{})
		suspects(t, m, q, 2)
		c := m.Dial(t)
		supply := consume(t, c.Queue("tasks"), 5)
		first := next(t, supply)
		time.Sleep(59 * time.Second)
		log.silent(t, "too early")
		time.Sleep(31 * time.Second)
		lines := log.take()
		if len(lines) != 1 {
			t.Fatalf("after a minute and a half: %q", lines)
		}
		for _, want := range []string{"nothing moves", "queue=tasks", "ready=1", "free_slots=4", "leased=1", "oldest=1m", "for=1m"} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("%q does not say %q", lines[0], want)
			}
		}
		time.Sleep(time.Minute)
		if lines := log.take(); len(lines) != 1 {
			t.Errorf("a minute later: %q", lines)
		}
		if n := m.Manager().Stats().Stalls; n != 2 {
			t.Errorf("%d were counted", n)
		}
		if err := first.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := next(t, supply).Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		log.silent(t, "with an empty queue")
	})
}

func TestWatchdog_IsSilentAboutBusyFullAndAbandonedQueues(t *testing.T) {
	watched(t, func(t *testing.T, m *managertest.Master, log *notes) {
		c := m.Dial(t)
		put(t, m.Declare(t, "abandoned", reeve.QueueConfig{}), 10)
		put(t, m.Declare(t, "busy", reeve.QueueConfig{}), 10)
		put(t, m.Declare(t, "slow", reeve.QueueConfig{}), 10)
		consume(t, c.Queue("busy"), 3) // all its slots are taken, for ever
		slow := consume(t, c.Queue("slow"), 1)
		m.Declare(t, "idle", reeve.QueueConfig{})
		consume(t, c.Queue("idle"), 3)
		for range 10 {
			l := next(t, slow)
			time.Sleep(50 * time.Second)
			if err := l.Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		log.silent(t, "in the end")
	})
}

func TestWatchdog_IsSilentAboutAQueueThatMovesSlowly(t *testing.T) {
	watched(t, func(t *testing.T, m *managertest.Master, log *notes) {
		const n = 20
		q := m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 10})
		suspects(t, m, q, n)
		supply := consume(t, m.Dial(t).Queue("tasks"), 5)
		for i := range n {
			l := next(t, supply)
			time.Sleep(25 * time.Second)
			if s := statsOf(t, q); s.Ready != n-1-i || s.FreeSlots != 4 {
				t.Fatalf("the test is wrong: %+v", s)
			}
			if err := l.Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		log.silent(t, "in the end")
	})
}

func TestWatchdog_IsSilentAboutWhatIsAsItsOperatorWantsIt(t *testing.T) {
	watched(t, func(t *testing.T, m *managertest.Master, log *notes) {
		c := m.Dial(t)
		now := time.Now().UTC()
		at := func(d time.Duration) time.Duration { // of the day, d from now
			return time.Duration((now.Hour()*60+now.Minute()+int(d.Minutes()))%(24*60)) * time.Minute
		}
		for name, cfg := range map[string]reeve.QueueConfig{
			"concurrency": {Concurrency: 1},
			"rate":        {Rate: reeve.Rate{Tasks: 1, Per: 24 * time.Hour}},
			"type":        {TypeConcurrency: map[string]int{"": 1}},
			"key":         {},
			"windows":     {Windows: []reeve.Window{{From: at(10 * time.Hour), To: at(11 * time.Hour), Zone: "UTC"}}},
			"paused":      {},
			"reserve":     {Reserve: reeve.Reserve{Slots: 4, Priority: 1}},
		} {
			q := m.Declare(t, name, cfg)
			if name == "paused" {
				if err := q.Pause(t.Context(), "to see"); err != nil {
					t.Fatal(err)
				}
			}
			for range 10 {
				putOne(t, q, "x", reeve.WithKey(map[bool]string{true: "k"}[name == "key"]))
			}
			consume(t, c.Queue(name), 5)
			settle()
			if s := statsOf(t, q); s.Ready < 9 || s.FreeSlots < 1 {
				t.Errorf("the test is wrong: %+v", s)
			}
		}
		time.Sleep(5 * time.Minute)
		log.silent(t, "in the end")
	})
}

func TestWatchdog_TellsThatNobodyHasAHandler(t *testing.T) {
	watched(t, func(t *testing.T, m *managertest.Master, log *notes) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		putOne(t, q, "x", reeve.WithType("strange"))
		if _, err := m.Dial(t).Queue("tasks").Consume(t.Context(), 5, reeve.ForTypes("usual")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		lines := log.take()
		if len(lines) == 0 || !strings.Contains(lines[0], `type "strange"`) {
			t.Errorf("%q", lines)
		}
	})
}
