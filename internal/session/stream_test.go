package session_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
	"github.com/reeveq/reeve/internal/session/sessiontest"
)

func TestStream_EOFIsThePeersWordAndNothingElse(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, conn := memSessions(t, session.Config{})
		ended, farEnded := stream(t, client, server, session.Bulk)
		cut, farCut := stream(t, client, server, session.Bulk)
		for _, st := range []*session.Stream{farEnded, farCut} {
			if _, err := st.Write([]byte("all of it")); err != nil {
				t.Fatal(err)
			}
		}
		farEnded.Close()
		got, err := io.ReadAll(ended)
		if err != nil || string(got) != "all of it" {
			t.Fatalf("%q, %v", got, err)
		}
		synctest.Wait()
		conn.Reset()
		<-client.Done()
		if n, err := ended.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("closed stream: %d, %v", n, err)
		}
		got, err = io.ReadAll(cut)
		if !errors.Is(err, session.ErrLost) || string(got) != "all of it" {
			t.Errorf("lost stream: %q, %v", got, err)
		}
	})
}

func TestStream_CloseEndsTheCallsThatWait(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		near, far := stream(t, client, server, session.Bulk)
		read, write := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := near.Read(make([]byte, 1))
			read <- err
		}()
		go func() {
			_, err := near.Write(make([]byte, 8<<20)) // more than the window
			write <- err
		}()
		synctest.Wait()
		begin := time.Now()
		near.Close()
		near.Close()
		for _, end := range []chan error{read, write} {
			if err := <-end; err != session.ErrStreamClosed {
				t.Errorf("call ended with %v", err)
			}
		}
		if d := time.Since(begin); d > 0 {
			t.Errorf("it took %v", d)
		}
		if _, err := near.Read(make([]byte, 1)); err != session.ErrStreamClosed {
			t.Errorf("read: %v", err)
		}
		if _, err := io.Copy(io.Discard, far); err != nil {
			t.Errorf("the other end: %v", err)
		}
		if client.Err() != nil || server.Err() != nil {
			t.Errorf("sessions ended: %v, %v", client.Err(), server.Err())
		}
	})
}

func TestStream_ThatPeerDoesNotCloseEndsTheSession(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		near, far := stream(t, client, server, session.Bulk)
		near.Close()
		time.Sleep(29 * time.Second)
		if client.Err() != nil || server.Err() != nil {
			t.Fatalf("sessions ended: %v, %v", client.Err(), server.Err())
		}
		near2, far2 := stream(t, client, server, session.Bulk)
		near2.Close()
		far2.Close() // this one is over
		time.Sleep(2 * time.Second)
		if !errors.Is(client.Err(), session.ErrProtocol) {
			t.Errorf("the session goes on: %v", client.Err())
		}
		if _, err := far.Read(make([]byte, 1)); err == nil {
			t.Error("read from a session that is over")
		}
	})
}

func TestStream_ThatPeerClosesInTimeEndsNothing(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		near, far := stream(t, client, server, session.Bulk)
		near.Close()
		time.Sleep(29 * time.Second)
		far.Close()
		time.Sleep(time.Minute)
		if client.Err() != nil || server.Err() != nil {
			t.Errorf("sessions ended: %v, %v", client.Err(), server.Err())
		}
	})
}

func TestStream_SlowReaderHoldsUpNoOther(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		full, _ := stream(t, client, server, session.Bulk)
		near, far := stream(t, client, server, session.Calls)
		go full.Write(make([]byte, 8<<20)) // ends with the session
		time.Sleep(time.Hour)
		if _, err := near.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := far.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	})
}

// TestReader_FramesArriveHoweverTheyAreCut sends a frame cut in two at every
// place, with a pause in between, and in single bytes.
func TestReader_FramesArriveHoweverTheyAreCut(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 20)
	sent := append(opening(1, session.Bulk), append(header(data, 0, 1, uint32(len(body))), body...)...)
	sent = append(sent, header(window, fin, 1, 0)...)
	send := func(t *testing.T, pieces func(peer *memnet.Conn)) {
		server, peer := rawServer(t, session.Config{})
		var sending sync.WaitGroup
		sending.Go(func() { pieces(peer) })
		defer sending.Wait()
		st, err := server.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(st)
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	sessiontest.Bubble(t, func(t *testing.T) {
		for at := range sent {
			send(t, func(peer *memnet.Conn) {
				peer.Write(sent[:at])
				time.Sleep(time.Millisecond)
				peer.Write(sent[at:])
			})
		}
		send(t, func(peer *memnet.Conn) {
			for i := range sent {
				peer.Write(sent[i : i+1])
				time.Sleep(time.Millisecond)
			}
		})
	})
}

func TestReader_LargeFramesAmongSmallOnesArrive(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		near, far := stream(t, client, server, session.Calls)
		var sent bytes.Buffer
		for i := range 200 {
			size := []int{1, 100, 4084, 4085, 5000, 65536, 70000}[i%7]
			sent.Write(bytes.Repeat([]byte{byte(i)}, size))
		}
		go func() {
			rest := sent.Bytes()
			for i := 0; len(rest) > 0; i++ {
				n := min(len(rest), []int{1, 100, 4084, 4085, 5000, 65536, 70000}[i%7])
				near.Write(rest[:n])
				rest = rest[n:]
			}
			near.Close()
		}()
		got, err := io.ReadAll(far)
		if err != nil || !bytes.Equal(got, sent.Bytes()) {
			t.Fatalf("%d bytes of %d, %v", len(got), sent.Len(), err)
		}
	})
}

func TestWriter_AnswerLeavesInOneWriteAtOnce(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		counted := &countingConn{Conn: far}
		client, server := sessions(t, near, counted, session.Config{})
		mine, theirs := stream(t, client, server, session.Calls)
		synctest.Wait()
		counted.take()
		p := make([]byte, 100)
		for range 10 {
			if _, err := mine.Write(p); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(theirs, p); err != nil {
				t.Fatal(err)
			}
			if _, err := theirs.Write(p); err != nil {
				t.Fatal(err)
			}
			if w := counted.take(); len(w) != 1 || w[0] != 112 {
				t.Fatalf("a frame of 112 bytes left in writes of %v", w)
			}
			if _, err := io.ReadFull(mine, p); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestWriter_WhatGathersLeavesTogetherAndIsBounded(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		counted := &countingConn{Conn: near}
		client, server := sessions(t, counted, far, session.Config{Window: 4 << 20})
		mine, theirs := stream(t, client, server, session.Calls)
		other, others := stream(t, client, server, session.Control)
		go io.Copy(io.Discard, theirs) // end with the session
		go io.Copy(io.Discard, others)
		synctest.Wait()

		release := counted.hold()
		done := make(chan error, 2)
		go func() { // the one that writes
			_, err := other.Write(make([]byte, 100))
			done <- err
		}()
		synctest.Wait()
		var sent int
		go func() {
			for range 4000 {
				if _, err := mine.Write(make([]byte, 200)); err != nil {
					done <- err
					return
				}
				sent += 200
			}
			done <- nil
		}()
		synctest.Wait()
		if sent == 0 || sent > 256<<10 {
			t.Errorf("%d bytes were taken while a write was in progress", sent)
		}
		if w := counted.take(); len(w) != 1 {
			t.Errorf("writes while one was in progress: %v", w)
		}
		release()
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		w := counted.take()
		for _, n := range w {
			if n > session.MaxFrame+12 {
				t.Errorf("a write of %d bytes", n)
			}
		}
		if len(w) == 0 || w[0] < session.MaxFrame {
			t.Errorf("what had gathered left in writes of %v", w)
		}
	})
}

func TestSession_KnowsHowLongThePeerIsSilent(t *testing.T) {
	sessiontest.Bubble(t, func(t *testing.T) {
		client, server, _ := memSessions(t, session.Config{})
		near, far := stream(t, client, server, session.Control)
		synctest.Wait()
		time.Sleep(15 * time.Second)
		if d := client.Silent(time.Now()); d != 15*time.Second {
			t.Errorf("silent for %v", d)
		}
		if _, err := far.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := near.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if d := client.Silent(time.Now()); d != 0 {
			t.Errorf("silent for %v after a byte", d)
		}
		if d := server.Silent(time.Now()); d != 15*time.Second {
			t.Errorf("the end that has sent thinks the other was silent for %v", d)
		}
	})
}
