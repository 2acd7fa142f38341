package auth

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"
)

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{frameC1, 0xff, 0xff})
	f.Add(newER(erThrottled, time.Second, "x"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bytes.NewReader(in)
		frame, err := readFrame(r, frameC1, frameS1, frameC2, frameS2, frameER)
		if err != nil {
			return
		}
		if len(frame) > headerSize+maxBody || !bytes.Equal(frame, in[:len(frame)]) || r.Len() != len(in)-len(frame) {
			t.Fatalf("%x gives the frame %x", in, frame)
		}
		switch frame[0] {
		case frameC1:
			if kid, share, err := parseC1(frame); err == nil && !bytes.Equal(newFrame(frameC1, helloAD(kid), share), frame) {
				t.Fatalf("C1 %x has a second form", frame)
			}
		case frameS1:
			if share, err := parseS1(frame); err == nil && !bytes.Equal(newFrame(frameS1, answerAD(), share), frame) {
				t.Fatalf("S1 %x has a second form", frame)
			}
		case frameER:
			if code, retry, text, err := parseER(frame); err == nil && !bytes.Equal(newER(code, retry, text), frame) {
				t.Fatalf("ER %x has a second form", frame)
			}
		}
	})
}

// Whatever a client without the key sends inside TLS, it is not let in.
func FuzzServerFrames(f *testing.F) {
	s := mustServer(f, ServerConfig{}, mustKey(f, "secret"))
	f.Add(unhex(f, vectorC1+vectorC2))
	f.Add(newFrame(frameC1, helloAD("nobody"), count(1)))
	f.Add(append(newFrame(frameC1, helloAD("default"), count(1)), newFrame(frameC2, make([]byte, 64))...))
	f.Fuzz(func(t *testing.T, in []byte) {
		h := &serverHandshake{server: s, ticket: &Ticket{server: s, source: "x", remote: "x"}}
		conn := &script{Reader: bytes.NewReader(in)}
		if err := h.prove(conn, count(0)); err == nil {
			t.Fatalf("%x was let in", in)
		}
		if bytes.HasPrefix(conn.sent.Bytes(), []byte{frameS2}) {
			t.Fatalf("%x got a proof", in)
		}
	})
}

// Whatever a master without the key sends inside TLS, it is not believed.
func FuzzClientFrames(f *testing.F) {
	key := mustKey(f, "secret")
	f.Add(unhex(f, vectorS1+vectorS2))
	f.Add(newER(erRejected, 0, "authentication failed"))
	f.Add(append(newFrame(frameS1, answerAD(), count(1)), newER(erThrottled, time.Hour, "x")...))
	f.Fuzz(func(t *testing.T, in []byte) {
		h := &clientHandshake{addr: "x", config: &ClientConfig{Key: key}, raw: &guarded{ctx: t.Context()}}
		err := h.prove(&script{Reader: bytes.NewReader(in)}, count(0))
		if err == nil {
			t.Fatalf("%x was believed", in)
		}
		if got := GuessGiven(h.explain(err, DefaultTimeout)); got != h.proved {
			t.Fatalf("%x: guess given %v, proof sent %v", in, got, h.proved)
		}
	})
}

// Raw bytes at the port: no panic, and never more read than the limit.
func FuzzServerRaw(f *testing.F) {
	s := mustServer(f, ServerConfig{}, mustKey(f, "secret"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte{tlsHandshakeRecord, 3, 1, 0, 5, 1, 0, 0, 1, 3})
	f.Add([]byte{tlsAlertRecord, 3, 3, 0, 2, 2, 40})
	f.Fuzz(func(t *testing.T, in []byte) {
		conn := &scriptConn{Reader: bytes.NewReader(in)}
		if _, _, err := s.Handshake(t.Context(), conn); err == nil {
			t.Fatalf("%x was let in", in)
		}
		if read := len(in) - conn.Reader.Len(); read > maxServerIn {
			t.Fatalf("%d bytes were read", read)
		}
	})
}

// scriptConn is a connection with a given input; output is dropped.
type scriptConn struct {
	*bytes.Reader
}

func (c *scriptConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *scriptConn) Read(p []byte) (int, error)       { return c.Reader.Read(p) }
func (c *scriptConn) Close() error                     { return nil }
func (c *scriptConn) LocalAddr() net.Addr              { return textAddr("x") }
func (c *scriptConn) RemoteAddr() net.Addr             { return textAddr("x") }
func (c *scriptConn) SetDeadline(time.Time) error      { return errors.ErrUnsupported }
func (c *scriptConn) SetReadDeadline(time.Time) error  { return errors.ErrUnsupported }
func (c *scriptConn) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }
