package auth

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// maxServerIn is what a master reads before the client has proved itself: ten
// times what a client needs.
const maxServerIn = 16 << 10

// lingerTime is how long a refused client may take to read why.
const lingerTime = time.Second

// serverHandshake is one handshake of a Server.
type serverHandshake struct {
	ticket *Ticket
	server *Server
	raw    *guarded
	tls    *tls.Conn
	kid    string // as claimed
}

func (h *serverHandshake) run() error {
	h.tls = tls.Server(h.raw, h.server.tls)
	if err := h.tls.Handshake(); err != nil {
		if errors.Is(err, errNotTLS) {
			h.answerPlainText()
		}
		return err
	}
	h.raw.reached(phaseTLS)
	state := h.tls.ConnectionState()
	if state.NegotiatedProtocol != alpn { // crypto/tls lets clients without ALPN pass
		return fmt.Errorf("%w: the client does not ask for ALPN %s", errFrame, alpn)
	}
	sid, err := sessionID(&state)
	if err != nil {
		return err
	}
	err = h.prove(h.tls, sid)
	if errors.Is(err, errFrame) {
		h.refuse(h.tls, newER(erMalformed, 0, "malformed handshake"))
	}
	return err
}

// prove runs the key exchange over rw: C1, S1, C2, S2.
func (h *serverHandshake) prove(rw io.ReadWriter, sid []byte) error {
	c1, err := readFrame(rw, frameC1)
	if err != nil {
		return err
	}
	kid, share, err := parseC1(c1)
	if err != nil {
		return err
	}
	h.kid = kid

	// An id that does not exist takes the same way as a wrong key: a random
	// secret, the same work, the same frames, the same end.
	key, known := h.server.config.Keys.Lookup(kid)
	known = known && !key.IsZero()
	prs := make([]byte, prsSize)
	rand.Read(prs) // never fails
	if known {
		prs = key.prsBytes()
	}
	guessable := !known || !key.Generated()

	source, budget := h.ticket.source, h.server.guesses
	if guessable {
		if wait := budget.wait(source); wait > 0 { // before the client gives a guess away
			return h.throttle(rw, wait)
		}
	}
	exchange, err := startExchange(h.server.config.rand, prs, sid)
	if err != nil {
		return err
	}
	isk, err := exchange.FinishResponder(share, answerAD(), helloAD(kid))
	if err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	proofs, err := newProofs(isk, sid)
	if err != nil {
		return err
	}
	s1 := newFrame(frameS1, answerAD(), exchange.Share())
	if _, err := rw.Write(s1); err != nil {
		return err
	}

	c2, err := readFrame(rw, frameC2)
	if err != nil {
		return err // no guess was made
	}
	var taken guess
	if guessable {
		var wait time.Duration
		if taken, wait = budget.take(source); wait > 0 {
			return h.throttle(rw, wait)
		}
	}
	if ok := proofEqual(c2, proofs.c2(c1, s1)); !ok || !known {
		h.refuse(rw, newER(erRejected, 0, "authentication failed"))
		return &LoginError{Remote: h.ticket.remote, KeyID: kid}
	}
	budget.succeeded(source, taken)
	_, err = rw.Write(newFrame(frameS2, proofs.s2(c1, s1, c2)))
	return err
}

func (h *serverHandshake) throttle(w io.Writer, wait time.Duration) error {
	h.refuse(w, newER(erThrottled, wait, "too many failed attempts"))
	return &ThrottledError{Addr: h.ticket.remote, RetryAfter: wait}
}

// refuse sends an ER. Whether it arrives changes nothing here.
func (h *serverHandshake) refuse(w io.Writer, er []byte) { _, _ = w.Write(er) }

// answerPlainText tells a client without TLS what this port is, and gives it
// time to read that: closing at once, with its request half read, would make
// TCP throw the answer away.
func (h *serverHandshake) answerPlainText() {
	const line = "this port speaks TLS 1.3 with ALPN " + alpn + " (a reeve master), not plain text\r\n"
	answer := line
	switch string(h.raw.first[:min(4, len(h.raw.first))]) {
	case "GET ", "HEAD", "POST", "PUT ", "OPTI", "DELE", "PATC", "CONN":
		answer = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + line
	}
	if h.raw.SetDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	if _, err := io.WriteString(h.raw, answer); err != nil {
		return
	}
	half, ok := h.raw.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_, _ = io.Copy(io.Discard, h.raw) // ends by its byte limit, too
}

var _ net.Conn = (*guarded)(nil)
