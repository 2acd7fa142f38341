package pool_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/pool"
)

func TestImap_YieldsInTheOrderOfTheInputs(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 4)
		ins := make([]int, 53)
		for i := range ins {
			ins[i] = 100 - i
		}
		for _, chunk := range []int{1, 5, 16} {
			p := newPool[int, int](t, w, "sleep", pool.Config{ReadAhead: 16})
			var outs []int
			for out, err := range p.Imap(t.Context(), slices.Values(ins), chunk) {
				if err != nil {
					t.Fatal(err)
				}
				outs = append(outs, out)
			}
			if !slices.Equal(outs, ins) {
				t.Errorf("chunks of %d: %v", chunk, outs)
			}
		}
	})
}

func TestImapUnordered_YieldsWhatIsDoneFirst(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 4)
		p := newPool[int, int](t, w, "sleep", pool.Config{})
		var outs []int
		for out, err := range p.ImapUnordered(t.Context(), slices.Values([]int{400, 300, 100, 200}), 1) {
			if err != nil {
				t.Fatal(err)
			}
			outs = append(outs, out)
		}
		if !slices.Equal(outs, []int{100, 200, 300, 400}) {
			t.Errorf("%v", outs)
		}
	})
}

func TestImap_GoesOnAfterAnError(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		for name, chunk := range map[string]int{"alone": 1, "together": 3} {
			p := newPool[any, int](t, w, "even", pool.Config{})
			var outs []int
			var errs []error
			for out, err := range p.Imap(t.Context(), slices.Values([]any{2, 3, make(chan int), 4}), chunk) {
				outs, errs = append(outs, out), append(errs, err)
			}
			if !slices.Equal(outs, []int{2, 0, 0, 4}) || errs[0] != nil || !errors.Is(errs[1], reeve.ErrTaskDead) || !errors.Is(errs[2], reeve.ErrUnserializable) || errs[3] != nil {
				t.Errorf("%s: %v, %v", name, outs, errs)
			}
		}
	})
}

// endless are the numbers from 0 on; taken says how many were.
func endless(taken *atomic.Int64) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; ; i++ {
			taken.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}

func TestImap_ReadsAheadNoFurtherThanItMay(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		p := newPool[int, int](t, w, "square", pool.Config{ReadAhead: 10})
		var taken atomic.Int64
		n := 0
		for out, err := range p.Imap(t.Context(), endless(&taken), 3) {
			if err != nil || out != n*n {
				t.Fatalf("%d: %d, %v", n, out, err)
			}
			n++
			synctest.Wait()
			if ahead := taken.Load() - int64(n); ahead < 1 || ahead > 11 { // one stands in its goroutine
				t.Fatalf("%d inputs were taken when %d results were got", taken.Load(), n)
			}
			if n == 50 {
				break
			}
		}
		p.Close()
		if err := p.Join(t.Context()); err != nil { // the sequence was left, too
			t.Error(err)
		}
	})
}

func TestImap_CancelsWhatALoopThatIsLeftHasNotGot(t *testing.T) {
	for name, leave := range map[string]func(context.CancelFunc) bool{
		"break": func(context.CancelFunc) bool { return true },
		"ctx":   func(cancel context.CancelFunc) bool { cancel(); return false },
	} {
		t.Run(name, func(t *testing.T) {
			eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
				w.work(t, 2)
				p := newPool[int, int](t, w, "sleep", pool.Config{ReadAhead: 10})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var taken atomic.Int64
				slow := func(yield func(int) bool) {
					for i := range endless(&taken) {
						if !yield(min(i, 1) * 3_600_000) { // the first takes no time
							return
						}
					}
				}
				var last error
				for _, err := range p.Imap(ctx, slow, 1) {
					last = err
					if leave(cancel) {
						break
					}
				}
				if name == "ctx" && !errors.Is(last, context.Canceled) {
					t.Errorf("%v", last)
				}
				p.Close()
				if err := p.Join(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if s, err := w.tasks.Stats(t.Context()); err != nil || s.Unsettled() != 0 || s.Done != 1 {
					t.Errorf("%+v, %v", s, err)
				}
			})
		})
	}
}

// A sequence may wait for what it likes: neither results nor the end of the loop
// wait for it.
func TestImap_ASlowSequenceHoldsUpNoResult(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		p := newPool[int, int](t, w, "square", pool.Config{})
		more := make(chan int)
		begin := time.Now()
		for out, err := range p.Imap(t.Context(), func(yield func(int) bool) {
			yield(3)
			<-more
		}, 1) {
			if err != nil || out != 9 {
				t.Errorf("%d, %v", out, err)
			}
			break
		}
		if time.Since(begin) > time.Minute {
			t.Errorf("took %v", time.Since(begin))
		}
		close(more)
	})
}

func TestImap_RefusesChunksOutOfRange(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "square", pool.Config{ReadAhead: 10})
		for _, chunk := range []int{-1, 0, 11} {
			n := 0
			for _, err := range p.Imap(t.Context(), slices.Values([]int{1, 2}), chunk) {
				if n++; !errors.Is(err, reeve.ErrInvalid) {
					t.Errorf("%d: %v", chunk, err)
				}
			}
			if n != 1 {
				t.Errorf("%d: %d elements", chunk, n)
			}
		}
	})
}
