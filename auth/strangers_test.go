package auth

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
)

// clientAgainst runs a client's handshake against peer, which gets the other
// end of an in-memory connection.
func clientAgainst(t *testing.T, key Key, peer func(net.Conn)) error {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() { // joined below
		defer close(done)
		peer(b)
	}()
	conn, _, err := (&ClientConfig{Key: key}).Handshake(t.Context(), a, "host:5000")
	if err == nil {
		conn.Close()
		t.Error("the handshake succeeded")
	}
	<-done
	b.Close()
	return err
}

// tlsPeer is a TLS server with the given configuration, and then f.
func tlsPeer(t *testing.T, config *tls.Config, f func(*tls.Conn)) func(net.Conn) {
	cert, err := newCertificate()
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{cert}
	return func(raw net.Conn) {
		c := tls.Server(raw, config)
		if c.Handshake() == nil && f != nil {
			f(c)
		}
		raw.Close()
	}
}

func TestClient_SaysWhatItMetInsteadOfAMaster(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "secret")
	const version = "version mismatch: this worker speaks reeve/1, the master does not"
	for name, tc := range map[string]struct {
		peer func(net.Conn)
		text string
		code int
		is   error
	}{
		"plain text": {
			peer: func(c net.Conn) { go io.Copy(io.Discard, c); io.WriteString(c, "220 smtp.example.org ready\r\n") },
			text: `host:5000 does not speak TLS (got "220 s"): is this the master's port?`,
			code: ExitProtocol, is: reeve.ErrProtocol,
		},
		"escape sequence": {
			peer: func(c net.Conn) { go io.Copy(io.Discard, c); io.WriteString(c, "\x1b[2J\r\n") },
			text: `host:5000 does not speak TLS (got "\x1b[2J\r"): is this the master's port?`,
			code: ExitProtocol, is: reeve.ErrProtocol,
		},
		"HTTPS":     {tlsPeer(t, &tls.Config{}, nil), "host:5000 is not a reeve master", ExitProtocol, reeve.ErrProtocol},
		"HTTP/2":    {tlsPeer(t, &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, nil), version, ExitProtocol, reeve.ErrVersion},
		"reeve/2":   {tlsPeer(t, &tls.Config{NextProtos: []string{"reeve/2"}}, nil), version, ExitProtocol, reeve.ErrProtocol},
		"TLS 1.2":   {tlsPeer(t, &tls.Config{MaxVersion: tls.VersionTLS12, NextProtos: []string{alpn}}, nil), version, ExitProtocol, reeve.ErrVersion},
		"hang-up":   {func(c net.Conn) { c.Close() }, "handshake with host:5000 failed: ", ExitUnavailable, nil},
		"silence":   {func(c net.Conn) { io.Copy(io.Discard, c) }, "host:5000 did not finish the handshake within 10s", ExitUnavailable, context.DeadlineExceeded},
		"no frames": {tlsPeer(t, &tls.Config{NextProtos: []string{alpn}}, func(c *tls.Conn) { readFrame(c, frameC1); io.WriteString(c, "GET /") }), "handshake with host:5000 failed: ", ExitProtocol, reeve.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				err := clientAgainst(t, key, tc.peer)
				if err == nil || !strings.HasPrefix(err.Error(), tc.text) {
					t.Errorf("text is %v, want %s", err, tc.text)
				}
				if ExitCode(err) != tc.code || tc.is != nil && !errors.Is(err, tc.is) || GuessGiven(err) {
					t.Errorf("%#v: exit code %d, guess given %v", err, ExitCode(err), GuessGiven(err))
				}
			})
		})
	}
}

// falseMaster is a TLS peer with the right ALPN that plays a master by hand.
func falseMaster(t *testing.T, play func(c *tls.Conn, sid []byte)) func(net.Conn) {
	return tlsPeer(t, &tls.Config{NextProtos: []string{alpn}}, func(c *tls.Conn) {
		state := c.ConnectionState()
		sid, err := sessionID(&state)
		if err != nil {
			t.Error(err)
			return
		}
		play(c, sid)
	})
}

// answerC1 reads C1 and answers it as a master with the key does.
func answerC1(t *testing.T, c io.ReadWriter, sid []byte, key Key) {
	c1, err := readFrame(c, frameC1)
	if err != nil {
		t.Error(err)
		return
	}
	x, err := startExchange(randReader, key.prsBytes(), sid)
	if err != nil {
		t.Error(err)
		return
	}
	if _, _, err := parseC1(c1); err != nil {
		t.Error(err)
	}
	c.Write(newFrame(frameS1, answerAD(), x.Share()))
}

func TestClient_EveryEndAfterItsProofIsAGuessGiven(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "secret")
	const unproven = "the peer at host:5000 did not prove that it knows the authkey"
	for name, tc := range map[string]struct {
		after func(c *tls.Conn)
		text  string
		code  int
	}{
		"dropped":    {func(*tls.Conn) {}, unproven, ExitAuth},
		"silent":     {func(c *tls.Conn) { io.Copy(io.Discard, c) }, unproven, ExitAuth},
		"wrong S2":   {func(c *tls.Conn) { c.Write(newFrame(frameS2, make([]byte, proofSize))) }, unproven, ExitAuth},
		"empty S2":   {func(c *tls.Conn) { c.Write(newFrame(frameS2)) }, unproven, ExitAuth},
		"garbage":    {func(c *tls.Conn) { io.WriteString(c, "GET / HTTP/1.1") }, unproven, ExitAuth},
		"throttled":  {func(c *tls.Conn) { c.Write(newER(erThrottled, 24*time.Hour, "x")) }, "master asks to wait 1m0s: too many failed attempts", ExitUnavailable},
		"other code": {func(c *tls.Conn) { c.Write(newER(9, 0, "\x1b[2J")) }, `the master at host:5000 refused the handshake (code 9): "\x1b[2J"`, ExitProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				err := clientAgainst(t, key, falseMaster(t, func(c *tls.Conn, sid []byte) {
					answerC1(t, c, sid, key)
					if _, err := readFrame(c, frameC2); err != nil {
						t.Error(err)
					}
					tc.after(c)
				}))
				if err == nil || err.Error() != tc.text || !GuessGiven(err) || ExitCode(err) != tc.code {
					t.Errorf("%v (guess given %v, exit code %d), want %s", err, GuessGiven(err), ExitCode(err), tc.text)
				}
			})
		})
	}
}

func TestClient_AnEndBeforeItsProofIsNoGuess(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "secret")
	for name, after := range map[string]func(c *tls.Conn){
		"dropped":         func(*tls.Conn) {},
		"throttled":       func(c *tls.Conn) { c.Write(newER(erThrottled, time.Second, "x")) },
		"rejected":        func(c *tls.Conn) { c.Write(newER(erRejected, 0, "x")) },
		"low order share": func(c *tls.Conn) { c.Write(newFrame(frameS1, answerAD(), make([]byte, 32))) },
		"another suite":   func(c *tls.Conn) { c.Write(newFrame(frameS1, []byte{1, 2}, count(9))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				err := clientAgainst(t, key, falseMaster(t, func(c *tls.Conn, sid []byte) {
					if _, err := readFrame(c, frameC1); err != nil {
						t.Error(err)
					}
					after(c)
				}))
				if err == nil || GuessGiven(err) || errors.Is(err, reeve.ErrAuth) {
					t.Errorf("%v: guess given %v", err, GuessGiven(err))
				}
			})
		})
	}
}

// lockedBuffer is a buffer for a logger.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func debugLogger() (*slog.Logger, *lockedBuffer) {
	out := new(lockedBuffer)
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})), out
}

// serverAgainst runs a server's handshake against peer.
func serverAgainst(t *testing.T, s *Server, peer func(net.Conn)) error {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() { // joined below
		defer close(done)
		peer(a)
	}()
	conn, _, err := s.Handshake(t.Context(), b)
	if err == nil {
		conn.Close()
		t.Error("the handshake succeeded")
	}
	a.Close()
	<-done
	return err
}

func TestServer_AnswersPlainTextInOneLineAndLogsItOncePerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		logger, log := debugLogger()
		s := mustServer(t, ServerConfig{Logger: logger}, mustKey(t, "secret"))
		for range 5 {
			var answer []byte
			err := serverAgainst(t, s, func(c net.Conn) {
				io.WriteString(c, "hello?")
				answer, _ = io.ReadAll(c)
			})
			if _, ok := errors.AsType[*PlainTextError](err); !ok || !errors.Is(err, reeve.ErrProtocol) {
				t.Errorf("error is %v", err)
			}
			if got := string(answer); !strings.HasPrefix(got, "this port speaks TLS 1.3 with ALPN reeve/1") || strings.Count(got, "\n") != 1 {
				t.Errorf("answer is %q", got)
			}
		}
		if n := strings.Count(log.String(), "does not speak TLS"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, log)
		}
		time.Sleep(time.Minute)
		err := serverAgainst(t, s, func(c net.Conn) { io.WriteString(c, "\x00\x01") }) // and reads no answer
		if _, ok := errors.AsType[*PlainTextError](err); !ok {
			t.Errorf("error is %v", err)
		}
		if !strings.Contains(log.String(), "more_since_last=4") {
			t.Errorf("after a minute:\n%s", log)
		}
	})
}

func TestServer_AnswersHTTPSoThatACurlShowsIt(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := mustServer(t, ServerConfig{}, mustKey(t, "secret"))
	done := make(chan error, 1)
	go func() { // joined below
		c, err := ln.Accept()
		if err == nil {
			_, _, err = s.Handshake(t.Context(), c)
		}
		done <- err
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// More than the server reads before it answers: the answer must still arrive.
	request := "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 8000) + "\r\n\r\n"
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	c.Close()
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.0 400 ") || !strings.Contains(string(answer), "\r\n\r\nthis port speaks TLS 1.3") {
		t.Errorf("answer is %q, %v", answer, err)
	}
	if _, ok := errors.AsType[*PlainTextError](<-done); !ok {
		t.Error("not a PlainTextError")
	}
}

func TestServer_SilentClientIsCutAtTheDeadlineAndNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		logger, log := debugLogger()
		s := mustServer(t, ServerConfig{Logger: logger}, mustKey(t, "secret"))
		start := time.Now()
		err := serverAgainst(t, s, func(c net.Conn) { io.Copy(io.Discard, c) })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != DefaultTimeout/2 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if !strings.Contains(log.String(), "no TLS hello; a CPython multiprocessing client?") {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestServer_DrippingClientIsCutAtTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, ServerConfig{Timeout: 5 * time.Second}, mustKey(t, "secret"))
		start := time.Now()
		err := serverAgainst(t, s, func(c net.Conn) {
			c.Write([]byte{tlsHandshakeRecord, 3, 1, 0x40, 0}) // a record of 16 KiB, byte by byte
			for {
				if _, err := c.Write([]byte{1}); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
		if d := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || d < 5*time.Second || d > 5*time.Second+50*time.Millisecond {
			t.Errorf("%v after %v", err, d)
		}
	})
}

func TestServer_OversizedHelloIsCutBeforeItIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, ServerConfig{}, mustKey(t, "secret"))
		sent := 0
		err := serverAgainst(t, s, func(c net.Conn) {
			hello := append([]byte{1, 0, 0xff, 0xf0}, make([]byte, 0xfff0)...) // 65,520 bytes of ClientHello
			for len(hello) > 0 {
				n := min(len(hello), 1<<14)
				record := append([]byte{tlsHandshakeRecord, 3, 1, byte(n >> 8), byte(n)}, hello[:n]...)
				m, err := c.Write(record)
				if sent += m; err != nil {
					return
				}
				hello = hello[n:]
			}
		})
		if !errors.Is(err, reeve.ErrProtocol) || sent > maxServerIn {
			t.Errorf("%v after %d bytes", err, sent)
		}
	})
}

func TestServer_RefusesForeignTLSClients(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]*tls.Config{
		"no ALPN":      {InsecureSkipVerify: true},
		"foreign ALPN": {InsecureSkipVerify: true, NextProtos: []string{"h2", "reeve/2"}},
		"TLS 1.2":      {InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, NextProtos: []string{alpn}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				err := serverAgainst(t, mustServer(t, ServerConfig{}, mustKey(t, "secret")), func(c net.Conn) {
					conn := tls.Client(c, config)
					if conn.Handshake() == nil {
						conn.Read(make([]byte, 1))
					}
				})
				if !errors.Is(err, reeve.ErrProtocol) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

func TestServer_TellsAMalformedClientSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, ServerConfig{}, mustKey(t, "secret"))
		for name, frame := range map[string][]byte{
			"other type":      newFrame(frameC2, make([]byte, 64)),
			"other version":   newFrame(frameC1, []byte{2, 1, 1, 'a'}, count(1)),
			"other suite":     newFrame(frameC1, []byte{1, 2, 1, 'a'}, count(1)),
			"bad key id":      newFrame(frameC1, []byte{1, 1, 1, 'A'}, count(1)),
			"low order share": newFrame(frameC1, helloAD("default"), make([]byte, 32)),
			"64 KiB":          {frameC1, 0xff, 0xff},
		} {
			var code byte
			err := serverAgainst(t, s, func(c net.Conn) {
				conn := tls.Client(c, clientTLS())
				if err := conn.Handshake(); err != nil {
					t.Error(err)
				}
				conn.Write(frame)
				if er, err := readFrame(conn, frameER); err == nil {
					code, _, _, _ = parseER(er)
				}
			})
			if !errors.Is(err, reeve.ErrProtocol) || code != erMalformed {
				t.Errorf("%s: %v, ER %d", name, err, code)
			}
		}
		if got := s.Stats(); got.Failed != 0 {
			t.Errorf("malformed frames counted as guesses: %+v", got)
		}
	})
}
