package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/batch"
	"github.com/reeveq/reeve/manager"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a master with the two queues, in this process.
type bench struct {
	t              *testing.T
	m              *manager.Master
	tasks, results reeve.Queue
	dead           []string
}

func newBench(t *testing.T, tasks reeve.QueueConfig) *bench {
	t.Helper()
	key, _, err := auth.GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	m, err := manager.New(manager.Config{AuthKey: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	b := &bench{t: t, m: m}
	for name, dest := range map[string]*reeve.Queue{"tasks": &b.tasks, "results": &b.results} {
		cfg := reeve.QueueConfig{}
		if name == "tasks" {
			cfg = tasks
		}
		if *dest, err = m.Queue(name, cfg); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *bench) config(in io.Reader, out io.Writer) batch.Config {
	return batch.Config{Tasks: b.tasks, Results: b.results, Operator: b.m, Input: in, Output: out,
		OnDead: func(d batch.DeadLine) { b.dead = append(b.dead, fmt.Sprintf("%d %s", d.Line, d.Reason)) }}
}

// work answers each task until the test ends. do ends the lease.
func (b *bench) work(do func(context.Context, *reeve.Lease) error) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			leases, err := b.tasks.Get(ctx, 16)
			if err != nil {
				return
			}
			for _, l := range leases {
				if err := do(ctx, l); err != nil && ctx.Err() == nil {
					b.t.Errorf("task %q: %v", l.Payload, err)
				}
			}
		}
	})
	b.t.Cleanup(func() { cancel(); wg.Wait() })
}

func echo(ctx context.Context, l *reeve.Lease) error {
	return l.Complete(ctx, "results", reeve.Task{Payload: l.Payload})
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d\n", i)
	}
	return b.String()
}

func TestRun_WritesEveryLineOnceInAnyOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	for range 3 {
		b.work(echo)
	}
	var out bytes.Buffer
	in := lines(20000)
	n, err := batch.Run(t.Context(), b.config(strings.NewReader(in), &out))
	if err != nil || n.Lines != 20000 || n.Done != 20000 || n.Dead != 0 || n.Foreign != 0 || n.ReadSize != int64(len(in)) || n.DoneSize != n.ReadSize {
		t.Fatalf("%+v, %v", n, err)
	}
	got, want := strings.Split(out.String(), "\n"), strings.Split(in, "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatal("the lines are not those of the input")
	}
	s, err := b.results.Stats(t.Context())
	if err != nil || s.Unsettled() != 0 || s.Done != 20000 {
		t.Fatalf("results left: %+v, %v", s, err)
	}
}

func TestRun_OrderedHoldsBackWhatComesEarlyWithinTheWindow(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	var mu sync.Mutex
	var first *reeve.Lease
	answered := 0
	const window = 50
	b.work(func(ctx context.Context, l *reeve.Lease) error {
		mu.Lock()
		defer mu.Unlock()
		if string(l.Payload) == "0" {
			first = l
			return nil
		}
		answered++
		if answered == window-1 { // all that may be under way beside the first
			if err := echo(ctx, first); err != nil {
				return err
			}
		}
		return echo(ctx, l)
	})
	var out bytes.Buffer
	cfg := b.config(strings.NewReader(lines(500)), &out)
	cfg.Ordered, cfg.Window = true, window
	if n, err := batch.Run(t.Context(), cfg); err != nil || n.Done != 500 || n.Held != 0 {
		t.Fatalf("%+v, %v", n, err)
	}
	if out.String() != lines(500) {
		t.Fatal("the order is not that of the input")
	}
}

func TestRun_DeadAndOverlongLinesAreToldWithTheirNumber(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{Attempts: 1})
	b.work(func(ctx context.Context, l *reeve.Lease) error {
		if string(l.Payload) == "1" {
			return l.Nack(ctx, 0, errors.New("does\nnot work"))
		}
		return echo(ctx, l)
	})
	var out bytes.Buffer
	cfg := b.config(strings.NewReader("0\n1\n"+strings.Repeat("x", 200000)+"\r\n12345\r\n123456\n3"), &out)
	cfg.Ordered, cfg.MaxLine = true, 5
	n, err := batch.Run(t.Context(), cfg)
	if err != nil || n.Lines != 6 || n.Done != 3 || n.Dead != 3 {
		t.Fatalf("%+v, %v", n, err)
	}
	slices.Sort(b.dead)
	if len(b.dead) != 3 || !strings.HasPrefix(b.dead[0], "2 ") || !strings.Contains(b.dead[0], "does not work") ||
		!strings.HasPrefix(b.dead[1], "3 reeve: too large: line bytes 200002, limit 5") || !strings.HasPrefix(b.dead[2], "5 reeve: too large") {
		t.Errorf("dead: %q", b.dead)
	}
	if out.String() != "0\n12345\n3\n" {
		t.Errorf("%q", out.String())
	}
}

func TestRun_ALineTheQueueCannotTakeIsDeadAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{MaxBytes: 4096})
	b.work(echo)
	var out bytes.Buffer
	n, err := batch.Run(t.Context(), b.config(strings.NewReader("a\n"+strings.Repeat("x", 5000)+"\nb\n"), &out))
	if err != nil || n.Done != 2 || n.Dead != 1 || !strings.Contains(b.dead[0], "max-bytes") {
		t.Fatalf("%+v, %v, %q", n, err, b.dead)
	}
}

func TestRun_AQueueFullOfDeadTasksEndsItWithAnError(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{MaxBytes: 64 << 10, Attempts: 1})
	b.work(func(ctx context.Context, l *reeve.Lease) error { return l.Bury(ctx, "no") })
	in := strings.Repeat(strings.Repeat("x", 2000)+"\n", 200)
	_, err := batch.Run(t.Context(), b.config(strings.NewReader(in), io.Discard))
	if err == nil || !strings.Contains(err.Error(), `queue "tasks" is full of dead tasks`) {
		t.Fatalf("%v", err)
	}
}

// fullFor is a queue whose master finds no space for the first few puts.
type fullFor struct {
	reeve.Queue
	puts atomic.Int64
}

func (q *fullFor) Put(ctx context.Context, ts []reeve.Task, opts ...reeve.PutOption) ([]reeve.ID, error) {
	if q.puts.Add(-1) >= 0 {
		return nil, fmt.Errorf("%w in x", reeve.ErrJournalFull)
	}
	return q.Queue.Put(ctx, ts, opts...)
}

func TestRun_AFullDiskIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	b.work(echo)
	cfg := b.config(strings.NewReader(lines(10)), io.Discard)
	full := &fullFor{Queue: cfg.Tasks}
	full.puts.Store(3)
	cfg.Tasks = full
	if n, err := batch.Run(t.Context(), cfg); err != nil || n.Done != 10 || n.Dead != 0 {
		t.Fatalf("%+v, %v", n, err)
	}
}

func TestRun_ResultsOfOthersAreNotWritten(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	if _, err := b.results.Put(t.Context(), []reeve.Task{{Payload: []byte("foreign")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.tasks.Put(t.Context(), []reeve.Task{{Payload: []byte("foreign task")}}); err != nil {
		t.Fatal(err)
	}
	b.work(echo)
	var out bytes.Buffer
	n, err := batch.Run(t.Context(), b.config(strings.NewReader("a\nb\n"), &out))
	if err != nil || n.Done != 2 || strings.Contains(out.String(), "foreign") {
		t.Fatalf("%+v, %v, %q", n, err, out.String())
	}
}

func TestRun_LinesSettledWithoutAResultAreDead(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	b.work(func(ctx context.Context, l *reeve.Lease) error {
		if string(l.Payload) == "b" {
			return l.Ack(ctx)
		}
		return echo(ctx, l)
	})
	var out bytes.Buffer
	cfg := b.config(strings.NewReader("a\nb\nc\n"), &out)
	cfg.Ordered, cfg.Window = true, 1
	n, err := batch.Run(t.Context(), cfg)
	if err != nil || n.Done != 2 || n.Dead != 1 || out.String() != "a\nc\n" || !strings.HasPrefix(b.dead[0], "2 ended without a result") {
		t.Fatalf("%+v, %v, %q, %q", n, err, out.String(), b.dead)
	}
}

func TestRun_ALineIsPutBeforeTheNextHasCome(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	b.work(echo)
	in, feed := io.Pipe()
	read, out := io.Pipe()
	done := make(chan error, 1)
	go func() { _, err := batch.Run(t.Context(), b.config(in, out)); done <- err }()
	buf := make([]byte, 10)
	for _, line := range []string{"one\n", "two\n"} {
		if _, err := io.WriteString(feed, line); err != nil {
			t.Fatal(err)
		}
		if n, err := read.Read(buf); err != nil || string(buf[:n]) != line {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	}
	feed.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

var errBroken = errors.New("broken")

type failingWriter struct{ after, lines int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.after -= len(p); w.after < 0 {
		return 0, errBroken
	}
	w.lines += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

func TestRun_AnOutputThatFailsEndsItAndLosesNoResult(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	b.work(echo)
	out := &failingWriter{after: 50000}
	n, err := batch.Run(t.Context(), b.config(strings.NewReader(lines(100000)), out))
	if _, ok := errors.AsType[*batch.OutputError](err); !ok || !errors.Is(err, errBroken) {
		t.Fatalf("%+v, %v", n, err)
	}
	s, err := b.results.Stats(t.Context())
	if err != nil || s.Leased != 0 || s.Done > 50000 {
		t.Fatalf("acked what was not written, or kept it: %+v, %v", s, err)
	}
	if n.Done > int64(out.lines) {
		t.Errorf("%d done, %d written", n.Done, out.lines)
	}
}

func TestRun_AnInputThatFailsIsRunSoFar(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	b.work(echo)
	var out bytes.Buffer
	in := io.MultiReader(strings.NewReader("a\nb\nc"), iotestErr{})
	n, err := batch.Run(t.Context(), b.config(in, &out))
	input, ok := errors.AsType[*batch.InputError](err)
	if !ok || input.Line != 2 || !errors.Is(err, errBroken) || n.Done != 2 || out.Len() != 4 {
		t.Fatalf("%+v, %v, %q", n, err, out.String())
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errBroken }

func TestRun_StoppedItLetsFinishWhatWasBegun(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	ctx, stop := context.WithCancel(t.Context())
	var out bytes.Buffer
	cfg := b.config(strings.NewReader(lines(1000)), &out)
	cfg.Grace = time.Hour
	done := make(chan error, 1)
	go func() { _, err := batch.Run(ctx, cfg); done <- err }()
	leases, err := b.tasks.Get(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	// What nobody has begun is dropped.
	for s := (reeve.QueueStats{Ready: 1}); s.Ready > 0; {
		if s, err = b.tasks.Stats(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := echo(t.Context(), leases[0]); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, batch.ErrStopped) || out.String() != "0\n" {
		t.Fatalf("%v, %q", err, out.String())
	}
}

func TestRun_StoppedAtTheLastLineItIsDone(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	ctx, stop := context.WithCancel(t.Context())
	var out bytes.Buffer
	cfg := b.config(strings.NewReader("a\n"), &out)
	cfg.Grace = time.Hour
	read := make(chan struct{})
	told := sync.OnceFunc(func() { close(read) })
	cfg.OnProgress = func(n batch.Numbers) {
		if n.ReadAll {
			told()
		}
	}
	done := make(chan error, 1)
	go func() { _, err := batch.Run(ctx, cfg); done <- err }()
	leases, err := b.tasks.Get(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	<-read
	stop()
	if err := echo(t.Context(), leases[0]); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || out.String() != "a\n" {
		t.Fatalf("%v, %q", err, out.String())
	}
}

func TestRun_StoppedItDoesNotWaitLongerThanGrace(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	ctx, stop := context.WithCancel(t.Context())
	cfg := b.config(strings.NewReader("a\n"), io.Discard)
	cfg.Grace = time.Millisecond
	done := make(chan error, 1)
	go func() { _, err := batch.Run(ctx, cfg); done <- err }()
	if _, err := b.tasks.Get(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; !errors.Is(err, batch.ErrStopped) {
		t.Fatalf("%v", err)
	}
}

func TestRun_RefusesABadConfig(t *testing.T) {
	t.Parallel()
	b := newBench(t, reeve.QueueConfig{})
	bad := b.config(strings.NewReader(""), io.Discard)
	bad.Window = -1
	for _, cfg := range []batch.Config{{}, bad} {
		if _, err := batch.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "batch: Config.") {
			t.Errorf("%v", err)
		}
	}
}
