package worker_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

func TestRun_ReportsWhatIsWrongWithTheConfig(t *testing.T) {
	for field, cfg := range map[string]worker.Config{
		"Config.Concurrency":    {Concurrency: -1},
		"Config.Prefetch":       {Prefetch: -1},
		"more than 65536":       {Concurrency: 1, Prefetch: reeve.MaxSlots},
		"Config.CancelGrace":    {CancelGrace: -1},
		"Config.MaxUnsent":      {MaxUnsent: -1},
		"Config.MaxUnsentBytes": {MaxUnsentBytes: -1},
	} {
		w := worker.New(newMemory("tasks"), cfg)
		worker.Handle(w, "f", square)
		if err := w.Run(t.Context()); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: Run returned %v", field, err)
		}
	}
}

func TestRun_ReportsWhatIsWrongWithTheHandlers(t *testing.T) {
	for want, add := range map[string]func(*worker.Worker){
		"no handler":                  func(*worker.Worker) {},
		`type "f" has two handlers`:   func(w *worker.Worker) { worker.Handle(w, "f", square); w.HandleFunc("f", nothing) },
		"two default handlers":        func(w *worker.Worker) { worker.HandleDefault(w, square); w.HandleDefaultFunc(nothing) },
		`handler for type "f" is nil`: func(w *worker.Worker) { worker.Handle[int, int](w, "f", nil) },
		`handler for type "g" is nil`: func(w *worker.Worker) { worker.HandleAck[int](w, "g", nil) },
		`handler for type "h" is nil`: func(w *worker.Worker) { w.HandleFunc("h", nil) },
		"default handler is nil":      func(w *worker.Worker) { w.HandleDefaultFunc(nil) },
	} {
		w := worker.New(newMemory("tasks"), worker.Config{})
		add(w)
		if err := w.Run(t.Context()); !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Run returned %v", want, err)
		}
	}
	w := worker.New(nil, worker.Config{})
	worker.Handle(w, "f", square)
	if err := w.Run(t.Context()); !errors.Is(err, reeve.ErrInvalid) {
		t.Errorf("without a source Run returned %v", err)
	}
}

func TestRun_EndsWhenAHandlerIsRegisteredTooLate(t *testing.T) {
	for name, add := range map[string]func(*worker.Worker){
		"typed":   func(w *worker.Worker) { worker.Handle(w, "late", square) },
		"default": func(w *worker.Worker) { worker.HandleDefault(w, square) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := startWith(t, newMemory("tasks", 1000), worker.Config{}, sleeper)
				add(s.Worker)
				err := s.wait()
				if !errors.Is(err, reeve.ErrInvalid) || !strings.Contains(err.Error(), "registered after Run") {
					t.Errorf("Run returned %v", err)
				}
				if stats := s.Stats(); stats.Done != 1 || s.took != time.Second {
					t.Errorf("stats are %+v, want the running task finished", stats)
				}
			})
		})
	}
}

func TestRun_MayBeCalledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startWith(t, newMemory("tasks"), worker.Config{}, sleeper)
		if err := s.Run(t.Context()); err == nil {
			t.Error("a second Run returned nil")
		}
		mustStop(t, s)
	})
}

func TestRunning_ListsTheOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("tasks", 60_000)
		s := startWith(t, m, worker.Config{Concurrency: 3}, sleeper)
		first := time.Now()
		time.Sleep(time.Second)
		m.put(reeve.Task{Type: "f"}, 60_000)
		synctest.Wait()
		list := s.Running()
		if len(list) != 2 || list[0].ID != 1 || list[1].ID != 2 || !list[0].Since.Equal(first) || list[0].Type != "f" || list[0].Attempt != 1 {
			t.Errorf("running are %+v", list)
		}
		mustStop(t, s)
	})
}
