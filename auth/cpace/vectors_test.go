package cpace

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"errors"
	"testing"

	"filippo.io/edwards25519/field"
)

// The vectors of draft-irtf-cfrg-cpace, appendix "Test vector for CPace using
// group X25519 and hash SHA-512".

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLVCat_MatchesTheDraft(t *testing.T) {
	t.Parallel()
	if got, want := hex.EncodeToString(LVCat("1234", "5", "", "678")), "043132333401350003363738"; got != want {
		t.Fatalf("lv_cat = %s, want %s", got, want)
	}
	long := LVCat(string(make([]byte, 128)))
	if !bytes.Equal(long[:2], []byte{0x80, 0x01}) || len(long) != 130 {
		t.Fatalf("128 bytes get the prefix %x, want the LEB128 form 8001", long[:2])
	}
}

func TestGenerator_MatchesTheDraft(t *testing.T) {
	t.Parallel()
	const sid = "7e4b4791d6a8ef019b936c79fb7f2c57"
	for name, v := range map[string]struct{ ci, generatorString, g string }{
		"initiator and responder": {
			ci: "0b415f696e69746961746f720b425f726573706f6e646572",
			generatorString: "0843506163653235350850617373776f72646d000000000000000000" +
				"00000000000000000000000000000000000000000000000000000000" +
				"00000000000000000000000000000000000000000000000000000000" +
				"00000000000000000000000000000000000000000000000000000000" +
				"00000000000000000000000000000000180b415f696e69746961746f" +
				"720b425f726573706f6e646572107e4b4791d6a8ef019b936c79fb7f" +
				"2c57",
			g: "d04bf6d41f6a289632a2e929fa29bebd51092512a7829fdde7d314b62f05a73f",
		},
		"ordered concatenation": {
			ci: "6f630b425f726573706f6e6465720b415f696e69746961746f72",
			generatorString: "0843506163653235350850617373776f72646d000000000000000000" +
				"00000000000000000000000000000000000000000000000000000000" +
				"00000000000000000000000000000000000000000000000000000000" +
				"00000000000000000000000000000000000000000000000000000000" +
				"000000000000000000000000000000001a6f630b425f726573706f6e" +
				"6465720b415f696e69746961746f72107e4b4791d6a8ef019b936c79" +
				"fb7f2c57",
			g: "64e8099e3ea682cfdc5cb665c057ebb514d06bf23ebc9f743b51b82242327074",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ci, sid := unhex(t, v.ci), unhex(t, sid)
			if got := hex.EncodeToString(generatorString([]byte("Password"), ci, sid)); got != v.generatorString {
				t.Errorf("generator_string = %s", got)
			}
			if got := hex.EncodeToString(generator([]byte("Password"), ci, sid)); got != v.g {
				t.Errorf("g = %s, want %s", got, v.g)
			}
		})
	}
}

const (
	draftYa  = "1d13c89278cdadd826f6d8d7f887701430f8380ddc17611cdd6dc989ce0c9f32"
	draftYb  = "248cccf6d5cdc3646f0ad593f9e6cef4e69d4945f8372e623512ecea32185623"
	draftISK = "6e19b875f7a561d6b3ca3dbb9ef42ac55de3e717881018204b8922b4d5e53bb2" +
		"aa82c300bea7b65d2b671da71922ddf6472301b79bc270adfa8bf413285f2263"
)

func draftExchange(t *testing.T, scalar string) *Exchange {
	t.Helper()
	e, err := Start(bytes.NewReader(unhex(t, scalar)), []byte("Password"),
		LVCat("A_initiator", "B_responder"), unhex(t, "7e4b4791d6a8ef019b936c79fb7f2c57"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func draftInitiator(t *testing.T) *Exchange {
	return draftExchange(t, "21b4f4bd9e64ed355c3eb676a28ebedaf6d8f17bdc365995b319097153044080")
}

func draftResponder(t *testing.T) *Exchange {
	return draftExchange(t, "848b0779ff415f0af4ea14df9dd1d3c29ac41d836c7808896c4eba19c51ac40a")
}

func TestExchange_MatchesTheDraft(t *testing.T) {
	t.Parallel()
	a, b := draftInitiator(t), draftResponder(t)
	if got := hex.EncodeToString(a.Share()); got != draftYa {
		t.Errorf("Ya = %s, want %s", got, draftYa)
	}
	if got := hex.EncodeToString(b.Share()); got != draftYb {
		t.Errorf("Yb = %s, want %s", got, draftYb)
	}
	ka, err := a.FinishInitiator(b.Share(), []byte("ADa"), []byte("ADb"))
	if err != nil {
		t.Fatal(err)
	}
	kb, err := b.FinishResponder(a.Share(), []byte("ADb"), []byte("ADa"))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(ka[:]); got != draftISK {
		t.Errorf("initiator's ISK = %s, want %s", got, draftISK)
	}
	if got := hex.EncodeToString(kb[:]); got != draftISK {
		t.Errorf("responder's ISK = %s, want %s", got, draftISK)
	}
}

// lowOrder are the draft's u0..ub with the results q0..qb of scalar_mult_vfy;
// an all-zero result is the abort case.
var lowOrder = []struct{ u, q string }{
	{"0000000000000000000000000000000000000000000000000000000000000000", ""},
	{"0100000000000000000000000000000000000000000000000000000000000000", ""},
	{"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", ""},
	{"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", ""},
	{"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", ""},
	{"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", ""},
	{"daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "d8e2c776bbacd510d09fd9278b7edcd25fc5ae9adfba3b6e040e8d3b71b21806"},
	{"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", ""},
	{"dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "c85c655ebe8be44ba9c0ffde69f2fe10194458d137f09bbff725ce58803cdb38"},
	{"d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "db64dafa9b8fdd136914e61461935fe92aa372cb056314e1231bc4ec12417456"},
	{"cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880", "e062dcd5376d58297be2618c7498f55baa07d7e03184e8aada20bca28888bf7a"},
	{"4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7", "993c6ad11c4c29da9a56f7691fd0ff8d732e49de6250b6c2e80003ff4629a175"},
}

func TestScalarMultVfy_LowOrderAndNonCanonicalPointsMatchTheDraft(t *testing.T) {
	t.Parallel()
	s, err := ecdh.X25519().NewPrivateKey(unhex(t, "af46e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449aff"))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range lowOrder {
		q, err := vfy(s, unhex(t, v.u))
		if v.q == "" {
			if !errors.Is(err, ErrShare) {
				t.Errorf("u%x: error %v, want ErrShare", i, err)
			}
			continue
		}
		if err != nil || hex.EncodeToString(q) != v.q {
			t.Errorf("u%x: %x, %v, want %s", i, q, err, v.q)
		}
	}
}

func TestExchange_LowOrderSharesAbortBothRoles(t *testing.T) {
	t.Parallel()
	for i, v := range lowOrder {
		if v.q != "" {
			continue
		}
		if _, err := draftInitiator(t).FinishInitiator(unhex(t, v.u), nil, nil); !errors.Is(err, ErrShare) {
			t.Errorf("initiator, u%x: error %v, want ErrShare", i, err)
		}
		if _, err := draftResponder(t).FinishResponder(unhex(t, v.u), nil, nil); !errors.Is(err, ErrShare) {
			t.Errorf("responder, u%x: error %v, want ErrShare", i, err)
		}
	}
}

func TestElligator2_ResultIsOnTheCurve(t *testing.T) {
	t.Parallel()
	one := new(field.Element).One()
	j := new(field.Element).Mult32(one, 486662)
	for i := range 256 {
		u, err := new(field.Element).SetBytes(append([]byte{byte(i)}, make([]byte, 31)...))
		if err != nil {
			t.Fatal(err)
		}
		x := elligator2(u)
		gx := new(field.Element).Add(x, j) // v^2 = x^3 + J*x^2 + x
		gx.Multiply(gx, x)
		gx.Add(gx, one)
		gx.Multiply(gx, x)
		if _, square := new(field.Element).SqrtRatio(gx, one); square != 1 {
			t.Fatalf("elligator2(%d) = %x is on the twist", i, x.Bytes())
		}
	}
}

// The generator of the vector in docs/SECURITY.md.
func TestGenerator_MatchesTheProtocolsVector(t *testing.T) {
	t.Parallel()
	sid := make([]byte, 32)
	for i := range sid {
		sid[i] = byte(i)
	}
	prs := unhex(t, "efea8f750ad9012a774973dbce44896f14983bb678498a4c7fa0d1b917749a96")
	got := hex.EncodeToString(generator(prs, LVCat("reeve/1 client", "reeve/1 master"), sid))
	if want := "eca256d02efbafb8f589b109e418b1979d87787cd0aa610de231b458afd7b359"; got != want {
		t.Errorf("g = %s, want %s", got, want)
	}
}
