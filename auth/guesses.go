package auth

import (
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// GuessBudget is how many wrong proofs for keys that can be guessed (passwords,
// and ids that do not exist) a Server verifies. Zero fields take the defaults.
// Beyond it logins are answered with "wait": a correct one costs nothing, but
// is not looked at either. Generated keys are exempt, and the total does not
// stop a source that has logged in within the last 24 hours.
type GuessBudget struct {
	PerSource     int           // at once, per IPv4 address or IPv6 /64; default 20
	PerSourceGain time.Duration // time to get one back; default 2 s
	Total         int           // at once, over all sources; default 100
	TotalGain     time.Duration // time to get one back; default 10 s
}

const (
	rememberedSources = 8192 // per list; an entry is some 200 bytes
	goodFor           = 24 * time.Hour
)

func (b GuessBudget) withDefaults() GuessBudget {
	if b.PerSource == 0 {
		b.PerSource = 20
	}
	if b.PerSourceGain == 0 {
		b.PerSourceGain = 2 * time.Second
	}
	if b.Total == 0 {
		b.Total = 100
	}
	if b.TotalGain == 0 {
		b.TotalGain = 10 * time.Second
	}
	return b
}

func (b GuessBudget) validate() error {
	if b.PerSource < 0 || b.PerSourceGain < 0 || b.Total < 0 || b.TotalGain < 0 {
		return errors.New("auth: ServerConfig.Guesses: no field may be negative")
	}
	return nil
}

// guesses keeps the budget. It is safe for concurrent use.
type guesses struct {
	budget GuessBudget

	mu    sync.Mutex // guards the fields below, and what they point to
	total *bucket
	fails *simplelru.LRU[string, *bucket]   // sources that have failed
	good  *simplelru.LRU[string, time.Time] // sources and their last success
}

// guess is one that was taken from the budget; the zero guess is none.
type guess struct{ own, total *bucket }

func newGuesses(b GuessBudget) *guesses {
	fails, err := simplelru.NewLRU[string, *bucket](rememberedSources, nil)
	if err != nil {
		panic("auth: " + err.Error()) // the size is a positive constant
	}
	good, err := simplelru.NewLRU[string, time.Time](rememberedSources, nil)
	if err != nil {
		panic("auth: " + err.Error())
	}
	return &guesses{budget: b, total: newBucket(b.Total, b.TotalGain), fails: fails, good: good}
}

// wait returns 0 if a guess from source would be looked at now, else the time
// until it might be. It takes nothing.
func (g *guesses) wait(source string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waitLocked(source, time.Now())
}

// take is wait, and takes a guess from the budget if it returns 0. One that
// turns out right is given back with succeeded.
func (g *guesses) take(source string) (guess, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if d := g.waitLocked(source, now); d > 0 {
		return guess{}, d
	}
	own, ok := g.fails.Get(source)
	if !ok {
		own = newBucket(g.budget.PerSource, g.budget.PerSourceGain)
		g.fails.Add(source, own)
	}
	taken := guess{own: own}
	own.add(now, -1)
	if !g.knownLocked(source, now) {
		taken.total = g.total
		taken.total.add(now, -1)
	}
	return taken, 0
}

// succeeded gives a guess back and remembers its source as a good one.
func (g *guesses) succeeded(source string, taken guess) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for _, b := range []*bucket{taken.own, taken.total} {
		if b != nil {
			b.add(now, 1)
		}
	}
	g.good.Add(source, now)
}

func (g *guesses) waitLocked(source string, now time.Time) time.Duration {
	if own, ok := g.fails.Get(source); ok {
		if d := own.untilOne(now); d > 0 {
			return d
		}
	}
	if g.knownLocked(source, now) {
		return 0
	}
	return g.total.untilOne(now)
}

// knownLocked reports whether source has logged in within the last 24 hours.
func (g *guesses) knownLocked(source string, now time.Time) bool {
	last, ok := g.good.Get(source)
	return ok && now.Sub(last) < goodFor
}

// bucket holds up to size tokens and gains one every gain. (x/time/rate has no
// way to give a token back once time has passed, which a right guess needs.)
type bucket struct {
	size   float64
	gain   time.Duration
	tokens float64
	last   time.Time
}

func newBucket(size int, gain time.Duration) *bucket {
	return &bucket{size: float64(size), gain: gain, tokens: float64(size), last: time.Now()}
}

// add moves on to now and adds n tokens, up to the size.
func (b *bucket) add(now time.Time, n float64) {
	if passed := now.Sub(b.last); passed > 0 {
		b.tokens = min(b.size, b.tokens+float64(passed)/float64(b.gain))
		b.last = now
	}
	b.tokens = min(b.size, b.tokens+n)
}

// untilOne is the time until there is a whole token, 0 if there is one.
func (b *bucket) untilOne(now time.Time) time.Duration {
	b.add(now, 0)
	if b.tokens >= 1 {
		return 0
	}
	return max(time.Duration((1-b.tokens)*float64(b.gain)), time.Millisecond)
}
