package proxy

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/reeveq/reeve/auth"
)

// Pauses after a failed authentication, which may have given a guess at the
// key away.
const (
	minAuthBackoff = time.Second
	maxAuthBackoff = time.Minute
)

// backoff chooses the pauses between attempts to connect.
type backoff struct {
	min, max time.Duration
	bound    time.Duration // of the next pause; 0: min
	auth     time.Duration // of the next pause after a failed authentication; 0: the least
}

// after is the pause after err.
func (b *backoff) after(err error) time.Duration {
	if guessGiven(err) || isFinal(err) {
		b.auth = grow(b.auth, minAuthBackoff, maxAuthBackoff)
		return b.auth/2 + rand.N(b.auth/2+1)
	}
	b.bound = grow(b.bound, b.min, b.max)
	pause := rand.N(b.bound + 1)
	if throttled, ok := errors.AsType[*auth.ThrottledError](err); ok {
		pause += throttled.RetryAfter
	}
	return pause
}

// reset begins anew: a connection has held.
func (b *backoff) reset() { b.bound, b.auth = 0, 0 }

func grow(bound, least, most time.Duration) time.Duration {
	if bound == 0 {
		return least
	}
	return min(2*bound, most)
}
