package manager_test

// A restart with a journal, whatever workers were doing: they are back, at work
// within seconds, and what they had begun is theirs still. Every test is run
// with masters that are killed, with power cuts, and with files.
//
//	revival_test.go         what workers were doing
//	revival_queue_test.go   what queues and tasks are after it
//	revival_client_test.go  what clients were asking for
//	revival_local_test.go   the master's own handles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/file"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/worker"
)

// revived runs f with masters whose journal survives, each time another one.
func revived(t *testing.T, f func(t *testing.T, m *managertest.Master)) {
	t.Helper()
	for name, open := range map[string]func(t *testing.T) func(journal.Journal) (journal.Journal, error){
		"killed": func(t *testing.T) func(journal.Journal) (journal.Journal, error) {
			return inMemory(t, journaltest.Kill())
		},
		"power cut": func(t *testing.T) func(journal.Journal) (journal.Journal, error) {
			return inMemory(t, journaltest.PowerCut())
		},
		"files": inFiles,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := usual
			cfg.Journal = managertest.Reopen(open(t))
			managertest.Run(t, f, cfg)
		})
	}
}

func inMemory(t *testing.T, how journaltest.CrashMode) func(journal.Journal) (journal.Journal, error) {
	return func(prev journal.Journal) (journal.Journal, error) {
		if prev == nil {
			return journaltest.NewMemory(journaltest.MemoryConfig{TB: t}), nil
		}
		return prev.(*journaltest.Memory).Crash(how), nil
	}
}

// inFiles keeps the journal in a directory, and another one after each kill:
// the files of a process that does not close them, but is gone.
func inFiles(t *testing.T) func(journal.Journal) (journal.Journal, error) {
	top, n := t.TempDir(), 0
	dir := func(i int) string { return filepath.Join(top, fmt.Sprint(i)) }
	return func(prev journal.Journal) (journal.Journal, error) {
		if prev != nil {
			if err := copyFiles(dir(n), dir(n+1)); err != nil {
				return nil, err
			}
			if err := prev.Close(); err != nil {
				return nil, err
			}
			n++
		}
		return file.Open(dir(n), file.Options{SegmentSize: 1 << 20})
	}
}

// copyFiles copies the files of a journal that nobody appends to. The reserve may
// come into being meanwhile.
func copyFiles(from, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, e.Name()), b, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ok is a handler that does nothing.
func ok(context.Context, *reeve.Task) ([]byte, error) { return nil, nil }

func TestRevival_WhileWorkersAreParked(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		for range 3 {
			w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: 2})
			w.HandleDefaultFunc(ok)
			runWorker(t, w)
		}
		for _, d := range []time.Duration{0, time.Second, 10 * time.Minute} {
			settle()
			checkFresh(t, m, outage(t, m, d))
		}
	})
}

func TestRevival_WhileAGetIsParked(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		c := m.Dial(t)
		for range 3 {
			got := make(chan *reeve.Lease, 1)
			go func() { got <- get(t, c.Queue("tasks")) }()
			settle()
			back := outage(t, m, time.Second)
			putOne(t, m.Dial(t).Queue("tasks"), "fresh")
			l := <-got
			soon(t, back, freshWithin, "a fresh task")
			if err := l.Ack(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestRevival_InTheMidstOfAHandshake(t *testing.T) {
	for _, at := range []int{0, 1, 100, 500, 700, 900, 1100} {
		revived(t, func(t *testing.T, m *managertest.Master) {
			m.Declare(t, "tasks", reeve.QueueConfig{})
			cable := newCable(m)
			cfg := m.ClientConfig()
			cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
				conn, err := cable.Dial(ctx, addr)
				if err == nil && cable.Made() == 2 {
					cable.Last().StallAfter(at)
				}
				return conn, err
			}
			c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1})
			w.HandleDefaultFunc(ok)
			r := runWorker(t, w)
			defer func() { r.stop(); <-r.err }()
			settle()
			m.Restart(t)
			time.Sleep(2 * time.Second) // the next handshake has begun
			checkFresh(t, m, outage(t, m, time.Second))
		})
	}
}

func TestRevival_WhatRunsGoesOnAndIsDoneOnce(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		const workers, slots, n = 3, 4, 20
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1, KeepResult: time.Hour})
		m.Declare(t, "results", reeve.QueueConfig{})
		var mu sync.Mutex
		ran := map[reeve.ID]int{}
		goOn := make(chan struct{})
		for range workers {
			w := worker.New(m.Dial(t).Queue("tasks"), worker.Config{Concurrency: slots, Results: "results"})
			w.HandleDefaultFunc(func(ctx context.Context, task *reeve.Task) ([]byte, error) {
				mu.Lock()
				ran[task.ID]++
				mu.Unlock()
				select {
				case <-goOn:
				case <-ctx.Done():
					t.Errorf("the handler of %v was told %v", task.ID, context.Cause(ctx))
				}
				return []byte("result"), nil
			})
			runWorker(t, w)
		}
		q := m.Dial(t).Queue("tasks")
		ids := put(t, q, n)
		settle() // the last that was recorded is a lease
		for _, d := range []time.Duration{0, time.Second, 20 * time.Second} {
			outage(t, m, d)
			time.Sleep(10 * time.Second) // they are back
			settle()
			if s := statsOf(t, q); s.Leased != workers*slots || s.Lost != 0 {
				t.Fatalf("after %v: %+v", d, s)
			}
		}
		close(goOn)
		if err := q.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			managertest.AssertState(t, m.Manager(), id, reeve.StateDone)
			if ran[id] != 1 {
				t.Errorf("%v ran %d times", id, ran[id])
			}
		}
		managertest.AssertReady(t, m.Dial(t).Queue("results"), n)
	})
}

func TestRevival_ALeaseThatWasNotRecordedIsClaimedAllTheSame(t *testing.T) {
	var o owners
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1, KeepResult: time.Hour})
		c := m.Dial(t)
		id := putOne(t, c.Queue("tasks"), "x")
		gate := o.now().Block(journaltest.OpAppend)
		defer gate.Open()
		runs, goOn := 0, make(chan struct{})
		w := worker.New(c.Queue("tasks"), worker.Config{})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
			runs++
			<-goOn
			return []byte("result"), nil
		})
		runWorker(t, w)
		settle()
		if runs != 1 {
			t.Fatal("it does not run")
		}
		outage(t, m, time.Second)
		time.Sleep(10 * time.Second)
		close(goOn)
		settle()
		managertest.AssertState(t, m.Manager(), id, reeve.StateDone)
		if s := statsOf(t, c.Queue("tasks")); runs != 1 || s.Done != 1 || s.Lost != 0 {
			t.Errorf("ran %d times: %+v", runs, s)
		}
	}, kept(t, &o))
}

func TestRevival_WhileALargeResultIsOnItsWay(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		const size = 10 << 20
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1})
		m.Declare(t, "results", reeve.QueueConfig{})
		c, cable := plug(t, m)
		runs := 0
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1, Results: "results"})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
			runs++
			return bytes.Repeat([]byte{byte(runs)}, size), nil
		})
		runWorker(t, w)
		cable.Last().StallAfter(size / 2)
		putOne(t, m.Dial(t).Queue("tasks"), "old")
		settle()
		if w.Stats().Unanswered != 1 {
			t.Fatalf("%+v", w.Stats())
		}
		checkFresh(t, m, outage(t, m, time.Second))
		results := m.Dial(t).Queue("results")
		for i := range 2 {
			l := get(t, results)
			if len(l.Payload) != size || l.Payload[size-1] != byte(i+1) {
				t.Errorf("a result of %d bytes", len(l.Payload))
			}
			if err := l.Ack(t.Context()); err != nil {
				t.Error(err)
			}
		}
		settle()
		if s := w.Stats(); runs != 2 || s.Unanswered != 0 || s.Done != 2 || s.Lost != 0 {
			t.Errorf("ran %d times: %+v", runs, s)
		}
	})
}

func TestRevival_WhileAWorkerDrains(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: 1})
		c := m.Dial(t)
		goOn := make(chan struct{})
		w := worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1, Prefetch: 1, Grace: time.Minute})
		w.HandleDefaultFunc(func(context.Context, *reeve.Task) ([]byte, error) {
			<-goOn
			return nil, nil
		})
		r := runWorker(t, w)
		put(t, m.Dial(t).Queue("tasks"), 2) // one is not begun, and given back
		settle()
		r.stop()
		settle()
		outage(t, m, time.Second)
		time.Sleep(4 * time.Second)
		close(goOn)
		if err := <-r.err; err != nil {
			t.Errorf("Run returned %v", err)
		}
		s := statsOf(t, c.Queue("tasks"))
		if s.Ready != 1 || s.Leased != 0 || s.Done != 1 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
		w = worker.New(c.Queue("tasks"), worker.Config{Concurrency: 1})
		w.HandleDefaultFunc(ok)
		runWorker(t, w)
		checkFresh(t, m, time.Now())
	})
}

func TestRevival_WhatAHolderHadThatDiedMeanwhileGoesOnAfterOneLease(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		const lease = 30 * time.Second
		m.Declare(t, "tasks", reeve.QueueConfig{Lease: lease})
		c, cable := plug(t, m)
		put(t, m.Dial(t).Queue("tasks"), 3)
		if _, err := c.Queue("tasks").Get(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		heir := consume(t, m.Dial(t).Queue("tasks"), 3)
		settle()
		m.Kill()
		cable.Kill()
		time.Sleep(time.Minute) // a master that is away takes nothing from anybody
		m.Restart(t)
		back := time.Now()
		for i := range 3 {
			l := next(t, heir)
			if string(l.Payload) != fmt.Sprint(i) || l.Attempt != 2 {
				t.Errorf("%q, attempt %d", l.Payload, l.Attempt)
			}
			if err := l.Ack(t.Context()); err != nil {
				t.Error(err)
			}
		}
		soon(t, back, lease+time.Second, "the redelivery")
		if took := time.Since(back); took < lease-time.Second {
			t.Errorf("tasks of a holder that might be alive were taken after %v", took)
		}
	})
}

// deadly takes a task from a queue and dies of it, while the master lives or
// while it is away.
func deadly(t *testing.T, m *managertest.Master, meanwhile bool) {
	t.Helper()
	c, cable := plug(t, m)
	ls, err := c.Queue("tasks").Get(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	has := false
	for _, l := range ls {
		has = has || string(l.Payload) == "poison"
	}
	if !has {
		t.Fatalf("it got %d tasks without the poison", len(ls))
	}
	settle()
	if meanwhile {
		m.Kill()
	}
	cable.Kill()
	settle()
	m.Restart(t)
	if meanwhile {
		time.Sleep(time.Minute)
	}
	settle()
}

func TestRevival_APoisonTaskDiesOfItsAttemptsAndAlone(t *testing.T) {
	revived(t, func(t *testing.T, m *managertest.Master) {
		const attempts = 4
		m.Declare(t, "tasks", reeve.QueueConfig{Attempts: attempts, Lease: 30 * time.Second})
		q := m.Dial(t).Queue("tasks")
		id := putOne(t, q, "poison", reeve.WithPriority(1))
		innocent := putOne(t, q, "innocent")
		for i := range attempts {
			managertest.AssertState(t, m.Manager(), id, reeve.StateReady)
			deadly(t, m, i%2 == 1)
		}
		managertest.AssertState(t, m.Manager(), id, reeve.StateDead)
		managertest.AssertState(t, m.Manager(), innocent, reeve.StateReady)
		m.Restart(t)
		info, err := m.Manager().Task(t.Context(), id)
		if err != nil || info.Reason != fmt.Sprintf("worker lost ×%d", attempts) || int(info.Counts.Lost) != attempts || len(info.History) != attempts {
			t.Errorf("%+v, %v", info, err)
		}
	})
}
