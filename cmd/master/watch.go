package main

import (
	"log/slog"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/manager"
)

// watch logs at intervals the numbers of the queues in which something has
// changed, and a warning for a queue whose tasks wait while nothing happens to
// them.
type watch struct {
	m       *manager.Master
	log     *program.Log
	summary bool
	ended   chan struct{}
	done    chan struct{}

	// Owned by run.
	last     map[string]figures
	sessions int
	stalled  map[string]bool
}

// watchdogEvery is the interval when there is no summary.
const watchdogEvery = time.Minute

// newWatch begins to watch; a batch run tells its numbers itself.
func newWatch(m *manager.Master, log *program.Log, every time.Duration, batch bool) *watch {
	w := &watch{
		m: m, log: log, summary: every > 0 && !batch, ended: make(chan struct{}), done: make(chan struct{}),
		last: map[string]figures{}, stalled: map[string]bool{},
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

// figures are the numbers of a queue whose change is news.
type figures struct {
	ready, delayed, leased, dead int
	done                         uint64
	unsuccessful                 uint64 // attempts and tasks that ended in another way
	put                          uint64
	consumers                    int
	paused, closed, shutdown     bool
}

func figuresOf(s *reeve.QueueStats) figures {
	return figures{
		ready: s.Ready, delayed: s.Delayed, leased: s.Leased, dead: s.Dead, done: s.Done, put: s.Put, consumers: s.Consumers,
		unsuccessful: s.Failed + s.TimedOut + s.Lost + s.Buried + s.Snoozed + s.Discarded + s.Cancelled + s.Expired + s.Purged + s.Dropped,
		paused:       s.Paused, closed: s.Closed, shutdown: s.Shutdown,
	}
}

func (w *watch) look(passed time.Duration) {
	stats := w.m.QueueStats()
	w.warn(stats, passed)
	sessions := w.m.Stats().Sessions
	attrs := []any{"clients", sessions}
	for i := range stats {
		if before := w.last[stats[i].Name]; before != figuresOf(&stats[i]) {
			attrs = append(attrs, summaryOf(&stats[i], stats[i].Done-before.done, passed))
		}
	}
	if w.changed(stats, sessions) && w.summary {
		w.log.Info("summary", attrs...)
	}
}

// summaryOf is a queue's part of the summary; what is rare stands there only
// if it has happened.
func summaryOf(s *reeve.QueueStats, done uint64, passed time.Duration) slog.Attr {
	attrs := []any{"ready", s.Ready, "leased", s.Leased, "delayed", s.Delayed, "dead", s.Dead,
		"done", s.Done, "per_second", rate(float64(done) / passed.Seconds())}
	for _, n := range []struct {
		name string
		n    uint64
	}{{"discarded", s.Discarded}, {"cancelled", s.Cancelled}, {"expired", s.Expired}, {"purged", s.Purged}} {
		if n.n > 0 {
			attrs = append(attrs, n.name, n.n)
		}
	}
	if s.Paused {
		attrs = append(attrs, "paused", true)
	}
	if s.Closed {
		attrs = append(attrs, "outside_windows", true)
	}
	return slog.Group(s.Name, attrs...)
}

// changed notes the numbers and reports whether they are news.
func (w *watch) changed(stats []reeve.QueueStats, sessions int) bool {
	news := sessions != w.sessions
	w.sessions = sessions
	for i := range stats {
		now := figuresOf(&stats[i])
		news = news || w.last[stats[i].Name] != now
		w.last[stats[i].Name] = now
	}
	return news
}

// meant reports whether a queue that is held up for this reason is meant to
// stand still: the next task goes when it is time.
func meant(held reeve.ReasonCode) bool {
	return held == reeve.ReasonPaused || held == reeve.ReasonWindow || held == reeve.ReasonRate
}

// warn says once that a queue stands still, and why that may be.
func (w *watch) warn(stats []reeve.QueueStats, passed time.Duration) {
	for i := range stats {
		s := &stats[i]
		before, now := w.last[s.Name], figuresOf(s)
		still := s.Ready > 0 && before.ready > 0 && s.OldestReady >= passed && !meant(s.Held) &&
			now.done == before.done && now.unsuccessful == before.unsuccessful
		if still && !w.stalled[s.Name] {
			w.log.Warn("no progress", "queue", s.Name, "ready", s.Ready, "leased", s.Leased, "for", passed, "why", whyStill(s))
		}
		w.stalled[s.Name] = still
	}
}

func whyStill(s *reeve.QueueStats) string {
	switch {
	case s.Consumers == 0:
		return "no worker takes from this queue"
	case s.FreeSlots > 0:
		return "workers wait, but take nothing: see reeve why, for one of the tasks"
	}
	return "all workers are busy"
}
