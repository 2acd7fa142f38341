package auth

import (
	"crypto/sha512"

	"golang.org/x/crypto/argon2"
)

// The parameters of the suite. They are constants: a cost chosen by the peer
// would be its lever on our CPU.
const (
	prsSize = 32

	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	saltSize     = 16

	passwordSalt = "reeve/1 password salt\x00"
	generatedTag = "reeve/1 generated key\x00"
)

// Prepare does the costly part of a password's first use now: some 20 ms and
// 19 MiB, once for all copies of k. It is never needed, only a choice of when.
// It does nothing for a generated or a zero Key.
func (k Key) Prepare() {
	if !k.IsZero() {
		k.prsBytes()
	}
}

// prsBytes returns the password-related string that CPace works with. The first
// call for a password takes some 20 ms and 19 MiB; all later ones nothing. The
// caller must not change the result.
func (k Key) prsBytes() []byte {
	m := k.m()
	m.once.Do(func() {
		if m.generated { // 256 random bits need no stretching
			h := sha512.New()
			h.Write([]byte(generatedTag))
			h.Write(m.secret)
			copy(m.prs[:], h.Sum(nil))
			return
		}
		salt := sha512.Sum512([]byte(passwordSalt + m.kid))
		copy(m.prs[:], argon2.IDKey(m.secret, salt[:saltSize], argonTime, argonMemory, argonThreads, prsSize))
	})
	return m.prs[:]
}
