// Package cpace is the balanced password-authenticated key exchange CPace in
// the suite CPACE-X25519-SHA512, initiator and responder, as specified by
// draft-irtf-cfrg-cpace-21.
//
// It is only the exchange: it knows no frames, no connections, no key
// confirmation and no way to stretch a password. The key it returns is
// unconfirmed: nothing is proved until both sides have shown, with a MAC, that
// they hold the same one.
//
// Rules: an Exchange is used for one peer and one session, then thrown away;
// field arithmetic and comparisons are constant time; the peer's share is the
// only input that an attacker chooses freely.
package cpace

import (
	"crypto/ecdh"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	// ShareSize is the length of a public share in bytes.
	ShareSize = 32
	// KeySize is the length of the resulting key (the draft's ISK) in bytes.
	KeySize = sha512.Size

	dsi    = "CPace255"     // G_X25519.DSI, section "CPace group objects G_X25519"
	dsiISK = "CPace255_ISK" // G.DSI || "_ISK", section "CPace protocol instructions"
)

var (
	// ErrShare says that the peer's share has the wrong length or is a point of
	// low order: the draft's abort case. No honest peer sends one.
	ErrShare = errors.New("cpace: the peer's share is not acceptable")
	// ErrUsed says that the exchange has already been finished: its scalar must
	// not meet a second share.
	ErrUsed = errors.New("cpace: this exchange has been used")
)

// Exchange is one side's state between sending its share and receiving the
// peer's. It is not safe for concurrent use.
type Exchange struct {
	scalar *ecdh.PrivateKey // nil once used
	sid    []byte
	share  [ShareSize]byte
}

// Start begins an exchange: it derives the session's generator from the
// password-related string prs, the channel identifier ci and the session id
// sid, and draws a scalar of 32 bytes from rand (crypto/rand.Reader, except in
// tests against vectors). It keeps sid; the caller must not change it.
func Start(rand io.Reader, prs, ci, sid []byte) (*Exchange, error) {
	g, err := ecdh.X25519().NewPublicKey(generator(prs, ci, sid))
	if err != nil {
		return nil, fmt.Errorf("cpace: generator: %w", err)
	}
	// G.sample_scalar() = sample_random_bytes(32); X25519 clamps it itself.
	var seed [32]byte
	defer clear(seed[:])
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return nil, fmt.Errorf("cpace: random scalar: %w", err)
	}
	scalar, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		return nil, fmt.Errorf("cpace: scalar: %w", err)
	}
	e := &Exchange{scalar: scalar, sid: sid}
	// Y = G.scalar_mult(y, g). An error means that the hash met one of the few
	// points of low order: a chance of about 2^-250, but not a panic.
	y, err := scalar.ECDH(g)
	if err != nil {
		return nil, fmt.Errorf("cpace: share: %w", err)
	}
	copy(e.share[:], y)
	return e, nil
}

// Share returns a copy of the public share to send to the peer.
func (e *Exchange) Share() []byte { return append([]byte(nil), e.share[:]...) }

// FinishInitiator takes the responder's share and the associated data of both
// sides (own first) and returns the key. Errors: ErrShare, ErrUsed.
func (e *Exchange) FinishInitiator(peer, ad, peerAD []byte) (isk [KeySize]byte, err error) {
	return e.finish(peer, e.share[:], ad, peer, peerAD)
}

// FinishResponder takes the initiator's share and the associated data of both
// sides (own first) and returns the key. Errors: ErrShare, ErrUsed.
func (e *Exchange) FinishResponder(peer, ad, peerAD []byte) (isk [KeySize]byte, err error) {
	return e.finish(peer, peer, peerAD, e.share[:], ad)
}

// finish computes ISK = H(lv_cat(DSI||"_ISK", sid, K) || transcript_ir(Ya,ADa,Yb,ADb)).
func (e *Exchange) finish(peer, ya, ada, yb, adb []byte) (isk [KeySize]byte, err error) {
	if e.scalar == nil {
		return isk, ErrUsed
	}
	scalar := e.scalar
	e.scalar = nil // whatever happens next, this scalar has met its one share
	k, err := vfy(scalar, peer)
	if err != nil {
		return isk, err
	}
	defer clear(k)
	in := lvCat(nil, []byte(dsiISK), e.sid, k)
	in = lvCat(in, ya, ada)
	in = lvCat(in, yb, adb)
	defer clear(in) // holds K
	return sha512.Sum512(in), nil
}

// vfy is G.scalar_mult_vfy: X25519 of the peer's share, with the abort case
// (the neutral element, all zero) as an error. crypto/ecdh clears bit 255 of
// the share, accepts non-canonical values and refuses the all-zero result in
// constant time, as RFC 7748 and the draft want it.
func vfy(scalar *ecdh.PrivateKey, peer []byte) ([]byte, error) {
	p, err := ecdh.X25519().NewPublicKey(peer)
	if err != nil {
		return nil, ErrShare
	}
	k, err := scalar.ECDH(p)
	if err != nil {
		return nil, ErrShare
	}
	return k, nil
}

// lvCat appends every part with its length (LEB128) in front: the draft's lv_cat.
func lvCat(b []byte, parts ...[]byte) []byte {
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}

// LVCat returns the draft's lv_cat of parts: each with its length in front.
// Callers need it to build the channel identifier from the two parties' names.
func LVCat(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}
