package pool_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/proxy"
)

func TestClose_RefusesFurtherWorkAndFinishesWhatWasBegun(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "square", pool.Config{MaxPending: 3})
		if err := p.Join(t.Context()); !errors.Is(err, pool.ErrRunning) {
			t.Errorf("join before: %v", err)
		}
		many, one := p.MapAsync([]int{1, 2, 3, 4, 5, 6, 7}), p.Go(t.Context(), 8)
		p.Close()
		p.Close()
		if _, err := p.Apply(t.Context(), 1); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("apply: %v", err)
		}
		if _, err := p.Map(t.Context(), []int{1}); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("map: %v", err)
		}
		for _, err := range p.Imap(t.Context(), slices.Values([]int{1}), 1) {
			if !errors.Is(err, reeve.ErrClosed) {
				t.Errorf("imap: %v", err)
			}
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Join(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("join while it works: %v", err)
		}
		w.work(t, 1)
		if err := p.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		if outs, err := many.Get(t.Context()); err != nil || outs[6] != 49 {
			t.Errorf("%v, %v", outs, err)
		}
		if out, err := one.Get(t.Context()); err != nil || out != 64 {
			t.Errorf("%v, %v", out, err)
		}
	})
}

func TestClose_EndsACallThatWaitsForRoom(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "square", pool.Config{MaxPending: 1})
		for i := range 2 {
			p.Go(t.Context(), i)
			synctest.Wait()
		}
		late := make(chan error)
		go func() { // received below
			_, err := p.Go(t.Context(), 3).Get(t.Context())
			late <- err
		}()
		synctest.Wait()
		p.Close()
		if err := <-late; !errors.Is(err, reeve.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestTerminate_EndsEveryCallAtOnceAndItsTasks(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		p := newPool[int, int](t, w, "sleep", pool.Config{MaxPending: 4, ReadAhead: 4})
		one := p.Go(t.Context(), 3_600_000)
		many := p.MapAsync(slices.Repeat([]int{3_600_000}, 10))
		var loop error
		looped := make(chan struct{})
		go func() { // received below
			defer close(looped)
			for _, err := range p.Imap(t.Context(), slices.Values(slices.Repeat([]int{3_600_000}, 10)), 2) {
				loop = err
			}
		}()
		leased(t, w.tasks, 2)
		begin := time.Now()
		if err := p.Terminate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Terminate(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := one.Get(t.Context()); !errors.Is(err, reeve.ErrCancelled) {
			t.Errorf("a future: %v", err)
		}
		if _, err := many.Get(t.Context()); !errors.Is(err, reeve.ErrCancelled) {
			t.Errorf("a map: %v", err)
		}
		<-looped
		if !errors.Is(loop, reeve.ErrCancelled) {
			t.Errorf("a loop: %v", loop)
		}
		if _, err := p.Apply(t.Context(), 1); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("after: %v", err)
		}
		if err := p.Join(t.Context()); err != nil || time.Since(begin) > time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		time.Sleep(time.Second)
		if s, err := w.tasks.Stats(t.Context()); err != nil || s.Ready+s.Leased != 0 || s.Done != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestTerminate_EndsAPutThatWaitsForRoom(t *testing.T) {
	eachWay(t, reeve.QueueConfig{MaxLen: 1}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "f", pool.Config{})
		f, g := p.Go(t.Context(), 1), p.Go(t.Context(), 2)
		synctest.Wait()
		if err := p.Terminate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, f := range []*pool.Future[int]{f, g} {
			if _, err := f.Get(t.Context()); !errors.Is(err, reeve.ErrCancelled) {
				t.Error(err)
			}
		}
		if err := p.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, err := w.tasks.Stats(t.Context()); err != nil || s.Ready != 0 || s.WaitingPuts != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestTerminate_EndsCallsWithoutAConnection(t *testing.T) {
	remotely(t, reeve.QueueConfig{}, func(t *testing.T, w way, c *proxy.Client) {
		p := newPool[int, int](t, w2(w, c), "f", pool.Config{MaxPending: 2})
		f := p.MapAsync([]int{1, 2, 3, 4})
		synctest.Wait()
		w.Kill()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Terminate(ctx); !errors.Is(err, reeve.ErrDisconnected) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if _, err := f.Get(t.Context()); !errors.Is(err, reeve.ErrCancelled) {
			t.Errorf("%v", err)
		}
		if err := p.Join(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// goroutines is how many there are that pools have started.
func goroutines() int {
	all := make([]byte, 16<<20)
	return strings.Count(string(all[:runtime.Stack(all, true)]), "created by github.com/reeveq/reeve/pool.(*core).goLocked ")
}

func TestLife_APoolThatHasNothingToDoHasNoGoroutine(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p, err := pool.New[int, int](w.op, w.tasks, "square", pool.Config{})
		if err != nil {
			t.Fatal(err)
		}
		f := p.MapAsync(make([]int, 3000))
		synctest.Wait()
		if n := goroutines(); n == 0 {
			t.Error("none at work")
		}
		w.work(t, 2)
		if _, err := f.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := goroutines(); n > 0 {
			t.Errorf("%d goroutines are left", n)
		}
	})
}

func TestLife_FuturesCostNoGoroutineEach(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "nobody has it", pool.Config{})
		for i := range 10_000 {
			p.Go(t.Context(), i)
		}
		synctest.Wait()
		if s, err := w.tasks.Stats(t.Context()); err != nil || s.Ready != 10_000 {
			t.Errorf("%+v, %v", s, err)
		}
		if n := goroutines(); n < 100 || n > 600 {
			t.Errorf("%d goroutines", n)
		}
	})
}

// Whatever is called at the same time, every call ends, and Join after them.
func TestLife_CallsAndEndsAtTheSameTime(t *testing.T) {
	eachWay(t, reeve.QueueConfig{MaxLen: 20}, func(t *testing.T, w way) {
		w.work(t, 4)
		for round := range 10 {
			p := newPool[int, int](t, w, "square", pool.Config{MaxPending: 8, ReadAhead: 4})
			var all sync.WaitGroup
			check := func(err error) {
				if err != nil && !errors.Is(err, reeve.ErrClosed) && !errors.Is(err, reeve.ErrCancelled) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("round %d: %v", round, err)
				}
			}
			for i := range 8 {
				all.Go(func() { // joined below
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
					defer cancel()
					for range 10 {
						switch i % 4 {
						case 0:
							_, err := p.Apply(ctx, i)
							check(err)
						case 1:
							_, err := p.Map(ctx, make([]int, 30))
							check(err)
						case 2:
							n := 0
							for _, err := range p.ImapUnordered(ctx, slices.Values(make([]int, 30)), 3) {
								check(err)
								if n++; n > 20 {
									break
								}
							}
						case 3:
							_, err := p.Go(ctx, i).Get(t.Context())
							check(err)
						}
					}
				})
			}
			if round%2 == 0 {
				all.Go(func() { // joined below
					time.Sleep(time.Duration(round) * 100 * time.Microsecond)
					if err := p.Terminate(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			p.Close()
			if err := p.Join(t.Context()); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		if s, err := w.tasks.Stats(t.Context()); err != nil || s.Unsettled() != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
