package batch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/batch"
)

// bubble runs f on fake time, with a task of somebody else in the queue that
// comes up in a week: the queue is never empty.
func bubble(t *testing.T, cfg reeve.QueueConfig, f func(*testing.T, *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, cfg)
		if _, err := b.tasks.Put(t.Context(), []reeve.Task{{Delay: 7 * 24 * time.Hour}}); err != nil {
			t.Fatal(err)
		}
		f(t, b)
	})
}

// end ends a task in the way that its line says, and otherwise with a result.
func (b *bench) end(ctx context.Context, l *reeve.Lease) error {
	switch string(l.Payload) {
	case "ack":
		return l.Ack(ctx)
	case "skip":
		return l.Skip(ctx)
	case "discard":
		return l.Discard(ctx, "not needed")
	case "bury":
		return l.Bury(ctx, "no good")
	case "cancel":
		return b.m.Cancel(ctx, l.ID, "changed my mind")
	case "keep":
		return l.Complete(ctx, "", reeve.Task{Payload: []byte("kept by its id")})
	}
	return echo(ctx, l)
}

func TestRun_LinesThatEndWithoutAResultDoNotHoldItUp(t *testing.T) {
	t.Parallel()
	bubble(t, reeve.QueueConfig{KeepResult: time.Hour}, func(t *testing.T, b *bench) {
		b.work(b.end)
		var out bytes.Buffer
		cfg := b.config(strings.NewReader("1\nack\nskip\n4\ndiscard\nbury\ncancel\nkeep\n9\n"), &out)
		cfg.Ordered = true
		began := time.Now()
		n, err := batch.Run(t.Context(), cfg)
		if err != nil || n.Lines != 9 || n.Done != 3 || n.Dead != 6 || n.Foreign != 0 || out.String() != "1\n4\n9\n" {
			t.Fatalf("%+v, %v, %q", n, err, out.String())
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		slices.Sort(b.dead)
		for i, want := range []string{
			"2 ended without a result", "3 ended without a result", "5 discarded: not needed", "6 no good", "7 cancelled: changed my mind", "8 ended without a result",
		} {
			if !strings.HasPrefix(b.dead[i], want) {
				t.Errorf("%q, want %q", b.dead[i], want)
			}
		}
	})
}

func TestRun_WithoutOutcomesItTellsWhatMayHaveHappened(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		"ack\n":                 "1 ended without a result in queue \"results\": do all workers of queue \"tasks\" have -results results?",
		"skip\n":                "1 ended without a result in queue \"results\": skipped",
		"1\n2\ndiscard\nskip\n": "3 ended without a result in queue \"results\": skipped or discarded",
	} {
		bubble(t, reeve.QueueConfig{}, func(t *testing.T, b *bench) {
			b.work(b.end)
			_, err := batch.Run(t.Context(), b.config(strings.NewReader(input), io.Discard))
			slices.Sort(b.dead)
			if err != nil || len(b.dead) == 0 || b.dead[0] != want {
				t.Errorf("%q: %q, %v, want %q", input, b.dead, err, want)
			}
		})
	}
}

func TestRun_ATaskThatIsKnownToBeDoneWasSkipped(t *testing.T) {
	t.Parallel()
	bubble(t, reeve.QueueConfig{KeepResult: time.Hour}, func(t *testing.T, b *bench) {
		b.work(b.end)
		_, err := batch.Run(t.Context(), b.config(strings.NewReader("discard\nskip\n"), io.Discard))
		slices.Sort(b.dead)
		if err != nil || len(b.dead) != 2 || b.dead[1] != `2 ended without a result in queue "results": skipped` {
			t.Errorf("%q, %v", b.dead, err)
		}
	})
}

func TestRun_LinesThatAreMovedToAnotherQueueAreFollowed(t *testing.T) {
	t.Parallel()
	bubble(t, reeve.QueueConfig{KeepResult: time.Hour}, func(t *testing.T, b *bench) {
		other, err := b.m.Queue("other", reeve.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		done := make(chan error, 1)
		go func() {
			_, err := batch.Run(t.Context(), b.config(strings.NewReader("a\nb\nc\nd\n"), &out))
			done <- err
		}()
		synctest.Wait()
		if n, err := b.m.Move(t.Context(), "tasks", "other", reeve.Filter{States: []reeve.State{reeve.StateReady}}); err != nil || n != 4 {
			t.Fatalf("%d, %v", n, err)
		}
		time.Sleep(time.Minute) // they wait there, and it waits for them
		leases, err := other.Get(t.Context(), 4)
		if err != nil || len(leases) != 4 {
			t.Fatal(len(leases), err)
		}
		for i, end := range []func(*reeve.Lease) error{
			func(l *reeve.Lease) error { return echo(t.Context(), l) },
			func(l *reeve.Lease) error { return l.Bury(t.Context(), "no good") },
			func(l *reeve.Lease) error { return l.Ack(t.Context()) },
			func(l *reeve.Lease) error { return b.m.Cancel(t.Context(), l.ID, "why not") },
		} {
			if err := end(leases[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-done; err != nil || out.String() != "a\n" {
			t.Fatalf("%v, %q", err, out.String())
		}
		slices.Sort(b.dead)
		if len(b.dead) != 3 || b.dead[0] != "2 no good" || !strings.HasPrefix(b.dead[1], "3 ended without") || b.dead[2] != "4 cancelled: why not" {
			t.Errorf("%q", b.dead)
		}
	})
}

func TestRun_DeadLinesThatArePurgedAreNotMissed(t *testing.T) {
	t.Parallel()
	bubble(t, reeve.QueueConfig{MaxDead: 2}, func(t *testing.T, b *bench) {
		b.work(func(ctx context.Context, l *reeve.Lease) error {
			time.Sleep(7 * time.Millisecond)
			if n, _ := strconv.Atoi(string(l.Payload)); n%3 == 0 {
				return l.Bury(ctx, "no good")
			}
			return echo(ctx, l)
		})
		n, err := batch.Run(t.Context(), b.config(strings.NewReader(lines(300)), io.Discard))
		if err != nil || n.Done != 200 || n.Dead != 100 || n.Foreign != 0 {
			t.Fatalf("%+v, %v", n, err)
		}
	})
}

func TestRun_ALineWhoseResultIsOnItsWayIsNotGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, reeve.QueueConfig{})
		for range 3 {
			b.work(func(ctx context.Context, l *reeve.Lease) error {
				time.Sleep(time.Millisecond)
				if n, _ := strconv.Atoi(string(l.Payload)); n%7 == 0 {
					return l.Discard(ctx, "")
				}
				return echo(ctx, l)
			})
		}
		var out bytes.Buffer
		cfg := b.config(strings.NewReader(lines(14000)), &slowWriter{&out})
		cfg.Ordered = true
		n, err := batch.Run(t.Context(), cfg)
		if err != nil || n.Done != 12000 || n.Dead != 2000 || n.Foreign != 0 {
			t.Fatalf("%+v, %v", n, err)
		}
		if got := strings.Count(out.String(), "\n"); got != 12000 {
			t.Errorf("%d lines", got)
		}
	})
}

// slowWriter takes its time, so that results pile up.
type slowWriter struct{ w io.Writer }

func (s *slowWriter) Write(p []byte) (int, error) {
	time.Sleep(300 * time.Millisecond)
	return s.w.Write(p)
}

func TestRun_StoppedNothingMoreBeginsWhateverTheQueueHoldsBack(t *testing.T) {
	t.Parallel()
	bubble(t, reeve.QueueConfig{Concurrency: 1, Backoff: reeve.Backoff{Base: time.Minute}}, func(t *testing.T, b *bench) {
		ctx, stop := context.WithCancel(t.Context())
		begun := 0
		b.work(func(ctx context.Context, l *reeve.Lease) error {
			begun++
			if begun == 1 {
				return l.Nack(ctx, 0, errors.New("later"))
			}
			stop()
			time.Sleep(time.Second)
			return echo(ctx, l)
		})
		var out bytes.Buffer
		cfg := b.config(strings.NewReader(lines(100)), &out)
		cfg.Grace = time.Hour
		if n, err := batch.Run(ctx, cfg); !errors.Is(err, batch.ErrStopped) || n.Done != 1 || n.Dead != 0 || out.String() != "1\n" {
			t.Fatalf("%+v, %v, %q", n, err, out.String())
		}
		if begun != 2 {
			t.Errorf("%d begun", begun)
		}
	})
}
