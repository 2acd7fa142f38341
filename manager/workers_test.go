package manager_test

// Who is connected, what they do, and how they are told to do something else.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

type control func(context.Context, reeve.Command) (*reeve.WorkerStatus, error)

// hire connects a client that takes tasks with these labels and carries out
// commands with do; nil: it takes none.
func hire(t *testing.T, m *managertest.Master, name string, do control, labels ...string) *proxy.Client {
	t.Helper()
	cfg := m.ClientConfig()
	cfg.Name, cfg.Control = name, do
	c, err := proxy.Dial(t.Context(), m.Addr(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Queue("tasks").Consume(t.Context(), 2, reeve.HavingLabels(labels...)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWorkers_ListsWhoIsThereAndWhatTheyDo(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		q := m.Declare(t, "tasks", reeve.QueueConfig{})
		idle := m.Dial(t)
		hire(t, m, "ann\x1b[2J\n", nil, "gpu")
		id := putOne(t, q, "x", reeve.WithType("a type"))
		settle()
		time.Sleep(time.Second)
		host, _ := os.Hostname()
		for where, op := range map[string]reeve.Operator{"client": idle, "master": m.Manager()} {
			ws := must(op.Workers(t.Context()))(t)
			if len(ws) != 2 || len(ws[1].Queues) != 0 {
				t.Fatalf("%s: %+v", where, ws)
			}
			w := ws[0]
			if w.Name != "ann[2J" || w.Host != host || w.PID != os.Getpid() || !strings.HasPrefix(w.Impl, "reeve-go") || w.Addr == "" || w.Since.IsZero() {
				t.Errorf("%s: %+v", where, w)
			}
			if w.Leased != 1 || len(w.Running) != 1 || w.Running[0].ID != id || w.Running[0].Type != "a type" || w.Running[0].Age < time.Second {
				t.Errorf("%s: %+v", where, w.Running)
			}
			if s := w.Queues[0]; s.Queue != "tasks" || s.Slots != 2 || s.Used != 1 || len(s.Labels) != 1 || s.Labels[0] != "gpu" || s.Types != nil {
				t.Errorf("%s: %+v", where, s)
			}
			i := must(op.Task(t.Context(), id))(t)
			if want := fmt.Sprintf("ann[2J@%s:%d#%d", host, os.Getpid(), w.ID); i.Worker != want {
				t.Errorf("%s: the task is with %q, want %q", where, i.Worker, want)
			}
		}
	})
}

func TestWorkers_OfManyClientsComeInPages(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		types := make([]string, 1000)
		for i := range types {
			types[i] = fmt.Sprint(i, strings.Repeat("x", 240))
		}
		const n = 12 // of 250 KiB each
		var op *proxy.Client
		for range n {
			op = m.Dial(t)
			if _, err := op.Queue("tasks").Consume(t.Context(), 1, reeve.ForTypes(types...)); err != nil {
				t.Fatal(err)
			}
		}
		ws := must(op.Workers(t.Context()))(t)
		if len(ws) != n {
			t.Fatalf("%d clients, want %d", len(ws), n)
		}
		for i, w := range ws {
			if i > 0 && w.ID <= ws[i-1].ID || len(w.Queues) != 1 || len(w.Queues[0].Types) != len(types) {
				t.Errorf("client %d: %d, %d queues", i, w.ID, len(w.Queues))
			}
		}
	})
}

func TestWorkers_OneThatHasMoreThanCanBeToldHidesNoOther(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		types := make([]string, reeve.MaxTypes)
		for i := range types {
			types[i] = fmt.Sprint(i, strings.Repeat("x", 240))
		}
		big, op := m.Dial(t), m.Dial(t)
		for range 20 { // of 250 KiB each
			if _, err := big.Queue("tasks").Consume(t.Context(), 1, reeve.ForTypes(types...)); err != nil {
				t.Fatal(err)
			}
		}
		consume(t, op.Queue("tasks"), 1)
		for where, from := range map[string]reeve.Operator{"client": op, "master": m.Manager()} {
			ws := must(from.Workers(t.Context()))(t)
			if len(ws) != 2 || len(ws[1].Queues) != 1 {
				t.Fatalf("%s: %d clients", where, len(ws))
			}
			if n := len(ws[0].Queues); n < 1 || n > 4 {
				t.Errorf("%s: %d supplies are told", where, n)
			}
		}
	}, manager.Config{MaxPayload: 1 << 10})
}

func TestCommand_GoesToThoseMeantAndGathersTheirAnswers(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		var asked atomic.Int64
		hire(t, m, "a", func(_ context.Context, c reeve.Command) (*reeve.WorkerStatus, error) {
			asked.Add(1)
			return &reeve.WorkerStatus{Concurrency: c.Concurrency, Goroutines: 7}, nil
		}, "gpu", "big")
		hire(t, m, "b", func(context.Context, reeve.Command) (*reeve.WorkerStatus, error) {
			return nil, errors.New("not today")
		}, "big")
		hire(t, m, "deaf", nil, "gpu")
		hire(t, m, "slow", func(ctx context.Context, _ reeve.Command) (*reeve.WorkerStatus, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, "slow")
		for where, op := range map[string]reeve.Operator{"client": m.Dial(t), "master": m.Manager()} {
			ids := map[string]uint64{}
			for _, w := range must(op.Workers(t.Context()))(t) {
				ids[w.Name] = w.ID
			}
			tell := func(c reeve.Command, d time.Duration, to reeve.WorkerSelector) []reeve.Report {
				t.Helper()
				return must(op.Command(t.Context(), to, c, d))(t)
			}
			five := reeve.Command{Do: reeve.CommandConcurrency, Concurrency: 5}
			rs := tell(five, 0, reeve.WorkerSelector{Labels: []string{"big"}})
			if len(rs) != 2 || rs[0].Status == nil || rs[0].Status.Concurrency != 5 || rs[0].Status.Goroutines != 7 || rs[0].ID != ids["a"] ||
				!strings.HasPrefix(rs[0].Worker, "a@") || rs[1].Error != "not today" || rs[1].Status != nil {
				t.Errorf("%s: %+v", where, rs)
			}
			// Who takes no commands is not meant by its labels, but by its number.
			if rs := tell(five, 0, reeve.WorkerSelector{Labels: []string{"gpu"}}); len(rs) != 1 || rs[0].ID != ids["a"] {
				t.Errorf("%s: %+v", where, rs)
			}
			rs = tell(five, 0, reeve.WorkerSelector{IDs: []uint64{999, ids["deaf"]}})
			if len(rs) != 2 || !strings.Contains(rs[0].Error, "no commands") || !strings.Contains(rs[1].Error, "no such worker") || rs[1].ID != 999 {
				t.Errorf("%s: %+v", where, rs)
			}
			if rs := tell(five, 0, reeve.WorkerSelector{Labels: []string{"nobody"}}); len(rs) != 0 {
				t.Errorf("%s: %+v", where, rs)
			}
			start := time.Now()
			rs = tell(reeve.Command{Do: reeve.CommandReport}, 0, reeve.WorkerSelector{Labels: []string{"slow"}})
			if took := time.Since(start); len(rs) != 1 || !strings.Contains(rs[0].Error, "5s") || took != 5*time.Second {
				t.Errorf("%s: after %v: %+v", where, took, rs)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := op.Command(ctx, reeve.WorkerSelector{Labels: []string{"slow"}}, reeve.Command{Do: reeve.CommandReport}, time.Minute)
			cancel()
			wantErr(t, where+": given up", err, context.DeadlineExceeded)
			for _, bad := range []reeve.Command{{}, {Do: "explode"}, {Do: reeve.CommandConcurrency}} {
				_, err := op.Command(t.Context(), reeve.WorkerSelector{}, bad, 0)
				wantErr(t, where+": "+string(bad.Do), err, reeve.ErrInvalid)
			}
			_, err = op.Command(t.Context(), reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandReport}, time.Hour)
			wantErr(t, where+": an hour", err, reeve.ErrInvalid)
		}
		if n := asked.Load(); n != 4 {
			t.Errorf("it was asked %d times", n)
		}
	})
}

func TestCommand_OfAWorkerThatDiesEnds(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		cable := newCable(m)
		cfg := m.ClientConfig()
		cfg.Dialer = cable.Dial
		cfg.Control = func(ctx context.Context, _ reeve.Command) (*reeve.WorkerStatus, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		c := must(proxy.Dial(t.Context(), m.Addr(), cfg))(t)
		defer c.Close()
		answer := make(chan []reeve.Report, 1)
		go func() {
			rs, _ := m.Manager().Command(t.Context(), reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandDrain}, time.Minute)
			answer <- rs
		}()
		settle()
		start := time.Now()
		cable.Kill()
		if rs := <-answer; len(rs) != 1 || !strings.Contains(rs[0].Error, "not connected") {
			t.Errorf("%+v", rs)
		}
		soon(t, start, time.Second, "to learn that a worker has gone")
	})
}

// A client that never answers costs the master a bounded number of notes, and a
// client that asks for too much is told so.
func TestCommand_UnansweredAreBounded(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		r := enter(t, m, func(h *wire.Hello) { h.Commands = true })
		done := make(chan []reeve.Report, 10)
		tell := func(op reeve.Operator) {
			rs, err := op.Command(t.Context(), reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandReport}, time.Second)
			if err != nil {
				rs = []reeve.Report{{Error: err.Error()}}
			}
			done <- rs
		}
		for range 3 {
			go tell(m.Manager())
			settle()
		}
		if rs := <-done; len(rs) != 1 || !strings.Contains(rs[0].Error, "MaxCommands") {
			t.Errorf("the third: %+v", rs)
		}
		for range 2 {
			if rs := <-done; !strings.Contains(rs[0].Error, "no answer within 1s") {
				t.Errorf("%+v", rs)
			}
		}
		// What was given up makes room; a late or made up answer harms nobody.
		for seq := range uint64(5) {
			r.write(r.control, encode(t, wire.Report{Seq: seq, Error: "late"}))
		}
		settle()
		go tell(m.Manager())
		settle()
		var c wire.Command
		for c.Seq < 3 {
			r.read(r.said, wire.TypeCommand, &c)
		}
		r.write(r.control, encode(t, wire.Report{Seq: c.Seq, Error: strings.Repeat("\n no", 10_000)}))
		if rs := <-done; len(rs) != 1 || !strings.HasPrefix(rs[0].Error, " no") || len(rs[0].Error) > 512 {
			t.Errorf("%+v", rs)
		}

		op := m.Dial(t)
		for range 3 {
			go tell(op)
			settle()
		}
		if rs := <-done; len(rs) != 1 || !strings.Contains(rs[0].Error, "MaxCommands") {
			t.Errorf("the third asked for: %+v", rs)
		}
		<-done
		<-done
		r.alive()
	}, manager.Config{MaxCommands: 2})
}

func TestCommand_SecondWaitsForTheFirst(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Declare(t, "tasks", reeve.QueueConfig{})
		var running, most atomic.Int64
		hire(t, m, "w", func(context.Context, reeve.Command) (*reeve.WorkerStatus, error) {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Second)
			running.Add(-1)
			return nil, nil
		})
		start, done := time.Now(), make(chan error, 20)
		for range 20 {
			go func() {
				rs, err := m.Manager().Command(t.Context(), reeve.WorkerSelector{}, reeve.Command{Do: reeve.CommandReport}, time.Minute)
				if err == nil && rs[0].Error != "" {
					err = errors.New(rs[0].Error)
				}
				done <- err
			}()
		}
		refused := 0
		for range 20 {
			if err := <-done; err != nil {
				refused++
			}
		}
		// 16 may wait; whether the first has begun by then is up to the scheduler.
		took := time.Since(start)
		if most.Load() != 1 || refused < 3 || refused > 4 || took != time.Duration(20-refused)*time.Second {
			t.Errorf("%d at a time, %d refused, in %v", most.Load(), refused, took)
		}
	})
}
