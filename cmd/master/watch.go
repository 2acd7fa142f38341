package main

import (
	"log/slog"
	"reflect"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/manager"
)

// watch logs the master's numbers at intervals, and a warning for a queue
// whose tasks wait while nothing happens to them.
type watch struct {
	m       *manager.Master
	log     *program.Log
	summary bool
	ended   chan struct{}
	done    chan struct{}

	// Owned by run.
	last     map[string]reeve.QueueStats
	sessions int
	stalled  map[string]bool
}

// watchdogEvery is the interval when there is no summary.
const watchdogEvery = time.Minute

// newWatch begins to watch; a batch run tells its numbers itself.
func newWatch(m *manager.Master, log *program.Log, every time.Duration, batch bool) *watch {
	w := &watch{
		m: m, log: log, summary: every > 0 && !batch, ended: make(chan struct{}), done: make(chan struct{}),
		last: map[string]reeve.QueueStats{}, stalled: map[string]bool{},
	}
	if every == 0 {
		every = watchdogEvery
	}
	w.changed(m.QueueStats(), 0)
	go w.run(every) // joined by stop
	return w
}

func (w *watch) stop() {
	close(w.ended)
	<-w.done
}

func (w *watch) run(every time.Duration) {
	defer close(w.done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-w.ended:
			return
		case <-tick.C:
			w.look(every)
		}
	}
}

func (w *watch) look(passed time.Duration) {
	stats := w.m.QueueStats()
	w.warn(stats, passed)
	sessions := w.m.Stats().Sessions
	attrs := []any{"clients", sessions}
	for _, s := range stats {
		before := w.last[s.Name]
		attrs = append(attrs, slog.Group(s.Name, "ready", s.Ready, "leased", s.Leased, "delayed", s.Delayed, "dead", s.Dead,
			"done", s.Done, "per_second", rate(float64(s.Done-before.Done)/passed.Seconds())))
	}
	if w.changed(stats, sessions) && w.summary {
		w.log.Info("summary", attrs...)
	}
}

// changed notes the numbers and reports whether they are news.
func (w *watch) changed(stats []reeve.QueueStats, sessions int) bool {
	news := sessions != w.sessions
	w.sessions = sessions
	for _, s := range stats {
		s.OldestReady = 0
		news = news || !reflect.DeepEqual(w.last[s.Name], s)
		w.last[s.Name] = s
	}
	return news
}

// warn says once that a queue stands still, and why that may be.
func (w *watch) warn(stats []reeve.QueueStats, passed time.Duration) {
	for _, s := range stats {
		before := w.last[s.Name]
		still := s.Ready > 0 && before.Ready > 0 && s.OldestReady >= passed &&
			s.Done == before.Done && s.Failed+s.TimedOut+s.Lost+s.Buried == before.Failed+before.TimedOut+before.Lost+before.Buried
		if still && !w.stalled[s.Name] {
			why := "all workers are busy"
			switch {
			case s.Consumers == 0:
				why = "no worker takes from this queue"
			case s.FreeSlots > 0:
				why = "workers wait, but take nothing"
			}
			w.log.Warn("no progress", "queue", s.Name, "ready", s.Ready, "leased", s.Leased, "for", passed, "why", why)
		}
		w.stalled[s.Name] = still
	}
}
