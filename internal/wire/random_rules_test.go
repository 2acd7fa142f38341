package wire_test

import (
	"math"

	"github.com/reeveq/reeve"
)

// ruled is a priority and rules; most tasks have neither.
func (r random) ruled() (priority int32, rules *reeve.Rules) {
	if r.IntN(3) == 0 {
		priority = int32(r.number())
	}
	if r.IntN(3) == 0 {
		rules = r.rules()
	}
	return priority, rules
}

func (r random) sometimes() bool { return r.IntN(3) == 0 }

// rules are any that can travel, valid or not.
func (r random) rules() *reeve.Rules {
	rules := &reeve.Rules{}
	number := func(v *int64) {
		if r.sometimes() {
			*v = r.duration()
		}
	}
	var at, expiry, expireAt, attempts, uniqueFor, keep int64
	for _, v := range []*int64{&at, &expiry, &expireAt, &attempts, &uniqueFor, &keep} {
		number(v)
	}
	rules.At, rules.Expiry, rules.ExpireAt, rules.Attempts = unix(at), duration(expiry), unix(expireAt), int(attempts)
	rules.UniqueFor, rules.KeepResult = duration(uniqueFor), duration(keep)
	if r.sometimes() {
		rules.Backoff = reeve.Backoff{
			Base: duration(r.duration()), Factor: r.float(), Max: duration(r.duration()), Jitter: r.float(),
		}
	}
	if r.sometimes() {
		rules.Key = r.name()
	}
	if r.sometimes() {
		rules.Unique, rules.UniqueMode = r.name(), reeve.UniqueMode(r.IntN(256))
	}
	if r.sometimes() {
		for range 1 + r.IntN(16) {
			rules.Labels = append(rules.Labels, r.name())
		}
	}
	if r.sometimes() {
		for range 1 + r.IntN(16) {
			rules.Blobs = append(rules.Blobs, reeve.BlobRef{Hash: reeve.BlobHash(r.bytes(32)), Size: r.duration()})
		}
	}
	return rules
}

// float is one of every width and kind.
func (r random) float() float64 {
	return []float64{
		0, 1, 2, -1, 0.5, 0.2, 1e-7, 65504, 5.960464477539063e-8, math.Inf(1), math.Inf(-1), math.NaN(), 1e300, r.Float64(),
		float64(float32(r.Float64())), math.Copysign(0, -1),
	}[r.IntN(16)]
}

// rulesMap is the map that the specification gives rules.
func rulesMap(r *reeve.Rules) map[uint64]any {
	m := map[uint64]any{}
	number := func(key uint64, v int64) {
		if v != 0 {
			m[key] = v
		}
	}
	text := func(key uint64, v string) {
		if v != "" {
			m[key] = v
		}
	}
	if !r.At.IsZero() {
		m[1] = r.At.UnixNano()
	}
	number(2, int64(r.Expiry))
	if !r.ExpireAt.IsZero() {
		m[3] = r.ExpireAt.UnixNano()
	}
	number(4, int64(r.Attempts))
	if r.Backoff != (reeve.Backoff{}) {
		m[5] = []any{int64(r.Backoff.Base), r.Backoff.Factor, int64(r.Backoff.Max), r.Backoff.Jitter}
	}
	text(6, r.Key)
	text(7, r.Unique)
	number(8, int64(r.UniqueMode))
	number(9, int64(r.UniqueFor))
	if len(r.Labels) > 0 {
		m[10] = r.Labels
	}
	number(11, int64(r.KeepResult))
	if len(r.Blobs) > 0 {
		flat := []any{}
		for _, b := range r.Blobs {
			flat = append(flat, b.Hash[:], b.Size)
		}
		m[12] = flat
	}
	return m
}
