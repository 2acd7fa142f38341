package queue

import (
	"math/bits"
	"time"

	"github.com/reeveq/reeve"
)

// limit is a rate that any number of buckets keep to.
type limit struct {
	tasks uint64 // in each per; 0: no bound
	per   uint64 // nanoseconds
	burst uint32
}

// newLimit makes the limit of a valid rate.
func newLimit(r reeve.Rate) *limit {
	per := r.Per
	if per == 0 {
		per = time.Second
	}
	return &limit{tasks: uint64(r.Tasks), per: uint64(per), burst: uint32(max(r.Burst, 1))}
}

// bucket is a token bucket, full at first. It counts in whole tokens and in
// parts of a token of 1/per each, of which tasks come in every nanosecond: so
// nothing is ever rounded, and after years as many tokens have come as should
// have. What comes while it is full is lost, be it a part of a nanosecond's: so
// that no window ever has more than its rate and the burst. A clock that goes
// back brings none until it is where it was.
type bucket struct {
	*limit
	last   int64  // when tokens and part were so
	part   uint64 // of the next token; less than per
	tokens uint32 // at most burst
}

// newBucket makes a bucket for a valid rate of its own.
func newBucket(r reeve.Rate) bucket { return newLimit(r).bucket() }

// bucket makes a full one.
func (l *limit) bucket() bucket { return bucket{limit: l, tokens: l.burst} }

// ready reports whether a token is there at now.
func (b *bucket) ready(now int64) bool {
	if b.tasks == 0 {
		return true
	}
	b.fill(now)
	return b.tokens > 0
}

// take takes a token, and reports whether one was there.
func (b *bucket) take(now int64) bool {
	if !b.ready(now) {
		return false
	}
	if b.tasks > 0 {
		b.tokens--
	}
	return true
}

// next is when a token is there: now, if one is; never, if that is centuries
// away.
func (b *bucket) next(now int64) int64 {
	if b.ready(now) {
		return now
	}
	return b.when(1)
}

// full is when the bucket is full if nothing is taken from it: now, if it is.
// Then it is as good as a new one.
func (b *bucket) full(now int64) int64 {
	if b.tasks == 0 {
		return now
	}
	if b.fill(now); b.tokens == b.burst {
		return now
	}
	return b.when(b.burst)
}

// fill adds the tokens that came until now.
func (b *bucket) fill(now int64) {
	if now <= b.last {
		return
	}
	hi, lo := bits.Mul64(uint64(now-b.last), b.tasks)
	b.last = now
	if b.tokens == b.burst {
		return
	}
	lo, carry := bits.Add64(lo, b.part, 0)
	switch hi += carry; {
	case hi == 0 && lo < b.per:
		b.part = lo
		return
	case hi < b.per:
		var came uint64
		if came, b.part = bits.Div64(hi, lo, b.per); came < uint64(b.burst-b.tokens) {
			b.tokens += uint32(came)
			return
		}
	}
	b.tokens, b.part = b.burst, 0
}

// when is the first time at which there are n tokens, more than there are.
func (b *bucket) when(n uint32) int64 {
	hi, lo := bits.Mul64(uint64(n-b.tokens), b.per)
	lo, borrow := bits.Sub64(lo, b.part, 0)
	lo, carry := bits.Add64(lo, b.tasks-1, 0) // rounded up: not a nanosecond too early
	hi = hi - borrow + carry
	if hi >= b.tasks {
		return never
	}
	wait, _ := bits.Div64(hi, lo, b.tasks)
	if wait > uint64(never-b.last) {
		return never
	}
	return b.last + int64(wait)
}
