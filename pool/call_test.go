package pool_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
	"github.com/reeveq/reeve/pool"
	"github.com/reeveq/reeve/proxy"
)

func TestApply_ReturnsWhatTheFunctionDoes(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		p := newPool[int, int](t, w, "square", pool.Config{})
		for n := range 5 {
			if out, err := p.Apply(t.Context(), n); err != nil || out != n*n {
				t.Errorf("%d: %d, %v", n, out, err)
			}
		}
		none := newPool[int, struct{}](t, w, "ack", pool.Config{})
		if _, err := none.Apply(t.Context(), 1); err != nil {
			t.Errorf("a function without a result: %v", err)
		}
	})
}

func TestApply_TellsHowTheTaskEnded(t *testing.T) {
	for name, c := range map[string]struct {
		typ   string
		in    int
		cfg   pool.Config
		state reeve.State
		is    []error
		text  string
		stack bool
	}{
		"fails":                           {"fail", 7, pool.Config{Attempts: 1}, reeve.StateDead, []error{reeve.ErrTaskDead}, "failed with 7", false},
		"panics":                          {"panic", 7, pool.Config{Attempts: 1}, reeve.StateDead, []error{reeve.ErrTaskDead, reeve.ErrPanic}, "oh no", true},
		"permanent":                       {"even", 7, pool.Config{}, reeve.StateDead, []error{reeve.ErrTaskDead}, "7 is odd", false},
		"times out":                       {"sleep", 60_000, pool.Config{Attempts: 1, Timeout: time.Second}, reeve.StateDead, []error{reeve.ErrTaskDead, reeve.ErrTimeout}, "after 1s", false},
		"discards":                        {"discard", 7, pool.Config{}, reeve.StateDiscarded, []error{reeve.ErrDiscarded}, "odd", false},
		"expires":                         {"nobody has it", 7, pool.Config{Put: []reeve.PutOption{reeve.WithExpiry(time.Minute)}}, reeve.StateExpired, []error{reeve.ErrExpired}, "", false},
		"cannot be encoded by the worker": {"chan", 7, pool.Config{}, reeve.StateDead, []error{reeve.ErrTaskDead}, "not writable as cbor", false},
		"cannot be decoded by the worker": {"pow", 7, pool.Config{}, reeve.StateDead, []error{reeve.ErrTaskDead}, "not readable as cbor", false},
	} {
		t.Run(name, func(t *testing.T) {
			eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
				w.work(t, 2)
				p := newPool[int, int](t, w, c.typ, c.cfg)
				_, err := p.Apply(t.Context(), c.in)
				var e *pool.TaskError
				if !errors.As(err, &e) || e.State != c.state || e.Type != c.typ || e.ID == 0 || !strings.Contains(err.Error(), c.text) {
					t.Fatalf("%#v: %v", err, err)
				}
				for _, is := range c.is {
					if !errors.Is(err, is) {
						t.Errorf("%v is not %v", err, is)
					}
				}
				if has := e.Stack != ""; has != c.stack || c.stack && !strings.Contains(e.Stack, "helper_test.go") {
					t.Errorf("stack %q", e.Stack)
				}
				if dead := e.State == reeve.StateDead; dead != (len(e.History) == 1) || dead && !strings.Contains(e.Text, c.text) {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

func TestApply_TriesAgainAsTheQueueSays(t *testing.T) {
	eachWay(t, reeve.QueueConfig{Attempts: 3, Backoff: reeve.Backoff{Base: time.Hour, Jitter: reeve.NoJitter}}, func(t *testing.T, w way) {
		w.work(t, 1)
		p := newPool[int, int](t, w, "fail", pool.Config{})
		begin := time.Now()
		_, err := p.Apply(t.Context(), 7)
		var e *pool.TaskError
		if !errors.As(err, &e) || e.Attempts != 3 || len(e.History) != 3 || time.Since(begin) < 2*time.Hour {
			t.Errorf("%+v after %v", err, time.Since(begin))
		}
	})
}

func TestApply_ValuesThatCannotCross(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 1)
		if _, err := newPool[chan int, int](t, w, "square", pool.Config{}).Apply(t.Context(), nil); !errors.Is(err, reeve.ErrUnserializable) {
			t.Errorf("the input: %v", err)
		}
		if _, err := newPool[int, string](t, w, "square", pool.Config{}).Apply(t.Context(), 2); !errors.Is(err, reeve.ErrUnserializable) {
			t.Errorf("the result: %v", err)
		}
		if _, err := newPool[string, int](t, w, "square", pool.Config{}).Apply(t.Context(), strings.Repeat("x", 17<<20)); !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("a large input: %v", err)
		}
	})
}

func TestApply_CancelsItsTaskWhenItsContextEnds(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 1)
		p := newPool[int, int](t, w, "sleep", pool.Config{})
		reason := errors.New("the user left")
		for _, placed := range []bool{true, false} {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, reason)
			if !placed {
				cancel()
			}
			if _, err := p.Apply(ctx, 3_600_000); !errors.Is(err, ctx.Err()) {
				t.Errorf("%v", err)
			}
			cancel()
		}
		time.Sleep(time.Second)
		s, err := w.tasks.Stats(t.Context())
		if err != nil || s.Cancelled != 1 || s.Leased+s.Ready != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestGo_AFutureIsReadyWhenItsTaskHasEnded(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 4)
		good := newPool[int, int](t, w, "sleep", pool.Config{}).Go(t.Context(), 1000)
		bad := newPool[int, int](t, w, "even", pool.Config{}).Go(t.Context(), 1)
		if _, err := good.Successful(); !errors.Is(err, reeve.ErrNotDone) || good.Ready() {
			t.Errorf("before: %v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := good.Get(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("get with a short time: %v", err)
		}
		if err := good.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait with a short time: %v", err)
		}
		<-good.Done()
		for range 2 { // as often as one likes
			if out, err := good.Get(short); err != nil || out != 1000 {
				t.Errorf("%d, %v", out, err)
			}
		}
		if ok, err := good.Successful(); !ok || err != nil || !good.Ready() {
			t.Errorf("after: %v, %v", ok, err)
		}
		if err := bad.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if ok, err := bad.Successful(); ok || err != nil {
			t.Errorf("a bad end: %v, %v", ok, err)
		}
	})
}

func TestGo_BlocksWhenTooManyWaitForTheirTurn(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		p := newPool[int, int](t, w, "square", pool.Config{MaxPending: 2})
		var all []*pool.Future[int]
		for i := range 4 { // two are put, two wait here
			all = append(all, p.Go(t.Context(), i))
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := p.Go(ctx, 4).Get(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the fifth: %v", err)
		}
		if s, err := w.tasks.Stats(t.Context()); err != nil || s.Ready != 2 {
			t.Errorf("%+v, %v", s, err)
		}
		w.work(t, 1)
		for i, f := range all {
			if out, err := f.Get(t.Context()); err != nil || out != i*i {
				t.Errorf("%d: %d, %v", i, out, err)
			}
		}
	})
}

func TestOnDone_ASlowCallbackHoldsUpNobody(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 2)
		p := newPool[int, int](t, w, "square", pool.Config{})
		begin, heard := time.Now(), make(chan int, 3)
		slow := func(out int, err error) {
			time.Sleep(time.Hour)
			heard <- out
		}
		f := p.Go(t.Context(), 2)
		f.OnDone(slow)
		f.OnDone(slow)
		if out, err := p.Apply(t.Context(), 3); err != nil || out != 9 || time.Since(begin) > time.Minute {
			t.Errorf("%d, %v after %v", out, err, time.Since(begin))
		}
		if _, err := f.Get(t.Context()); err != nil || time.Since(begin) > time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		f.OnDone(slow) // it is called although all has ended
		p.Close()
		if err := p.Join(t.Context()); err != nil || len(heard) != 3 {
			t.Errorf("%v, %d callbacks", err, len(heard))
		}
	})
}

func TestCancel_EndsAFutureAndItsTask(t *testing.T) {
	eachWay(t, reeve.QueueConfig{}, func(t *testing.T, w way) {
		w.work(t, 1)
		p := newPool[int, int](t, w, "sleep", pool.Config{MaxPending: 2})
		all := []*pool.Future[int]{}
		for range 3 { // one runs, one is ready, one waits here
			all = append(all, p.Go(t.Context(), 3_600_000))
			synctest.Wait()
		}
		leased(t, w.tasks, 1)
		for i, f := range all {
			if err := f.Cancel(t.Context(), "not needed"); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Get(t.Context()); !errors.Is(err, reeve.ErrCancelled) || !strings.Contains(err.Error(), "not needed") {
				t.Errorf("%d: %v", i, err)
			}
			if err := f.Cancel(t.Context(), "again"); err != nil {
				t.Errorf("again: %v", err)
			}
		}
		many := p.MapAsync([]int{3_600_000, 3_600_000, 3_600_000})
		synctest.Wait()
		if err := many.Cancel(t.Context(), "none of them"); err != nil {
			t.Fatal(err)
		}
		if _, err := many.Get(t.Context()); !errors.Is(err, reeve.ErrCancelled) {
			t.Error(err)
		}
		p.Close()
		if err := p.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, err := w.tasks.Stats(t.Context()); err != nil || s.Ready+s.Leased != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestCodec_IsThePools(t *testing.T) {
	remotely(t, reeve.QueueConfig{}, func(t *testing.T, w way, c *proxy.Client) {
		p := newPool[string, []byte](t, w, "x", pool.Config{Codec: codec.Raw})
		f := p.Go(t.Context(), "in")
		l, err := c.Queue("tasks").Get(t.Context(), 1)
		if err != nil || string(l[0].Payload) != "in" || l[0].Type != "x" {
			t.Fatalf("%+v, %v", l, err)
		}
		if err := l[0].Complete(t.Context(), "", reeve.Task{Payload: []byte("out")}); err != nil {
			t.Fatal(err)
		}
		if out, err := f.Get(t.Context()); err != nil || string(out) != "out" {
			t.Errorf("%q, %v", out, err)
		}
	})
}

func TestNew_SaysWhatIsWrong(t *testing.T) {
	remotely(t, reeve.QueueConfig{}, func(t *testing.T, w way, c *proxy.Client) {
		for field, cfg := range map[string]pool.Config{
			"MaxPending":   {MaxPending: -1},
			"Config.Chunk": {Chunk: reeve.MaxBatch + 1},
			"0 to 10":      {Chunk: 11, MaxPending: 10},
			"ReadAhead":    {ReadAhead: -1},
			"Keep":         {Keep: time.Millisecond},
			"Timeout":      {Timeout: -1},
			"Attempts":     {Attempts: -1},
			"unique key":   {Put: []reeve.PutOption{reeve.WithUnique("x", reeve.UniqueUntilDone)}},
			"Config.Put":   {Put: []reeve.PutOption{reeve.WithDelay(-1)}},
		} {
			if _, err := pool.New[int, int](c, w.tasks, "f", cfg); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		}
		if _, err := pool.New[int, int](nil, w.tasks, "f", pool.Config{}); !errors.Is(err, reeve.ErrInvalid) {
			t.Error(err)
		}
		if _, err := pool.New[int, int](c, w.tasks, strings.Repeat("f", 256), pool.Config{}); !errors.Is(err, reeve.ErrTooLarge) {
			t.Error(err)
		}
	})
}

func TestPut_OptionsHoldForAllTasks(t *testing.T) {
	remotely(t, reeve.QueueConfig{}, func(t *testing.T, w way, c *proxy.Client) {
		p := newPool[int, int](t, w, "f", pool.Config{
			Timeout: time.Minute, Attempts: 7, Keep: time.Hour,
			Put: []reeve.PutOption{reeve.WithPriority(3), reeve.WithLabels("gpu"), reeve.WithType("g"), reeve.WithAttempts(9)},
		})
		p.MapAsync([]int{1, 2})
		synctest.Wait()
		page, err := c.List(t.Context(), "tasks", reeve.Filter{}, reeve.ListOptions{})
		if err != nil || len(page.Tasks) != 2 {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, i := range page.Tasks {
			if i.Type != "f" || i.Priority != 3 || i.Timeout != time.Minute || i.Rules == nil || i.Rules.Attempts != 7 ||
				i.Rules.KeepResult != time.Hour || !slices.Equal(i.Rules.Labels, []string{"gpu"}) {
				t.Errorf("%+v %+v", i, i.Rules)
			}
		}
	})
}
