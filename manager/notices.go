package manager

import (
	"net"
	"sync"
	"time"
)

// notices lets one line per source and minute through to the log: what a
// client does wrong is for the operator to know, but not to fill his disk.
type notices struct {
	mu   sync.Mutex // guards the fields below
	last map[string]time.Time
}

const (
	noticeEvery = time.Minute
	maxNotices  = 1024 // sources remembered
)

// due reports whether something about remote may be logged now.
func (n *notices) due(remote net.Addr) bool {
	source := remote.String()
	if host, _, err := net.SplitHostPort(source); err == nil {
		source = host
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if last, ok := n.last[source]; ok && now.Sub(last) < noticeEvery {
		return false
	}
	if len(n.last) >= maxNotices || n.last == nil {
		n.last = map[string]time.Time{}
	}
	n.last[source] = now
	return true
}
