package manager

import (
	"errors"
	"time"
)

var (
	errSilent = errors.New("nothing came for 3 heartbeats")
	errStuck  = errors.New("the client takes nothing of what is sent to it")
)

// heartbeat is how often clients are to give a sign of life.
func (m *Master) heartbeat() time.Duration {
	h := m.cfg.Heartbeat
	if lease := m.engine.ShortestLease(); lease > 0 {
		h = min(h, lease/3)
	}
	return h
}

// sweep ends sessions whose client is silent or takes nothing. One goroutine
// for all: an idle session costs no timer.
func (m *Master) sweep() {
	timer := time.NewTimer(m.heartbeat())
	defer timer.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case now := <-timer.C:
			m.sweepOnce(now)
			timer.Reset(m.heartbeat() / 2)
		}
	}
}

func (m *Master) sweepOnce(now time.Time) {
	silence := 3 * m.heartbeat()
	for _, s := range m.allSessions() {
		switch {
		case s.mux.Silent(now) > max(silence, 3*s.heartbeat):
			m.counts.silent.Add(1)
			s.silent.Store(true)
			s.fail(errSilent)
		case s.out.stuckFor(now) > m.cfg.WriteTimeout:
			m.counts.stuck.Add(1)
			s.fail(errStuck)
		case s.mux.Silent(now) > m.heartbeat():
			s.mux.Trim()
		}
	}
}
