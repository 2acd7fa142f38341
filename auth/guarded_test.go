package auth

import (
	"bytes"
	"context"
	"errors"
	"net"
	"runtime"
	"testing"
)

func TestRecords_EndIsSeenHoweverTheBytesArrive(t *testing.T) {
	t.Parallel()
	stream := []byte{22, 3, 1, 0, 3, 'a', 'b', 'c', 23, 3, 3, 0, 0, 23, 3, 3, 0, 1, 'd'}
	ends := map[int]bool{0: true, 8: true, 13: true, len(stream): true}
	for piece := 1; piece <= len(stream); piece++ {
		var r records
		for at := 0; at < len(stream); {
			n := min(piece, len(stream)-at)
			at += n
			if got := r.pass(stream[at-n : at]); got != ends[at] {
				t.Errorf("pieces of %d: at %d the answer is %v", piece, at, got)
			}
		}
	}
}

func TestGuarded_PlaceIsHeldOnlyFromRecordToRead(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	gate := newGate(1)
	record := []byte{tlsHandshakeRecord, 3, 1, 0, 3, 'a', 'b', 'c'}
	g := &guarded{ctx: ctx, left: 100, gate: gate, Conn: &scriptConn{bytes.NewReader(append(record, record...))}}
	read := func(g *guarded, n int) error {
		_, err := g.Read(make([]byte, n))
		return err
	}
	if err := read(g, 7); err != nil || len(gate.places) != 0 {
		t.Errorf("part of a record: %v, %d places taken", err, len(gate.places))
	}
	if err := read(g, 1); err != nil || len(gate.places) != 1 {
		t.Errorf("a whole record: %v, %d places taken", err, len(gate.places))
	}
	other := &guarded{ctx: ctx, left: 100, gate: gate, Conn: &scriptConn{bytes.NewReader(record)}}
	cancel() // the gate is full: the other would wait until now
	if err := read(other, 8); !errors.Is(err, context.Canceled) {
		t.Errorf("at a full gate: %v", err)
	}
	other.pause()
	if len(gate.places) != 1 {
		t.Error("a place was given back that was never taken")
	}
	if _, err := g.Write([]byte("x")); err != nil || len(gate.places) != 0 {
		t.Errorf("after a write: %v, %d places taken", err, len(gate.places))
	}
}

func TestGuarded_OnceOpenedItNeitherCountsNorKeepsAnything(t *testing.T) {
	t.Parallel()
	g := &guarded{ctx: t.Context(), left: 2, gate: newGate(1), Conn: &scriptConn{bytes.NewReader([]byte("plain text, and more of it"))}}
	g.open()
	b := make([]byte, 100)
	if n, err := g.Read(b); err != nil || n != 26 {
		t.Errorf("%d, %v", n, err)
	}
	if g.ctx != nil || g.gate != nil || g.onPhase != nil || g.first != nil {
		t.Errorf("kept: %+v", g)
	}
}

// meddled is a connection to which somebody else wants to write while a write is
// in progress.
type meddled struct {
	net.Conn
	other func()
	got   []string
}

func (c *meddled) Write(p []byte) (int, error) {
	if c.other != nil {
		go c.other() // the test waits for it
		c.other = nil
		for range 1000 {
			runtime.Gosched()
		}
	}
	c.got = append(c.got, string(p))
	return len(p), nil
}

// TestGuarded_NothingOvertakesWhatIsHeld: crypto/tls writes its answer to a change
// of keys from the goroutine that reads, after the records that are held.
func TestGuarded_NothingOvertakesWhatIsHeld(t *testing.T) {
	t.Parallel()
	conn := &meddled{}
	g := &guarded{Conn: conn}
	g.open()
	written := make(chan struct{})
	conn.other = func() {
		g.Write([]byte("answer"))
		close(written)
	}
	g.Hold()
	g.Write([]byte("one "))
	g.Write([]byte("two"))
	if err := g.Release(); err != nil {
		t.Fatal(err)
	}
	<-written
	if len(conn.got) != 2 || conn.got[0] != "one two" || conn.got[1] != "answer" {
		t.Errorf("written: %q", conn.got)
	}
}
