package auth

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

const (
	generatedPrefix = "rvk1."
	generatedSize   = 32 // random bytes
	maxKeyID        = 32
)

// GenerateKey makes a key that cannot be guessed, named kid: 1 to 32 of a-z,
// 0-9, '.', '_' and '-'. Its text, rvk1.KID.BASE64, is returned this once; the
// Key does not give it back. A bad kid is a [*KeyError].
func GenerateKey(kid string) (key Key, text string, err error) {
	if !validKeyID(kid) {
		return Key{}, "", &KeyError{Problem: fmt.Sprintf("key id %q: want 1 to %d of a-z 0-9 . _ -", kid, maxKeyID)}
	}
	raw := make([]byte, generatedSize)
	rand.Read(raw) // never fails
	return newKey(&material{kid: kid, generated: true, secret: raw}), formatGenerated(kid, raw), nil
}

func formatGenerated(kid string, raw []byte) string {
	b := binary.BigEndian.AppendUint32(append([]byte(nil), raw...), keyCRC(kid, raw))
	return generatedPrefix + kid + "." + base64.RawURLEncoding.EncodeToString(b)
}

// keyCRC covers the id too, so that any mistyped or cut-off part of the text is
// reported as damage and not as a wrong key.
func keyCRC(kid string, raw []byte) uint32 {
	crc := crc32.ChecksumIEEE([]byte(generatedPrefix + kid + "."))
	return crc32.Update(crc, crc32.IEEETable, raw)
}

func parseGenerated(text string) (Key, error) {
	damaged := func(what string) (Key, error) {
		return Key{}, &KeyError{Problem: "it is a damaged generated key: " + what}
	}
	rest := strings.TrimPrefix(text, generatedPrefix)
	dot := strings.LastIndexByte(rest, '.') // the id may hold dots, base64url does not
	if dot < 0 {
		return damaged("it ends too early")
	}
	kid, enc := rest[:dot], rest[dot+1:]
	if !validKeyID(kid) {
		return damaged("its id is not valid")
	}
	if want := base64.RawURLEncoding.EncodedLen(generatedSize + crc32.Size); len(enc) != want {
		return damaged(fmt.Sprintf("its last part has %d characters, want %d (cut off, or with a blank at its end?)", len(enc), want))
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(enc)
	if err != nil || len(b) != generatedSize+crc32.Size {
		return damaged("its last part is not base64url")
	}
	raw := b[:generatedSize:generatedSize]
	if binary.BigEndian.Uint32(b[generatedSize:]) != keyCRC(kid, raw) {
		return damaged("its checksum does not match")
	}
	return newKey(&material{kid: kid, generated: true, secret: raw}), nil
}

func validKeyID(kid string) bool {
	if len(kid) == 0 || len(kid) > maxKeyID {
		return false
	}
	for i := range len(kid) {
		c := kid[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
