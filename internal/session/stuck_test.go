package session_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/internal/session/sessiontest"
)

// stuck is a stream of a client whose connection takes nothing until free is called,
// while as much waits for it as may, to the byte.
func stuck(t *testing.T, kind session.Kind) (near, far *session.Stream, free func()) {
	t.Helper()
	conn, other := memnet.Pipe()
	counted := &countingConn{Conn: conn}
	client, server := sessions(t, counted, other, session.Config{Window: session.MinWindow, WriteTimeout: time.Hour})
	near, far = stream(t, client, server, kind)
	bulk, bulks := stream(t, client, server, session.Bulk)
	go io.Copy(io.Discard, bulks) // ends with the session
	synctest.Wait()
	free = counted.hold()
	go near.Write([]byte("the one that writes")) // ends with free
	synctest.Wait()
	go func() { // ends with free, before its window does
		for range 20 << 10 {
			if _, err := bulk.Write([]byte("four")); err != nil { // 16 bytes with the header
				return
			}
		}
	}()
	synctest.Wait()
	return near, far, free
}

// TestRead_DoesNotWaitForTheConnection: who reads may be the goroutine that reads
// the connection, and the peer may take nothing before that has read.
func TestRead_DoesNotWaitForTheConnection(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		mine, theirs, free := stuck(t, session.Control)
		const sent = session.MinWindow + session.MinWindow/2 // for which a grant is needed
		go theirs.Write(make([]byte, sent))                  // ends with the session
		synctest.Wait()
		begin := time.Now()
		if _, err := io.ReadFull(mine, make([]byte, session.MinWindow)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 0 {
			t.Fatalf("reading took %v", took)
		}
		free()
		if _, err := io.ReadFull(mine, make([]byte, sent-session.MinWindow)); err != nil {
			t.Fatalf("the grant was lost: %v", err)
		}
	})
}

// TestRoom_CountsWhatWaitsForTheConnection: who relies on it does not wait for what
// others write.
func TestRoom_CountsWhatWaitsForTheConnection(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		mine, _, free := stuck(t, session.Calls)
		if n := mine.Room(); n != 0 {
			t.Errorf("room for %d bytes while as much waits as may", n)
		}
		free()
		synctest.Wait()
		if n := mine.Room(); n < 200<<10 {
			t.Errorf("room for %d bytes at last", n)
		}
	})
}
