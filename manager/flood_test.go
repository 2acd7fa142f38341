package manager_test

import (
	"encoding/binary"
	"io"
	"sync/atomic"
	"testing"

	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/internal/session"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/managertest"
)

// TestFlood_OfAClientThatReadsNothingIsNotReadEither, also when it begins together
// with the stream: a few requests are carried out at once where it is noticed.
func TestFlood_OfAClientThatReadsNothingIsNotReadEither(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		began, goOn := make(chan struct{}), make(chan struct{})
		var carriedOut atomic.Int64
		m.Manager().Spy(func(wire.Type) {
			if carriedOut.Add(1) == 1 {
				close(began)
				<-goOn
			}
		})
		cfg := m.ClientConfig()
		conn, err := cfg.Dialer(t.Context(), m.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		handshake := auth.ClientConfig{Key: cfg.AuthKey}
		secured, _, err := handshake.Handshake(t.Context(), conn, m.Addr())
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, secured) // ends with conn; nothing is granted
		send := func(kind byte, flags uint16, stream uint32, body []byte) {
			t.Helper()
			b := []byte{0, kind}
			b = binary.BigEndian.AppendUint16(b, flags)
			b = binary.BigEndian.AppendUint32(b, stream)
			b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
			if _, err := secured.Write(append(b, body...)); err != nil {
				t.Fatal(err)
			}
		}
		const data, window, syn = 0, 1, 1
		req := uint64(1)
		acks := func(n int) []byte { // n requests, each of which has an error for an answer
			return build(t, func(b *wire.Builder) error {
				low := req
				for range n {
					if err := b.Ack(req, low, "no such queue", 1, 1); err != nil {
						return err
					}
					req++
				}
				return nil
			})
		}
		send(window, syn, 1, nil)
		send(data, 0, 1, append([]byte{byte(session.Control)}, encode(t, wire.Hello{Version: wire.Version, Low: 1})...))
		settle()
		send(window, syn, 3, nil)
		send(data, 0, 3, append([]byte{byte(session.Calls)}, acks(1)...))
		<-began
		const frames = 20
		for range frames {
			send(data, 0, 3, acks(wire.MaxEntries))
		}
		settle()
		close(goOn)
		settle()
		if n := carriedOut.Load(); n < 2 || n > frames/2 {
			t.Errorf("%d of %d messages were carried out, though nobody reads the answers", n, frames+1)
		}
	})
}
