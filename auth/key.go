package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
)

const (
	// DefaultKeyID is the id of every password.
	DefaultKeyID = "default"

	maxKeyBytes = 1024 // of a password; a generated key has at most 86
	redacted    = "[authkey redacted]"
)

// Key is an authkey: a password, or a key made by [GenerateKey]. Its secret
// leaves it in no way: every method that prints, logs or encodes it shows the
// key id only. Copies share one secret and are safe for concurrent use. The
// zero Key is no key.
type Key struct {
	// A pointer to a pointer: fmt cannot call the methods of a Key in an
	// unexported field and looks through one pointer there (for %s), not two.
	handle **material
}

// newKey wraps m.
func newKey(m *material) Key { return Key{&m} }

// m is what k's copies share, nil for the zero Key.
func (k Key) m() *material {
	if k.handle == nil {
		return nil
	}
	return *k.handle
}

// material is what the copies of a Key share. All but once and prs is fixed
// when the key is made.
type material struct {
	kid       string
	generated bool
	secret    []byte // the password, or the 32 random bytes

	once sync.Once
	prs  [prsSize]byte // written by once
}

// ParseKey makes a Key of its text: a generated key if it begins with "rvk1.",
// else a password, whose bytes are taken as they are. It copies b. The costly
// stretching of a password happens at its first use, once for all copies.
//
// An empty key, a NUL byte, more than 1024 bytes and a damaged generated key
// are refused with a [*KeyError], which matches reeve.ErrKey and never holds
// the key.
func ParseKey(b []byte) (Key, error) {
	switch {
	case len(b) == 0:
		return Key{}, &KeyError{Problem: "it is empty"}
	case len(b) > maxKeyBytes:
		return Key{}, &KeyError{Problem: fmt.Sprintf("it is longer than %d bytes", maxKeyBytes)}
	case bytes.IndexByte(b, 0) >= 0:
		return Key{}, &KeyError{Problem: "it holds a NUL byte"}
	case bytes.HasPrefix(b, []byte(generatedPrefix)):
		return parseGenerated(string(b))
	}
	return newKey(&material{kid: DefaultKeyID, secret: bytes.Clone(b)}), nil
}

// ID is the key's id, which is sent (encrypted) and logged: "default" for a
// password, the name given to [GenerateKey] for a generated key, "" for the
// zero Key.
func (k Key) ID() string {
	if k.IsZero() {
		return ""
	}
	return k.m().kid
}

// IsZero reports whether k is no key at all.
func (k Key) IsZero() bool { return k.handle == nil }

// Generated reports whether k was made by [GenerateKey], so that it cannot be guessed.
func (k Key) Generated() bool { return !k.IsZero() && k.m().generated }

// NonASCII reports whether k is a password with bytes outside ASCII. Such a
// password may be encoded differently on another machine; nothing is normalised.
func (k Key) NonASCII() bool {
	return !k.IsZero() && !k.m().generated && bytes.IndexFunc(k.m().secret, func(r rune) bool { return r > 127 }) >= 0
}

// String shows the key id, not the key.
func (k Key) String() string {
	if k.IsZero() {
		return "[no authkey]"
	}
	return redacted + " " + k.m().kid
}

// GoString is String.
func (k Key) GoString() string { return k.String() }

// Format writes String for every verb.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// LogValue is String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText gives String; there is no way back.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MarshalJSON gives String; there is no way back.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

var (
	_ fmt.Formatter  = Key{}
	_ fmt.GoStringer = Key{}
	_ slog.LogValuer = Key{}
)
