package session_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/reeveq/reeve/internal/session"
)

// told counts calls that need not be received at once.
func told() (chan struct{}, func()) {
	c := make(chan struct{}, 1024)
	return c, func() { c <- struct{}{} }
}

func await(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-t.Context().Done():
		t.Fatalf("not told of %s", what)
	}
}

func TestOnReadable_TellsOfWhatComesAndOfTheEnd(t *testing.T) {
	client, server, _ := memSessions(t, session.Config{})
	near, far := stream(t, client, server, session.Calls)
	if far.Readable() {
		t.Fatal("readable before anything was written: the kind counts")
	}
	c, f := told()
	far.OnReadable(f)
	if _, err := near.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	await(t, c, "bytes")
	if !far.Readable() {
		t.Fatal("not readable although bytes came")
	}
	b := make([]byte, 3)
	if _, err := io.ReadFull(far, b); err != nil || string(b) != "abc" {
		t.Fatalf("%q, %v", b, err)
	}
	if far.Readable() {
		t.Fatal("readable although everything was read")
	}
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, c, "the stream's end")
	if _, err := far.Read(b); !far.Readable() || err != io.EOF {
		t.Fatalf("readable %v, read %v", far.Readable(), err)
	}
}

func TestOnReadable_TellsOfWhatCameBefore(t *testing.T) {
	client, server, _ := memSessions(t, session.Config{})
	near, far := stream(t, client, server, session.Calls)
	first, f := told()
	far.OnReadable(f)
	if _, err := near.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	await(t, first, "a byte")
	c, again := told()
	far.OnReadable(again)
	await(t, c, "what had come before")
}

func TestOnReadable_TellsOfTheSessionsEnd(t *testing.T) {
	client, server, _ := memSessions(t, session.Config{})
	_, far := stream(t, client, server, session.Calls)
	c, f := told()
	far.OnReadable(f)
	cause := errors.New("enough")
	server.Fail(cause)
	await(t, c, "the session's end")
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, cause) {
		t.Fatalf("read: %v", err)
	}
}

func TestOnStream_TellsOnceForEachStreamThatWasNotAccepted(t *testing.T) {
	client, server, _ := memSessions(t, session.Config{})
	open := func(kind session.Kind) {
		t.Helper()
		st, err := client.Open(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
	}
	open(session.Control)
	if _, err := server.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, f := told()
	server.OnStream(f)
	open(session.Calls)
	open(session.Bulk)
	for _, kind := range []session.Kind{session.Calls, session.Bulk} {
		await(t, c, "a stream")
		st, err := server.Accept(t.Context())
		if err != nil || st.Kind() != kind {
			t.Fatalf("%v, %v", st, err)
		}
	}
	if len(c) > 0 {
		t.Fatal("told of a stream twice")
	}
}

func TestOnEnd_TellsOnce(t *testing.T) {
	client, server, _ := memSessions(t, session.Config{})
	c, f := told()
	client.OnEnd(f)
	server.Close()
	await(t, c, "the end")
	client.Close()
	late, g := told()
	client.OnEnd(g)
	await(t, late, "an end that was before")
	if len(c) > 0 {
		t.Fatal("told twice")
	}
	if _, err := client.Accept(context.Background()); err == nil {
		t.Fatal("accepted a stream of a session that is over")
	}
}
