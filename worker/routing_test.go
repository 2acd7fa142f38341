package worker_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/worker"
)

func TestRun_AnnouncesItsTypesAndLabels(t *testing.T) {
	for name, c := range map[string]struct {
		labels []string
		add    func(*worker.Worker)
		types  []string
	}{
		"types, the empty one too": {nil, func(w *worker.Worker) {
			worker.Handle(w, "b", square)
			w.HandleFunc("", nothing)
			w.HandleFunc("a", nothing)
		}, []string{"", "a", "b"}},
		"a default takes all": {nil, func(w *worker.Worker) {
			worker.Handle(w, "b", square)
			worker.HandleDefault(w, square)
		}, nil},
		"labels": {[]string{"gpu", "eu"}, func(w *worker.Worker) { w.HandleDefaultFunc(nothing) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory("tasks")
				settled(t, m, worker.Config{Labels: c.labels}, c.add)
				if got := m.wanted; !slices.Equal(got.Types, c.types) || (got.Types == nil) != (c.types == nil) || !slices.Equal(got.Labels, c.labels) {
					t.Errorf("asked for %+v", got)
				}
			})
		})
	}
}

func TestRun_RefusesTypesAndLabelsThatNoMasterTakes(t *testing.T) {
	many := func(w *worker.Worker) {
		for i := range reeve.MaxTypes + 1 {
			w.HandleFunc(fmt.Sprint(i), nothing)
		}
	}
	for want, c := range map[string]struct {
		labels []string
		add    func(*worker.Worker)
	}{
		"want at most 1024: register a default handler": {nil, many},
		"task type bytes 256, limit 255":                {nil, func(w *worker.Worker) { w.HandleFunc(strings.Repeat("x", 256), nothing) }},
		"worker: Config.Labels: ":                       {[]string{""}, func(w *worker.Worker) { w.HandleDefaultFunc(nothing) }},
		"labels 17, limit 16":                           {make([]string, 17), func(w *worker.Worker) { w.HandleDefaultFunc(nothing) }},
	} {
		w := worker.New(newMemory("tasks"), worker.Config{Labels: c.labels})
		c.add(w)
		err := w.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, reeve.ErrInvalid) && !errors.Is(err, reeve.ErrTooLarge) {
			t.Errorf("%s: Run returned %v", want, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		stats := settled(t, newMemory("tasks", 1), worker.Config{}, func(w *worker.Worker) {
			many(w)
			w.HandleDefaultFunc(nothing)
		})
		if stats.Done != 1 {
			t.Errorf("with a default handler: %+v", stats)
		}
	})
}
