package manager

import (
	"context"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	transport "github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/session/memnet"
)

// connected is a session with a client that reads nothing.
func connected(t *testing.T) *session {
	t.Helper()
	near, far := memnet.Pipe()
	client, err := transport.Client(far, transport.Config{Window: transport.MinWindow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err := transport.Server(near, transport.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Open(context.Background(), transport.Calls); err != nil {
		t.Fatal(err)
	}
	s := &session{m: &Master{}, mux: server}
	if s.calls, err = server.Accept(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.out.init(s, 1<<20)
	t.Cleanup(func() {
		server.Close()
		s.m.crew.close()
	})
	return s
}

// TestLetOut_WritesNoMoreThanThereIsRoomFor: it is called by the goroutine that reads
// the connection, by which alone there is room again. Others add tasks at any time.
func TestLetOut_WritesNoMoreThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	s := connected(t)
	o := &s.out
	if _, err := s.calls.Write(make([]byte, s.calls.Room()-3*fewAnswers)); err != nil {
		t.Fatal(err)
	}
	o.hold()
	o.confirm(1, 1, 0)

	// Both wait for the mutex for so long that it is handed from one to the other,
	// even where the first would like to have it back at once.
	const long = 5 * time.Millisecond
	o.mu.Lock()
	let, delivered := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(let)
		o.letOut()
	}()
	time.Sleep(long)
	go func() {
		defer close(delivered)
		o.deliver(1, "q", &reeve.Task{Payload: make([]byte, 20<<10)})
	}()
	time.Sleep(long)
	o.mu.Unlock()
	o.mu.Lock()
	time.Sleep(long)
	o.mu.Unlock()
	select {
	case <-let:
	case <-time.After(10 * time.Second):
		t.Error("it waits for room")
	}
	<-delivered
}
