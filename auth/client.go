package auth

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// maxClientIn is what a client reads before the master has proved itself: room
// for the certificates of any TLS server that happens to be there.
const maxClientIn = 64 << 10

// maxRetryAfter bounds what an unproved peer can make a client wait.
const maxRetryAfter = time.Minute

// ClientConfig is how a client authenticates. It may be used for any number of
// connections at the same time.
type ClientConfig struct {
	Key     Key           // required
	Timeout time.Duration // of one handshake; 0 means DefaultTimeout

	rand io.Reader        // tests: fixed scalars
	now  func() time.Time // tests: a wrong clock
}

func (c *ClientConfig) validate() error {
	if c.Key.IsZero() {
		return &KeyError{Problem: "ClientConfig.Key is not set"}
	}
	if c.Timeout < 0 {
		return errors.New("auth: ClientConfig.Timeout must not be negative")
	}
	return nil
}

// Handshake authenticates conn, a fresh connection to the master at addr (used
// in errors only), and returns the connection to use in its place. It takes
// conn over: on an error conn has been closed. It blocks until the master has
// proved that it holds the key, at most Timeout, and ends early when ctx does.
//
// Errors: [*RejectedError] and [*UnprovenError] (reeve.ErrAuth),
// [*ThrottledError], [*NotTLSError], [*NotMasterError], [*VersionError],
// [*RefusedError], [*TimeoutError], [*HandshakeError], [*KeyError], or ctx's
// cause. The caller must ask [GuessGiven] before it tries again.
func (c *ClientConfig) Handshake(ctx context.Context, conn net.Conn, addr string) (net.Conn, *Peer, error) {
	if err := c.validate(); err != nil {
		conn.Close()
		return nil, nil, err
	}
	c.Key.prsBytes() // the first use stretches: not on the connection's time
	timeout := c.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()

	h := &clientHandshake{config: c, addr: addr, raw: &guarded{Conn: conn, ctx: ctx, left: maxClientIn}}
	if err := joined(ctx, conn, h.run); err != nil {
		conn.Close()
		return nil, nil, h.explain(err, timeout)
	}
	h.raw.open()
	return &secured{h.tls, conn}, &Peer{KeyID: c.Key.ID(), Remote: conn.RemoteAddr()}, nil
}

// clientHandshake is one handshake of a client.
type clientHandshake struct {
	config *ClientConfig
	addr   string
	raw    *guarded
	tls    *tls.Conn
	proved bool // the client's proof has been sent, at least in part
}

func (h *clientHandshake) run() error {
	config := clientTLS()
	config.Time = h.config.now
	h.tls = tls.Client(h.raw, config)
	if err := h.tls.Handshake(); err != nil {
		return err
	}
	state := h.tls.ConnectionState()
	if state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != alpn {
		return &NotMasterError{h.addr}
	}
	sid, err := sessionID(&state)
	if err != nil {
		return err
	}
	return h.prove(h.tls, sid)
}

// prove runs the key exchange over rw: C1, S1, C2, S2.
func (h *clientHandshake) prove(rw io.ReadWriter, sid []byte) error {
	key := h.config.Key
	random := h.config.rand
	if random == nil {
		random = rand.Reader
	}
	exchange, err := startExchange(random, key.prsBytes(), sid)
	if err != nil {
		return err
	}
	ad := helloAD(key.ID())
	c1 := newFrame(frameC1, ad, exchange.Share())
	if _, err := rw.Write(c1); err != nil {
		return err
	}

	s1, err := h.expect(rw, frameS1)
	if err != nil {
		return err
	}
	share, err := parseS1(s1)
	if err != nil {
		return err
	}
	isk, err := exchange.FinishInitiator(share, ad, answerAD())
	if err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	proofs, err := newProofs(isk, sid)
	if err != nil {
		return err
	}

	c2 := newFrame(frameC2, proofs.c2(c1, s1))
	h.proved = true // before the write: part of it may arrive even if it fails
	if _, err := rw.Write(c2); err != nil {
		return err
	}
	s2, err := h.expect(rw, frameS2)
	if err != nil {
		return err
	}
	if !proofEqual(s2, proofs.s2(c1, s1, c2)) {
		return errors.New("the master's proof is wrong")
	}
	return nil
}

// expect reads one frame of type want; an ER in its place becomes its error.
func (h *clientHandshake) expect(r io.Reader, want byte) ([]byte, error) {
	frame, err := readFrame(r, want, frameER)
	if err != nil || frame[0] == want {
		return frame, err
	}
	code, retry, text, err := parseER(frame)
	switch {
	case err != nil:
		return nil, err
	case code == erThrottled:
		return nil, &ThrottledError{Addr: h.addr, RetryAfter: min(retry, maxRetryAfter), guess: h.proved}
	case code == erRejected && h.proved:
		return nil, &RejectedError{Addr: h.addr, KeyID: h.config.Key.ID()}
	}
	return nil, &RefusedError{Addr: h.addr, Code: int(code), Text: text, guess: h.proved}
}

// explain turns the end of a handshake into the error for the caller.
func (h *clientHandshake) explain(err error, timeout time.Duration) error {
	if errors.Is(err, errTimeout) {
		err = &TimeoutError{Addr: h.addr, After: timeout}
	}
	switch err.(type) {
	case *RejectedError, *ThrottledError, *RefusedError, *NotMasterError:
		return err
	}
	switch {
	case h.proved: // any end but a valid S2: a guess was given away
		return &UnprovenError{Addr: h.addr, Err: err}
	case errors.Is(err, errNotTLS):
		return &NotTLSError{Addr: h.addr, Got: h.raw.first}
	case isVersionAlert(err):
		return &VersionError{Addr: h.addr, Err: err}
	}
	if _, ok := err.(*TimeoutError); ok || h.raw.ctx.Err() != nil {
		return err
	}
	return &HandshakeError{Addr: h.addr, Err: err, Protocol: isTLSError(err) || errors.Is(err, errFrame) || errors.Is(err, errTooMuch)}
}
