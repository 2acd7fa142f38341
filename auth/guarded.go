package auth

import (
	"context"
	"errors"
	"net"
)

// phase is how far an unauthenticated connection has come.
type phase uint8

const (
	phaseSilent phase = iota // no complete ClientHello yet
	phaseHello               // ClientHello received
	phaseTLS                 // TLS established, no proof yet
	phases
)

const (
	tlsHandshakeRecord = 0x16
	tlsAlertRecord     = 0x15
	sniffSize          = 5 // what an error shows of a plain-text peer
)

var (
	errTooMuch = errors.New("the peer sent too many bytes before it authenticated")
	errNotTLS  = errors.New("the peer does not speak TLS")
)

// guarded is the raw connection as crypto/tls sees it. Until open is called it
// counts what comes in, looks at the first byte, and gives its place in the
// gate back while it waits for the peer; afterwards it only passes through.
type guarded struct {
	net.Conn
	opened bool

	// Used by the handshake's goroutine only; nil or zero once opened.
	ctx     context.Context
	left    int    // bytes that may still come in
	first   []byte // the first bytes that came in, at most sniffSize
	gate    *gate
	held    bool        // a place in gate
	onPhase func(phase) // may be nil
}

func (g *guarded) Read(p []byte) (int, error) {
	if g.opened {
		return g.Conn.Read(p)
	}
	if g.left <= 0 {
		return 0, errTooMuch
	}
	g.pause()
	n, err := g.Conn.Read(p[:min(len(p), g.left)])
	g.left -= n
	if n > 0 && len(g.first) == 0 {
		g.first = append(g.first, p[:min(n, sniffSize)]...)
		if g.first[0] != tlsHandshakeRecord && g.first[0] != tlsAlertRecord {
			return 0, errNotTLS
		}
	}
	if waitErr := g.compute(); err == nil {
		err = waitErr
	}
	return n, err
}

func (g *guarded) Write(p []byte) (int, error) {
	if g.opened {
		return g.Conn.Write(p)
	}
	g.pause()
	n, err := g.Conn.Write(p)
	if waitErr := g.compute(); err == nil {
		err = waitErr
	}
	return n, err
}

// compute waits for a place in the gate; it fails when the handshake's context ends.
func (g *guarded) compute() error {
	if g.gate == nil || g.held {
		return nil
	}
	err := g.gate.enter(g.ctx)
	g.held = err == nil
	return err
}

// pause gives the place back, if there is one.
func (g *guarded) pause() {
	if g.held {
		g.held = false
		g.gate.leave()
	}
}

// reached notes progress.
func (g *guarded) reached(p phase) {
	if g.onPhase != nil {
		g.onPhase(p)
	}
}

// open ends the guarding and lets go of everything that served it.
func (g *guarded) open() {
	g.pause()
	*g = guarded{Conn: g.Conn, opened: true}
}

// gate limits how many handshakes compute at the same time, so that a flood of
// them leaves processors to the sessions that are already there.
type gate struct{ places chan struct{} }

func newGate(n int) *gate { return &gate{make(chan struct{}, n)} }

func (g *gate) enter(ctx context.Context) error {
	select {
	case g.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) leave() { <-g.places }
