package manager_test

import (
	"context"
	"crypto/rand"
	"net"
	"testing"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/manager"
)

// Who learns another client's id, and has a key of his own, gets neither its
// session nor its leases.
func TestClientID_WithAnotherKeyIsAnotherClient(t *testing.T) {
	one, _, err := auth.GenerateKey("one")
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := auth.GenerateKey("two")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.Keys(one, two)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manager.New(manager.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(context.Background(), ln) }() // received below
	defer func() {
		m.Close()
		<-served
	}()
	var id wire.ClientID
	rand.Read(id[:])
	enter := func(key auth.Key) *raw {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		handshake := auth.ClientConfig{Key: key}
		secured, _, err := handshake.Handshake(t.Context(), conn, ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s, err := session.Client(secured, session.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		r := &raw{t: t, s: s}
		r.openControl()
		r.write(r.control, encode(t, wire.Hello{Version: wire.Version, Client: id, Low: 1}))
		return r
	}
	first := enter(one)
	first.read(first.said, wire.TypeWelcome, &first.welcome)
	second := enter(two)
	second.read(second.said, wire.TypeWelcome, &second.welcome)
	if second.welcome.Resumed {
		t.Error("the other key's client was taken for the first one")
	}
	if s := m.Stats(); s.TakenOver != 0 || s.Sessions != 2 || first.s.Err() != nil {
		t.Errorf("%+v; the first session: %v", s, first.s.Err())
	}
}
