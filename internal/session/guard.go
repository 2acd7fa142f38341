package session

import (
	"fmt"
	"time"
)

// pingBurst is the number of pings a peer may send before Config's rate holds.
const pingBurst = 16

// guard holds what a peer sends against the rules, header by header, before
// anything is done about it: the size of frames, the number of streams and of
// pings. What a single stream may bring is that stream's affair.
//
// It is owned by the goroutine that reads.
type guard struct {
	clock func() time.Duration

	peerOdd bool // whether the peer's streams have odd numbers
	theirs  *slots
	ours    *slots

	pingRate float64 // a second
	pings    float64 // that may come now
	pingTime time.Duration
}

func newGuard(cfg Config, clock func() time.Duration, client bool, theirs, ours *slots) *guard {
	return &guard{
		clock:    clock,
		peerOdd:  !client,
		theirs:   theirs,
		ours:     ours,
		pingRate: cfg.PingsPerSecond,
		pings:    pingBurst,
	}
}

// check reports the rule that a frame breaks, as an ErrProtocol.
func (g *guard) check(h header) error {
	switch {
	case h.version != 0:
		return violation("yamux version %d", h.version)
	case h.kind > typeGoAway:
		return violation("frame of unknown type %d", h.kind)
	case h.flags&^flagsKnown != 0:
		return violation("frame with unknown flags %#x", h.flags)
	case h.kind == typePing:
		return g.checkPing()
	case h.kind == typeGoAway:
		return nil
	case h.kind == typeData && h.length > MaxFrame:
		return violation("frame of %d bytes, more than %d", h.length, MaxFrame)
	case h.kind == typeWindowUpdate && h.length > MaxWindow:
		return violation("window of %d bytes, more than %d", h.length, MaxWindow)
	case h.flags == 0:
		return nil
	}
	return g.checkFlags(h)
}

func (g *guard) checkPing() error {
	now := g.clock()
	g.pings = min(pingBurst, g.pings+g.pingRate*(now-g.pingTime).Seconds())
	g.pingTime = now
	if g.pings < 1 {
		return violation("too many pings")
	}
	g.pings--
	return nil
}

// checkFlags keeps account of the streams that begin and end.
func (g *guard) checkFlags(h header) error {
	streams := g.ours
	if (h.stream%2 == 1) == g.peerOdd {
		streams = g.theirs
	}
	if h.flags&flagSYN != 0 {
		if streams != g.theirs || h.stream == 0 {
			return violation("stream %d is not the peer's to open", h.stream)
		}
		if err := streams.admit(h.stream); err != nil {
			return err
		}
	}
	if h.flags&(flagFIN|flagRST) != 0 {
		streams.peerDone(h.stream)
	}
	return nil
}

func violation(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrProtocol}, args...)...)
}
