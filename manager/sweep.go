package manager

import (
	"errors"
	"time"
)

// silentHeartbeats is after how many heartbeats without any a client is gone.
const silentHeartbeats = 3

var (
	errSilent = errors.New("nothing came for 3 heartbeats")
	errStuck  = errors.New("the client takes nothing of what is sent to it")
)

// heartbeat is how often clients are to give a sign of life.
func (m *Master) heartbeat() time.Duration {
	h := m.cfg.Heartbeat
	if lease := m.engine.ShortestLease(); lease > 0 {
		h = min(h, lease/silentHeartbeats)
	}
	return h
}

// sweep ends sessions whose client is silent or takes nothing, and looks for
// queues that do not move. One goroutine for all: an idle session costs no timer.
func (m *Master) sweep() {
	timer := time.NewTimer(m.nextSweep())
	defer timer.Stop()
	dog := watchdog{after: m.cfg.Watchdog, seen: map[string]*sighting{}}
	for {
		select {
		case <-m.ctx.Done():
			return
		case now := <-timer.C:
			m.watch(&dog, now)
			timer.Reset(m.sweepOnce(now))
		}
	}
}

// nextSweep is when to look again if no session is about to be over.
func (m *Master) nextSweep() time.Duration {
	next := m.heartbeat() / 2
	if m.cfg.Watchdog > 0 {
		next = min(next, max(m.cfg.Watchdog/4, time.Millisecond))
	}
	return next
}

// sweepOnce ends the sessions that are to be ended, and returns when to look
// again: as soon as one more may have to be.
func (m *Master) sweepOnce(now time.Time) time.Duration {
	next, heartbeat := m.nextSweep(), m.heartbeat()
	for _, s := range m.allSessions() {
		if s.mux.Err() != nil {
			continue // it is about to be gone
		}
		silent, stuck := s.mux.Silent(now), s.out.stuckFor(now)
		silentLeft := silentHeartbeats*max(heartbeat, s.heartbeat) - silent
		stuckLeft := m.cfg.WriteTimeout - stuck
		switch {
		case silentLeft <= 0:
			m.counts.silent.Add(1)
			s.silent.Store(true)
			s.fail(errSilent)
			continue
		case stuckLeft <= 0:
			m.counts.stuck.Add(1)
			s.fail(errStuck)
			continue
		}
		next = min(next, silentLeft)
		if stuck > 0 {
			next = min(next, stuckLeft)
		}
	}
	return next
}
