package canonical

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/reeveq/reeve"
)

// Key is an address in its one form as a key of a task ([reeve.Rules]): the
// address itself, or if it is longer than [reeve.MaxKey], its beginning and a
// digest of all of it (SHA-256), so that different addresses have different
// keys.
func Key(url string) string {
	if len(url) <= reeve.MaxKey {
		return url
	}
	digest := sha256.Sum256([]byte(url))
	end := "#" + hex.EncodeToString(digest[:])
	return url[:reeve.MaxKey-len(end)] + end
}
