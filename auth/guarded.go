package auth

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
)

// phase is how far an unauthenticated connection has come.
type phase uint8

const (
	phaseSilent phase = iota // nothing received yet
	phaseBytes               // something received, no complete ClientHello yet
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
// counts what comes in, looks at the first byte, and holds a place in the gate
// from the end of an incoming TLS record, which is when there is something to
// compute, to the next read or write; afterwards it only passes through.
type guarded struct {
	net.Conn
	opened bool

	mu   sync.Mutex // guards kept; held while something is written, which nothing may overtake
	kept *[]byte    // what is written between Hold and Release; nil: nothing is held

	// Used by the handshake's goroutine only; nil or zero once opened.
	ctx     context.Context
	left    int    // bytes that may still come in
	first   []byte // the first bytes that came in, at most sniffSize
	gate    *gate
	held    bool // a place in gate
	records records
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
		g.reached(phaseBytes)
	}
	if g.records.pass(p[:n]) && err == nil {
		err = g.compute()
	}
	return n, err
}

func (g *guarded) Write(p []byte) (int, error) {
	if !g.opened {
		g.pause() // a read follows: there is nothing to compute in between
		return g.Conn.Write(p)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kept != nil {
		*g.kept = append(*g.kept, p...)
		return len(p), nil
	}
	return g.Conn.Write(p)
}

// Hold keeps what is written from now on, until Release: crypto/tls writes each
// record of 16 KiB by itself, and a system call for each costs more than a copy.
// Both are for the goroutine that writes. It is not the only one: crypto/tls answers
// a change of keys, and complains, in the one that reads.
func (g *guarded) Hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kept == nil {
		g.kept = heldWrites.Get().(*[]byte)
	}
}

// Release writes what was kept.
func (g *guarded) Release() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := g.kept
	if kept == nil {
		return nil
	}
	g.kept = nil
	_, err := g.Conn.Write(*kept)
	*kept = (*kept)[:0]
	heldWrites.Put(kept)
	return err
}

// heldWrites are buffers for a few records.
var heldWrites = sync.Pool{New: func() any { return new(make([]byte, 0, 72<<10)) }}

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

// records follows the boundaries of TLS records in a stream.
type records struct {
	header [5]byte // type, version, length
	have   int     // bytes of header
	body   int     // bytes that the present record still lacks
}

// pass takes the next bytes of the stream and reports whether they end where a
// record does.
func (r *records) pass(p []byte) bool {
	for len(p) > 0 {
		if r.body > 0 {
			n := min(r.body, len(p))
			r.body -= n
			p = p[n:]
			continue
		}
		n := copy(r.header[r.have:], p)
		r.have += n
		p = p[n:]
		if r.have == len(r.header) {
			r.have, r.body = 0, int(binary.BigEndian.Uint16(r.header[3:]))
		}
	}
	return r.have == 0 && r.body == 0
}
