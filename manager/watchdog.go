package manager

import (
	"strings"
	"time"

	"github.com/reeveq/reeve"
)

// watchdog notices queues in which nothing moves although it could: tasks are
// ready and consumers have free slots. There are reasons for it, as that no
// worker has a handler for them, or that they are suspected of killing their
// workers and wait to be tried one at a time, but somebody should look. A queue
// that is paused, outside its windows or up to a limit is as its operator wants
// it. Owned by sweep.
type watchdog struct {
	after time.Duration
	seen  map[string]*sighting // by queue: since when it looks stalled
}

// sighting is how a queue looked when it was first seen to stand still.
type sighting struct {
	moves moves
	since time.Time
	told  time.Time
}

// moves are the numbers of a queue of which at least one changes with every
// hand-over and every end of a lease. Puts do not count: a queue that only
// grows does not move.
type moves struct {
	leased int
	done, redelivered, failed, timedOut, lost,
	returned, buried, dropped, snoozed, discarded, cancelled, expired uint64
}

func movesOf(s *reeve.QueueStats) moves {
	return moves{
		leased: s.Leased, done: s.Done, redelivered: s.Redelivered, failed: s.Failed, timedOut: s.TimedOut,
		lost: s.Lost, returned: s.Returned, buried: s.Buried, dropped: s.Dropped,
		snoozed: s.Snoozed, discarded: s.Discarded, cancelled: s.Cancelled, expired: s.Expired,
	}
}

// stalled reports for how long the queue has stood still, once each time that
// after has passed; else 0.
func (w *watchdog) stalled(s *reeve.QueueStats, now time.Time) time.Duration {
	if s.Ready <= s.Blocked || s.FreeSlots == 0 || s.Paused || s.Closed {
		delete(w.seen, s.Name)
		return 0
	}
	had, now0 := w.seen[s.Name], movesOf(s)
	if had == nil || had.moves != now0 {
		w.seen[s.Name] = &sighting{moves: now0, since: now, told: now}
		return 0
	}
	if now.Sub(had.told) < w.after {
		return 0
	}
	had.told = now
	return now.Sub(had.since)
}

// watch has the watchdog look at all queues.
func (m *Master) watch(w *watchdog, now time.Time) {
	if w.after <= 0 {
		return
	}
	stats := m.engine.Stats()
	if len(w.seen) > len(stats) { // some were deleted
		clear(w.seen)
	}
	for _, s := range stats {
		if d := w.stalled(&s, now); d > 0 {
			why, asWanted := m.whyStill(s.Name)
			if asWanted {
				continue
			}
			m.counts.stalls.Add(1)
			m.cfg.Logger.Warn("tasks are ready and consumers have free slots, but nothing moves", "queue", s.Name,
				"for", d.Round(time.Second), "ready", s.Ready, "free_slots", s.FreeSlots, "leased", s.Leased, "oldest", s.OldestReady.Round(time.Second), "why", why)
		}
	}
}

// wanted are the reasons for which an operator wants a queue to stand still.
var wanted = map[reeve.ReasonCode]bool{
	reeve.ReasonPaused: true, reeve.ReasonWindow: true, reeve.ReasonStopped: true, reeve.ReasonReserve: true,
	reeve.ReasonRate: true, reeve.ReasonConcurrency: true, reeve.ReasonTypeConcurrency: true,
	reeve.ReasonKey: true, reeve.ReasonKeyRate: true,
}

// whyStill tells why the task of a queue that would be the next does not run,
// and whether that is as somebody wants it.
func (m *Master) whyStill(name string) (why string, asWanted bool) {
	q, err := m.engine.Lookup(name)
	if err != nil {
		return err.Error(), false
	}
	next, err := q.Peek(1, 0)
	if err != nil || len(next) == 0 {
		return "not known", false
	}
	e, err := m.engine.Explain(next[0].ID)
	if err != nil {
		return "not known", false // it is gone: something moves
	}
	var texts []string
	for _, r := range e.Reasons {
		if wanted[r.Code] {
			return r.Text, true
		}
		texts = append(texts, r.Text)
	}
	return strings.Join(texts, "; "), false
}
