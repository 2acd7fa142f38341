package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve/internal/program"
	"github.com/reeveq/reeve/proxy"
)

// unhealthyAfter is how long a worker without a session is still healthy: two
// heartbeats.
const unhealthyAfter = 10 * time.Second

// link knows how the connection to the master stands, and says so in the log
// when that changes.
type link struct {
	log  *program.Log
	gone chan struct{} // closed when the connection is lost and once says to leave it

	mu    sync.Mutex // guards the fields below
	once  bool       // leave it at the first connection
	up    bool
	since time.Time // that it is up, or down
	err   error     // why it is down
	told  string    // the last reason that was logged
}

func newLink(log *program.Log, once bool) *link {
	return &link{log: log, once: once, gone: make(chan struct{}), since: time.Now()}
}

// onState is called by the client, one call at a time.
func (l *link) onState(s proxy.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Connected {
		l.up, l.since, l.err, l.told = true, time.Now(), nil, ""
		l.log.Info("connected", "master", s.Addr)
		return
	}
	wasUp := l.up
	if wasUp {
		l.since = time.Now()
	}
	l.up, l.err = false, s.Err
	if wasUp && l.once {
		l.once = false
		close(l.gone)
		return
	}
	if text := s.Err.Error(); text != l.told {
		l.told = text
		l.log.Warn("not connected, trying again", "err", s.Err)
	}
}

// why is the reason for gone.
func (l *link) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Errorf("the connection was lost (-once): %w", l.err)
}

// health is nil while there is a session, and for a while without one.
func (l *link) health() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up || time.Since(l.since) <= unhealthyAfter {
		return nil
	}
	text := fmt.Sprintf("no session with the master for %v", time.Since(l.since).Round(time.Second))
	if l.err != nil {
		text += ": " + l.err.Error()
	}
	return errors.New(text)
}
