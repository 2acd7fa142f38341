package proxy

import (
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// progress is what the holder of a lease told of its work last. Client.mu
// guards it.
type progress struct {
	lease   *reeve.Lease
	percent float64
	text    string
	due     bool // stands in Client.progress.due
}

// progresses are those that the master is to be told of: at once, if that was
// not done for Config.ProgressEvery, or else when that time is over. So a
// handler may tell as often as it likes.
type progresses struct {
	due     []*progress
	timer   *time.Timer // nil: not needed yet
	ticking bool        // the timer runs
}

// Progress notes how far the work is; see [reeve.Settler].
func (c *Client) Progress(l *reeve.Lease, percent float64, text string) {
	c.mu.Lock()
	defer c.unlock()
	h := c.leases.at(l.ID)
	if h == nil || h.lease != l {
		return // it has ended
	}
	if h.progress == nil {
		h.progress = &progress{lease: l}
	}
	h.progress.percent, h.progress.text = percent, text
	c.progressDueLocked(h.progress)
	c.tellProgressLocked()
}

func (c *Client) progressDueLocked(p *progress) {
	if !p.due {
		p.due = true
		c.progress.due = append(c.progress.due, p)
	}
}

// tellProgressLocked tells what is due, unless it is too early: then it is
// called again.
func (c *Client) tellProgressLocked() {
	l, ps := c.link, &c.progress
	// Without a connection, and before the claims are answered, nobody knows
	// which leases stand.
	if ps.ticking || l == nil || l.claiming > 0 || len(ps.due) == 0 {
		return
	}
	told := 0
	for ; told < len(ps.due) && l.out.Len() <= maxUnsent; told++ {
		p := ps.due[told]
		p.due = false
		if c.heldLocked(p.lease) {
			t := p.lease.Token()
			l.out.Message(wire.Progress{Queue: t.Queue, ID: t.ID, Attempt: t.Attempt, Percent: p.percent, Text: p.text}) // small: always fits
		}
	}
	if ps.due = ps.due[told:]; len(ps.due) == 0 {
		ps.due = nil
	}
	ps.ticking = true
	if ps.timer == nil {
		ps.timer = time.AfterFunc(c.cfg.ProgressEvery, c.progressTick)
	} else {
		ps.timer.Reset(c.cfg.ProgressEvery)
	}
}

func (c *Client) progressTick() {
	c.mu.Lock()
	defer c.unlock()
	c.progress.ticking = false
	if c.closed == nil {
		c.tellProgressLocked()
	}
}

// progressLostLocked has told again what a lost connection may have lost.
func (c *Client) progressLostLocked() {
	for h := range c.leases.all() {
		if h.progress != nil {
			c.progressDueLocked(h.progress)
		}
	}
}
