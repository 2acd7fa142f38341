package cpace_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/reeveq/reeve/auth/cpace"
)

func run(t *testing.T, prsA, prsB, ciA, ciB, sidA, sidB, adA, adB string) (a, b [cpace.KeySize]byte) {
	t.Helper()
	x, err := cpace.Start(rand.Reader, []byte(prsA), []byte(ciA), []byte(sidA))
	if err != nil {
		t.Fatal(err)
	}
	y, err := cpace.Start(rand.Reader, []byte(prsB), []byte(ciB), []byte(sidB))
	if err != nil {
		t.Fatal(err)
	}
	if a, err = x.FinishInitiator(y.Share(), []byte("a"), []byte("b")); err != nil {
		t.Fatal(err)
	}
	if b, err = y.FinishResponder(x.Share(), []byte(adB), []byte(adA)); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestExchange_KeysAgreeOnlyWhenEveryInputDoes(t *testing.T) {
	t.Parallel()
	if a, b := run(t, "p", "p", "c", "c", "s", "s", "a", "b"); a != b {
		t.Error("same inputs, different keys")
	}
	for name, in := range map[string][8]string{
		"secret":             {"p", "q", "c", "c", "s", "s", "a", "b"},
		"channel identifier": {"p", "p", "c", "d", "s", "s", "a", "b"},
		"session id":         {"p", "p", "c", "c", "s", "t", "a", "b"},
		"initiator's data":   {"p", "p", "c", "c", "s", "s", "x", "b"},
		"responder's data":   {"p", "p", "c", "c", "s", "s", "a", "x"},
	} {
		if a, b := run(t, in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]); a == b {
			t.Errorf("the %s differs, the keys do not", name)
		}
	}
}

func TestExchange_SameRoleTwiceDoesNotAgree(t *testing.T) {
	t.Parallel()
	x, err := cpace.Start(rand.Reader, []byte("p"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	y, err := cpace.Start(rand.Reader, []byte("p"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := x.FinishInitiator(y.Share(), nil, nil)
	b, errB := y.FinishInitiator(x.Share(), nil, nil)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if a == b {
		t.Error("two initiators agree on a key: a reflected message would be accepted")
	}
}

func TestExchange_ScalarIsUsedOnce(t *testing.T) {
	t.Parallel()
	e, err := cpace.Start(rand.Reader, []byte("p"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.FinishInitiator(make([]byte, cpace.ShareSize), nil, nil); !errors.Is(err, cpace.ErrShare) {
		t.Fatalf("zero share: %v, want ErrShare", err)
	}
	good := append([]byte{9}, make([]byte, 31)...)
	if _, err := e.FinishInitiator(good, nil, nil); !errors.Is(err, cpace.ErrUsed) {
		t.Fatalf("second share: %v, want ErrUsed", err)
	}
}

func TestStart_ShortRandomnessIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := cpace.Start(bytes.NewReader(make([]byte, 31)), []byte("p"), nil, nil); err == nil {
		t.Fatal("31 random bytes were enough")
	}
}

func FuzzExchange_AnyShareIsAKeyOrErrShare(f *testing.F) {
	f.Add([]byte("p"), []byte("ci"), []byte("sid"), make([]byte, 32))
	f.Add([]byte{}, []byte{}, []byte{}, []byte{1})
	f.Fuzz(func(t *testing.T, prs, ci, sid, share []byte) {
		e, err := cpace.Start(rand.Reader, prs, ci, sid)
		if err != nil {
			t.Fatal(err)
		}
		key, err := e.FinishResponder(share, nil, nil)
		switch {
		case errors.Is(err, cpace.ErrShare):
		case err != nil:
			t.Fatal(err)
		case len(share) != cpace.ShareSize:
			t.Fatalf("a share of %d bytes was accepted", len(share))
		case key == [cpace.KeySize]byte{}:
			t.Fatal("an all-zero key")
		}
	})
}
