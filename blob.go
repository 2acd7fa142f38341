package reeve

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// BlobHash is the SHA-256 of a blob's content, which is its name, too.
type BlobHash [32]byte

// IsZero reports whether h is no hash.
func (h BlobHash) IsZero() bool { return h == BlobHash{} }

// String is the hash as 64 digits.
func (h BlobHash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the form of [BlobHash.String].
func (h BlobHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads it; [ErrInvalid].
func (h *BlobHash) UnmarshalText(b []byte) error {
	var v BlobHash
	if n, err := hex.Decode(v[:], b[:min(len(b), 2*len(v))]); err != nil || n != len(v) || len(b) != 2*len(v) {
		return fmt.Errorf("%w: hash of a blob %.100q, want %d hexadecimal digits", ErrInvalid, b, 2*len(v))
	}
	*h = v
	return nil
}

// MarshalBinary writes the 32 bytes.
func (h BlobHash) MarshalBinary() ([]byte, error) { return h[:], nil }

// UnmarshalBinary reads them; [ErrInvalid].
func (h *BlobHash) UnmarshalBinary(b []byte) error {
	if len(b) != len(h) {
		return fmt.Errorf("%w: hash of a blob of %d bytes, want %d", ErrInvalid, len(b), len(h))
	}
	*h = BlobHash(b)
	return nil
}

// BlobRef refers to a blob: a large value that is put once, by [shared.Blobs],
// and read by whoever has the reference. It is a value: it may be put into tasks,
// arguments and maps, and compared. The blob lives as long as a client has it
// open, or a task names it that was put with [WithBlobs].
//
// [shared.Blobs]: https://pkg.go.dev/github.com/reeveq/reeve/shared#Blobs
type BlobRef struct {
	Hash BlobHash `cbor:"1,keyasint" json:"sha256"`
	// Size is the blob's, in bytes, for people: the hash alone says which it is.
	Size int64 `cbor:"2,keyasint,omitempty" json:"size"`
}

// IsZero reports whether r refers to nothing.
func (r BlobRef) IsZero() bool { return r.Hash.IsZero() }

// String is the hash and, if it is known, the size: "e3b0…b855-1048576".
func (r BlobRef) String() string {
	if r.Size == 0 {
		return r.Hash.String()
	}
	return r.Hash.String() + "-" + strconv.FormatInt(r.Size, 10)
}

// ParseBlobRef reads the form of [BlobRef.String]; [ErrInvalid].
func ParseBlobRef(s string) (BlobRef, error) {
	digits, size, sized := strings.Cut(s, "-")
	var r BlobRef
	if err := r.Hash.UnmarshalText([]byte(digits)); err != nil {
		return BlobRef{}, err
	}
	if !sized {
		return r, nil
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 {
		return BlobRef{}, fmt.Errorf("%w: size of a blob %.100q", ErrInvalid, size)
	}
	r.Size = n
	return r, nil
}

// BlobInfo is what is known of a blob.
type BlobInfo struct {
	Ref BlobRef `cbor:"1,keyasint" json:"ref"`
	// Made is when it was put, or found by a master that was started.
	Made time.Time `cbor:"2,keyasint,omitzero" json:"made,omitzero"`
	// Tasks is how many tasks and kept results name it, Clients how many clients
	// have it open.
	Tasks   int `cbor:"3,keyasint,omitempty" json:"tasks"`
	Clients int `cbor:"4,keyasint,omitempty" json:"clients"`
	// Until is when it is removed if nobody refers to it before; zero: somebody
	// does.
	Until time.Time `cbor:"5,keyasint,omitzero" json:"until,omitzero"`
}

// MaxTaskBlobs bounds [Rules.Blobs].
const MaxTaskBlobs = 16

// BlobOverhead is what each blob that a task names counts for, in bytes, against
// the bounds of its queue.
const BlobOverhead = 48

// CheckBlobs reports what is wrong with the blobs of a task.
func CheckBlobs(refs []BlobRef) error {
	if len(refs) > MaxTaskBlobs {
		return &LimitError{Kind: ErrTooLarge, Limit: "blobs", Value: int64(len(refs)), Max: MaxTaskBlobs}
	}
	for _, r := range refs {
		if r.IsZero() || r.Size < 0 {
			return fmt.Errorf("%w: blob %v of %d bytes", ErrInvalid, r.Hash, r.Size)
		}
	}
	return nil
}

// WithBlobs has the tasks name blobs, which live at least as long as they do: the
// Put is refused with [ErrNoSuchBlob] if there is no such blob. See [Rules.Blobs].
func WithBlobs(refs ...BlobRef) PutOption {
	return withRules(func(r *Rules) { r.Blobs = refs })
}
