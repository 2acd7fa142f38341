package worker

import (
	"slices"
	"time"
)

// watch logs a warning when handlers run but no task has ended for
// Config.Watchdog, and again each time that long passes. It returns when ended
// is closed.
func (w *Worker) watch(ended <-chan struct{}) {
	t := time.NewTicker(max(w.cfg.Watchdog/4, 1))
	defer t.Stop()
	seen, since := w.counts.ended.Load(), time.Now()
	for {
		select {
		case <-ended:
			return
		case now := <-t.C:
			n := w.counts.ended.Load()
			list := slices.DeleteFunc(w.Running(), func(t RunningTask) bool { return t.Stuck })
			if n != seen || len(list) == 0 {
				seen, since = n, now
				continue
			}
			if now.Sub(since) < w.cfg.Watchdog {
				continue
			}
			oldest := list[0]
			w.cfg.Logger.Warn("no task has ended for long", "source", w.name, "for", now.Sub(since),
				"running", len(list), "oldest", oldest.ID, "type", oldest.Type, "since", oldest.Since)
			since = now
		}
	}
}
