package reeve_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
)

func TestBlobRef_TextIsReadBack(t *testing.T) {
	t.Parallel()
	hash := reeve.BlobHash(sha256.Sum256([]byte("content")))
	for _, ref := range []reeve.BlobRef{{Hash: hash}, {Hash: hash, Size: 7}, {Hash: hash, Size: 1 << 62}} {
		back, err := reeve.ParseBlobRef(ref.String())
		if err != nil || back != ref {
			t.Errorf("%v became %v, %v", ref, back, err)
		}
	}
	digits := hash.String()
	for _, s := range []string{"", "-", digits[1:], digits + "0", digits + "-", digits + "--1", digits + "-1.5", "g" + digits[1:], digits + "-1-2",
		strings.Repeat("0", 1<<20), digits + "-99999999999999999999"} {
		if ref, err := reeve.ParseBlobRef(s); !errors.Is(err, reeve.ErrInvalid) || !ref.IsZero() || len(err.Error()) > 300 {
			t.Errorf("%.80q is %v, %v", s, ref, err)
		}
	}
}

func TestBlobHash_TravelsAsDigitsOrBytes(t *testing.T) {
	t.Parallel()
	ref := reeve.BlobRef{Hash: reeve.BlobHash(sha256.Sum256(nil)), Size: 1}
	b, err := json.Marshal(ref)
	if err != nil || string(b) != `{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":1}` {
		t.Fatalf("%s, %v", b, err)
	}
	var back reeve.BlobRef
	if err := json.Unmarshal(b, &back); err != nil || back != ref {
		t.Errorf("%v, %v", back, err)
	}
	b, _ = ref.Hash.MarshalBinary()
	var hash reeve.BlobHash
	if err := hash.UnmarshalBinary(b); err != nil || hash != ref.Hash {
		t.Errorf("%v, %v", hash, err)
	}
	for _, n := range []int{0, 31, 33} {
		if err := hash.UnmarshalBinary(make([]byte, n)); !errors.Is(err, reeve.ErrInvalid) || hash != ref.Hash {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestCheckBlobs_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	ref := reeve.BlobRef{Hash: reeve.BlobHash{1}}
	many := make([]reeve.BlobRef, reeve.MaxTaskBlobs)
	for i := range many {
		many[i] = ref
	}
	if err := reeve.CheckBlobs(many); err != nil {
		t.Error(err)
	}
	if err := (&reeve.Rules{Blobs: append(many, ref)}).Validate(); !errors.Is(err, reeve.ErrTooLarge) {
		t.Errorf("one more: %v", err)
	}
	for _, bad := range []reeve.BlobRef{{}, {Size: 1}, {Hash: ref.Hash, Size: -1}} {
		if err := (&reeve.Rules{Blobs: []reeve.BlobRef{ref, bad}}).Validate(); !errors.Is(err, reeve.ErrInvalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
