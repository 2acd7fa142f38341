package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// The vector of docs/SECURITY.md: authkey "secret", sid 00..1f, ya 20..3f, yb 40..5f.
const (
	vectorPRS = "efea8f750ad9012a774973dbce44896f14983bb678498a4c7fa0d1b917749a96"
	vectorCI  = "0e72656576652f3120636c69656e740e72656576652f31206d6173746572"
	vectorC1  = "01002a01010764656661756c745ea8d3fb42194d442020ca61b77e61d5ab14896ed1da74b22b0f304438b39712"
	vectorS1  = "02002201010d69774b264fb96e5058cb4536b3faa97976accdbe948cf741eb63b3fcda1321"
	vectorC2  = "0300400a19a0ab88b82aa834ee6e2a7746b78eea3a584b21bd07057588f1bf694bed" +
		"6150fb23fc63f3399f7d8770478f82801ceaff04f0c4d7bf56db3054839e0d5e93"
	vectorS2 = "0400407a16c41175f21ff6d499f107278c762ef6c1709761bb935ea93e0625379d6b" +
		"741177a14b30d29592bd1e2bd2e67334df13cd6ab5ac3a3523db84577acf3b8f08"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// count is the bytes from, from+1, ...
func count(from byte) []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

// The vector of a generated key: id worker-7, random bytes 00..1f.
const (
	generatedText = "rvk1.worker-7.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8Za3rD"
	generatedPRS  = "8b969053a2e80633d3f03845221623d0dab4e2568cb3408c26a5ed17ec579c0e"
)

// script plays one side: what is read is given, what is written is kept.
type script struct {
	io.Reader
	sent bytes.Buffer
}

func (s *script) Write(p []byte) (int, error) { return s.sent.Write(p) }

func TestVector_PasswordStretchingAndChannelID(t *testing.T) {
	t.Parallel()
	if got := hex.EncodeToString(mustKey(t, "secret").prsBytes()); got != vectorPRS {
		t.Errorf("PRS is %s", got)
	}
	if got := hex.EncodeToString(channelID()); got != vectorCI {
		t.Errorf("CI is %s", got)
	}
}

func TestVector_TheDocumentSaysTheSame(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{vectorPRS, vectorCI, vectorC1, vectorS1, vectorC2, vectorS2, generatedText, generatedPRS} {
		if !bytes.Contains(doc, []byte(v)) {
			t.Errorf("docs/SECURITY.md lacks %s", v)
		}
	}
}

func TestVector_ClientFrames(t *testing.T) {
	t.Parallel()
	in := &script{Reader: bytes.NewReader(unhex(t, vectorS1+vectorS2))}
	h := &clientHandshake{config: &ClientConfig{Key: mustKey(t, "secret"), rand: bytes.NewReader(count(0x20))}}
	if err := h.prove(in, count(0)); err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(in.sent.Bytes()), vectorC1+vectorC2; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
}

// vectorServer is a server's handshake with the vector's scalar.
func vectorServer(t testing.TB) *serverHandshake {
	s := mustServer(t, ServerConfig{rand: bytes.NewReader(count(0x40))}, mustKey(t, "secret"))
	return &serverHandshake{server: s, ticket: &Ticket{server: s, source: "x", remote: "x"}}
}

func TestVector_MasterFrames(t *testing.T) {
	t.Parallel()
	in := &script{Reader: bytes.NewReader(unhex(t, vectorC1+vectorC2))}
	if err := vectorServer(t).prove(in, count(0)); err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(in.sent.Bytes()), vectorS1+vectorS2; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
}

func TestReplay_RecordedFramesProveNothingInAnotherSession(t *testing.T) {
	t.Parallel()
	sid := count(0)
	sid[0] ^= 1 // another TLS connection, even if our scalar were the same
	in := &script{Reader: bytes.NewReader(unhex(t, vectorC1+vectorC2))}
	if _, ok := errors.AsType[*LoginError](vectorServer(t).prove(in, sid)); !ok {
		t.Error("a recorded C1 and C2 were accepted under another session id")
	}

	fresh := vectorServer(t) // the same session id, but a fresh scalar of ours
	fresh.server.config.rand = bytes.NewReader(count(0x60))
	in = &script{Reader: bytes.NewReader(unhex(t, vectorC1+vectorC2))}
	if _, ok := errors.AsType[*LoginError](fresh.prove(in, count(0))); !ok {
		t.Error("a recorded C2 was accepted against a fresh share")
	}

	in = &script{Reader: bytes.NewReader(unhex(t, vectorS1+vectorS2))}
	h := &clientHandshake{config: &ClientConfig{Key: mustKey(t, "secret"), rand: bytes.NewReader(count(0x60))}}
	if err := h.prove(in, count(0)); err == nil || !h.proved {
		t.Errorf("a recorded S1 and S2 were accepted by a client: %v", err)
	}
}

func TestReflection_AClientsOwnFramesProveNothing(t *testing.T) {
	t.Parallel()
	c1, c2 := unhex(t, vectorC1), unhex(t, vectorC2)
	s1 := newFrame(frameS1, answerAD(), c1[len(c1)-32:]) // the client's own share
	s2 := newFrame(frameS2, c2[headerSize:])             // and its own proof
	h := &clientHandshake{config: &ClientConfig{Key: mustKey(t, "secret"), rand: bytes.NewReader(count(0x20))}}
	if err := h.prove(&script{Reader: bytes.NewReader(append(s1, s2...))}, count(0)); err == nil || !h.proved {
		t.Errorf("reflected frames: %v", err)
	}
}

func TestFrames_WireFormOfER(t *testing.T) {
	t.Parallel()
	er := newER(erThrottled, 1500*time.Millisecond, "too many failed attempts")
	want := "7f001b" + "02" + "0002" + hex.EncodeToString([]byte("too many failed attempts"))
	if got := hex.EncodeToString(er); got != want {
		t.Errorf("ER is %s, want %s", got, want)
	}
	code, retry, text, err := parseER(er)
	if code != erThrottled || retry != 2*time.Second || text != "too many failed attempts" || err != nil {
		t.Errorf("parsed: %d %v %q %v", code, retry, text, err)
	}
}
