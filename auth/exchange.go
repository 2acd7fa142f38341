package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha512"
	"io"

	"github.com/reeveq/reeve/auth/cpace"
)

const (
	clientRole = "reeve/1 client"
	masterRole = "reeve/1 master"

	clientConfirm = "reeve/1 client confirm"
	masterConfirm = "reeve/1 master confirm"
)

// channelID is CPace's CI. The two roles differ, so a message sent back to its
// sender proves nothing.
func channelID() []byte { return cpace.LVCat(clientRole, masterRole) }

// startExchange begins CPace for this TLS connection: sid is its exporter value.
func startExchange(rand io.Reader, prs, sid []byte) (*cpace.Exchange, error) {
	return cpace.Start(rand, prs, channelID(), sid)
}

// proofs are the two confirmation keys of one exchange.
type proofs struct{ client, master []byte }

func newProofs(isk [cpace.KeySize]byte, sid []byte) (proofs, error) {
	prk, err := hkdf.Extract(sha512.New, isk[:], sid)
	if err != nil {
		return proofs{}, err
	}
	client, err := hkdf.Expand(sha512.New, prk, clientConfirm, proofSize)
	if err != nil {
		return proofs{}, err
	}
	master, err := hkdf.Expand(sha512.New, prk, masterConfirm, proofSize)
	if err != nil {
		return proofs{}, err
	}
	return proofs{client, master}, nil
}

// c2 is the client's proof over the frames so far.
func (p proofs) c2(c1, s1 []byte) []byte { return mac(p.client, c1, s1) }

// s2 is the master's proof over the frames so far.
func (p proofs) s2(c1, s1, c2 []byte) []byte { return mac(p.master, c1, s1, c2) }

func mac(key []byte, frames ...[]byte) []byte {
	h := hmac.New(sha512.New, key)
	for _, f := range frames {
		h.Write(f)
	}
	return h.Sum(nil)
}

// proofEqual compares a received proof frame with the expected proof in
// constant time.
func proofEqual(frame, want []byte) bool { return hmac.Equal(frame[headerSize:], want) }
