package session_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/reeveq/reeve/internal/session"
)

func TestStream_CarriesBytesBothWays(t *testing.T) {
	c, s := tcpPair(t)
	c, s = secure(t, c, s)
	client, server := sessions(t, c, s, session.Config{})
	near, far := stream(t, client, server, session.Calls)
	if far.Kind() != session.Calls || near.Kind() != session.Calls {
		t.Fatalf("kinds are %v and %v", near.Kind(), far.Kind())
	}
	sent := bytes.Repeat([]byte("0123456789abcdef"), 300<<10/16) // more than a window, in many frames
	go func() {
		io.Copy(far, far)
	}()
	go near.Write(sent)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(near, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Fatal("what came back differs from what was sent")
	}
}

func TestClose_IsWhatBothEndsLearn(t *testing.T) {
	client, server, _ := memSessions(t, session.Config{})
	near, far := stream(t, client, server, session.Control)
	client.Close()
	<-client.Done()
	<-server.Done()
	if !errors.Is(client.Err(), session.ErrClosed) {
		t.Errorf("the end that closed has cause %v", client.Err())
	}
	if !errors.Is(server.Err(), session.ErrLost) {
		t.Errorf("the other end has cause %v", server.Err())
	}
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, session.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, session.ErrLost) {
		t.Errorf("read at the other end: %v", err)
	}
	if _, err := far.Write(make([]byte, 1)); !errors.Is(err, session.ErrLost) {
		t.Errorf("write at the other end: %v", err)
	}
	if _, err := server.Accept(context.Background()); !errors.Is(err, session.ErrLost) {
		t.Errorf("accept: %v", err)
	}
	if _, err := client.Open(context.Background(), session.Bulk); !errors.Is(err, session.ErrClosed) {
		t.Errorf("open: %v", err)
	}
}
