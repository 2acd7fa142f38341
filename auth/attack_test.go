package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
)

var randReader = rand.Reader

// relay copies both ways until both ends are closed. It returns when done.
func relay(a, b io.ReadWriteCloser) {
	var wg sync.WaitGroup
	for _, dir := range [][2]io.ReadWriteCloser{{a, b}, {b, a}} {
		wg.Go(func() {
			io.Copy(dir[0], dir[1])
			a.Close()
			b.Close()
		})
	}
	wg.Wait()
}

// TestMITM_… : a relay that ends TLS on both sides and passes every frame on.
func TestMITM_RelayThatEndsTLSProvesNothing(t *testing.T) {
	t.Parallel()
	for _, stolen := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			key := mustKey(t, "secret")
			s := mustServer(t, ServerConfig{}, key)
			cert, err := newCertificate()
			if err != nil {
				t.Fatal(err)
			}
			if stolen {
				cert = s.tls.Certificates[0]
			}
			clientEnd, relayIn := net.Pipe()
			relayOut, serverEnd := net.Pipe()
			done := make(chan struct{})
			go func() { // joined below
				defer close(done)
				in := tls.Server(relayIn, serverTLS(cert))
				out := tls.Client(relayOut, clientTLS())
				if err := errors.Join(in.Handshake(), out.Handshake()); err != nil {
					t.Error(err)
				}
				relay(rawCloser{in, relayIn}, rawCloser{out, relayOut})
			}()
			client, server := loginOver(t, s, &ClientConfig{Key: key}, clientEnd, serverEnd)
			<-done
			if _, ok := errors.AsType[*RejectedError](client.err); !ok {
				t.Errorf("stolen %v: client: %v", stolen, client.err)
			}
			if _, ok := errors.AsType[*LoginError](server.err); !ok || s.Stats().LoggedIn != 0 {
				t.Errorf("stolen %v: server: %v", stolen, server.err)
			}
		})
	}
}

// rawCloser closes the connection below TLS.
type rawCloser struct {
	io.ReadWriter
	io.Closer
}

func TestRelay_ThatOnlyCopiesBytesWorksAndSeesNeitherKeyNorID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, text, err := GenerateKey("a-name-to-look-for")
		if err != nil {
			t.Fatal(err)
		}
		clientEnd, relayIn := net.Pipe()
		relayOut, serverEnd := net.Pipe()
		var seen lockedBuffer
		done := make(chan struct{})
		go func() { // joined below
			defer close(done)
			relay(tap{relayIn, &seen}, tap{relayOut, &seen})
		}()
		c, s := loginOver(t, mustServer(t, ServerConfig{}, key), &ClientConfig{Key: key}, clientEnd, serverEnd)
		if c.err != nil || s.err != nil {
			t.Fatal(c.err, s.err)
		}
		c.conn.Close()
		s.conn.Close()
		<-done
		capture := []byte(seen.String())
		if len(capture) < 1000 {
			t.Fatalf("captured only %d bytes", len(capture))
		}
		for _, secret := range [][]byte{[]byte(text), []byte(text[len(text)-20:]), []byte("a-name-to-look-for"), key.m().secret, key.prsBytes()} {
			if bytes.Contains(capture, secret) {
				t.Errorf("the capture holds %q", secret)
			}
		}
	})
}

// tap keeps what is read from a connection.
type tap struct {
	net.Conn
	seen *lockedBuffer
}

func (c tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.seen.Write(p[:n])
	return n, err
}

// TestFalseMaster_… : a false master that answers with one guess, keeps its own
// scalar and everything it saw, and then tries a dictionary with the key in it.
func TestFalseMaster_CanTestExactlyItsOneGuess(t *testing.T) {
	t.Parallel()
	dictionary := []string{"password", "secret", "letmein", "hunter2", "123456"}
	for guessed, wantHits := range map[string][]string{"password": nil, "secret": {"secret"}} {
		synctest.Test(t, func(t *testing.T) {
			var sid, c1, s1, c2 []byte
			scalar := count(0x77)
			err := clientAgainst(t, mustKey(t, "secret"), falseMaster(t, func(c *tls.Conn, id []byte) {
				sid = id
				x, err := startExchange(bytes.NewReader(scalar), mustKey(t, guessed).prsBytes(), sid)
				if err != nil {
					t.Error(err)
				}
				if c1, err = readFrame(c, frameC1); err != nil {
					t.Error(err)
				}
				s1 = newFrame(frameS1, answerAD(), x.Share())
				c.Write(s1)
				if c2, err = readFrame(c, frameC2); err != nil {
					t.Error(err)
				}
			}))
			if !GuessGiven(err) {
				t.Errorf("the client does not know that it gave a guess away: %v", err)
			}
			_, share, err := parseC1(c1)
			if err != nil {
				t.Fatal(err)
			}
			var hits []string
			for _, word := range dictionary {
				x, err := startExchange(bytes.NewReader(scalar), mustKey(t, word).prsBytes(), sid)
				if err != nil {
					t.Fatal(err)
				}
				// What the client would have sent if word were its key: with the
				// share that the false master sent, and with the one for word.
				isk, err := x.FinishResponder(share, answerAD(), helloAD(DefaultKeyID))
				if err != nil {
					t.Fatal(err)
				}
				p, err := newProofs(isk, sid)
				if err != nil {
					t.Fatal(err)
				}
				other := newFrame(frameS1, answerAD(), x.Share())
				if proofEqual(c2, p.c2(c1, s1)) || proofEqual(c2, p.c2(c1, other)) {
					hits = append(hits, word)
				}
			}
			if len(hits) != len(wantHits) || len(hits) == 1 && hits[0] != wantHits[0] {
				t.Errorf("guess %q: the dictionary gives %q, want %q", guessed, hits, wantHits)
			}
		})
	}
}

func TestServer_SendsNoProofBeforeTheClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := mustKey(t, "secret")
		s := mustServer(t, ServerConfig{}, key)
		// A wrong key, and an id that does not exist: the same frames come back.
		var answers [][]byte
		for _, kid := range []string{DefaultKeyID, "nobody-1"} {
			var got []byte
			serverAgainst(t, s, func(c net.Conn) {
				conn := tls.Client(c, clientTLS())
				if err := conn.Handshake(); err != nil {
					t.Error(err)
				}
				x, err := startExchange(randReader, make([]byte, prsSize), count(0))
				if err != nil {
					t.Error(err)
				}
				conn.Write(newFrame(frameC1, helloAD(kid), x.Share()))
				s1, err := readFrame(conn, frameS1)
				if err != nil {
					t.Error(err)
				}
				conn.Write(newFrame(frameC2, make([]byte, proofSize)))
				rest, _ := io.ReadAll(conn)
				got = append(s1[:len(s1)-32:len(s1)-32], rest...)
			})
			answers = append(answers, got)
		}
		if !bytes.Equal(answers[0], answers[1]) {
			t.Errorf("wrong key: %x\nunknown id: %x", answers[0], answers[1])
		}
		if want := newER(erRejected, 0, "authentication failed"); !bytes.HasSuffix(answers[0], want) || len(answers[0]) != 5+len(want) {
			t.Errorf("a wrong key gets %x", answers[0])
		}
	})
}

func TestLogs_HoldNoSecretAtDebugLevel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const secret = "hunter2-and-more"
		logger, log := debugLogger()
		s := mustServer(t, ServerConfig{Logger: logger}, mustKey(t, secret))
		for _, text := range []string{secret, "wrong-" + secret} {
			c, srv := login(t, s, &ClientConfig{Key: mustKey(t, text)})
			for _, o := range []outcome{c, srv} {
				if o.conn != nil {
					o.conn.Close()
				}
				if o.err != nil {
					logger.Error("x", "error", o.err)
				}
			}
		}
		if out := log.String(); bytes.Contains([]byte(out), []byte("hunter2")) || len(out) == 0 {
			t.Errorf("log:\n%s", out)
		}
	})
}
