package wire

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/reeveq/reeve"
)

// Rules are [reeve.Rules] as they travel, in the tasks of a [PutFrame], a
// [CompleteFrame] and a [DeliverFrame] and in a [TaskInfo].
type Rules reeve.Rules

// MarshalCBOR writes the map of the rules that are set.
func (r *Rules) MarshalCBOR() ([]byte, error) {
	rules := (*reeve.Rules)(r)
	if err := checkRules(rules); err != nil {
		return nil, err
	}
	return appendRules(make([]byte, 0, rulesSize(rules)), rules), nil
}

// UnmarshalCBOR reads a map of rules.
func (r *Rules) UnmarshalCBOR(b []byte) error {
	*r = Rules{}
	c := cursor{b: b}
	var in names
	c.rules((*reeve.Rules)(r), &in)
	return c.end("rules")
}

// rulesSize is at least the size of a map of rules.
func rulesSize(r *reeve.Rules) int {
	const (
		numbers = 7 * (1 + 9)     // the times, spans, attempts and the mode
		backoff = 1 + 1 + 4*9     // key, head, two numbers and two floats
		texts   = 2*(1+3) + 1 + 1 // heads of two keys and of the labels
	)
	n := 1 + numbers + backoff + texts + len(r.Key) + len(r.Unique)
	for _, l := range r.Labels {
		n += 2 + len(l)
	}
	if len(r.Blobs) > 0 {
		n += 1 + 3 + len(r.Blobs)*(2+len(reeve.BlobHash{})+9)
	}
	return n
}

// checkRules reports what a receiver would take for malformed. What is out of
// range beyond that is for [reeve.Rules.Validate] to say, on either side.
func checkRules(r *reeve.Rules) error {
	if err := checkText("key", r.Key, reeve.MaxKey); err != nil {
		return err
	}
	if err := checkText("unique key", r.Unique, reeve.MaxKey); err != nil {
		return err
	}
	if len(r.Labels) > reeve.MaxLabels {
		return tooLarge("labels", len(r.Labels), reeve.MaxLabels)
	}
	for _, l := range r.Labels {
		if err := checkText("label", l, MaxName); err != nil {
			return err
		}
	}
	if len(r.Blobs) > reeve.MaxTaskBlobs {
		return tooLarge("blobs", len(r.Blobs), reeve.MaxTaskBlobs)
	}
	for _, t := range [...]time.Time{r.At, r.ExpireAt} {
		if !t.IsZero() && !t.Equal(time.Unix(0, t.UnixNano())) {
			return fmt.Errorf("%w: time %v of a task", reeve.ErrInvalid, t)
		}
	}
	return nil
}

// moment is t as it travels in rules, where 0 is no time at all: the first
// nanosecond of 1970 becomes the second one.
func moment(t time.Time) int64 {
	if ns := unixNano(t); ns != 0 || t.IsZero() {
		return ns
	}
	return 1
}

// appendRules writes {1: at, 2: expiry, 3: expire_at, 4: attempts, 5: backoff,
// 6: key, 7: unique, 8: mode, 9: unique_for, 10: labels, 11: keep_result,
// 12: blobs}, without those that are zero.
func appendRules(b []byte, r *reeve.Rules) []byte {
	head := len(b)
	b = append(b, majorMap<<5)
	number := func(key byte, v int64) {
		if v != 0 {
			b[head]++
			b = appendInt(append(b, key), v)
		}
	}
	number(1, moment(r.At))
	number(2, int64(r.Expiry))
	number(3, moment(r.ExpireAt))
	number(4, int64(r.Attempts))
	if r.Backoff != (reeve.Backoff{}) {
		b[head]++
		b = appendBackoff(append(b, 5), &r.Backoff)
	}
	if r.Key != "" {
		b[head]++
		b = appendText(append(b, 6), r.Key)
	}
	if r.Unique != "" {
		b[head]++
		b = appendText(append(b, 7), r.Unique)
	}
	number(8, int64(r.UniqueMode))
	number(9, int64(r.UniqueFor))
	if len(r.Labels) > 0 {
		b[head]++
		b = appendHead(append(b, 10), majorArray, uint64(len(r.Labels)))
		for _, l := range r.Labels {
			b = appendText(b, l)
		}
	}
	number(11, int64(r.KeepResult))
	if len(r.Blobs) > 0 {
		b[head]++
		b = appendBlobs(append(b, 12), r.Blobs)
	}
	return b
}

// appendBlobs writes [hash, size, hash, size, …].
func appendBlobs(b []byte, refs []reeve.BlobRef) []byte {
	b = appendHead(b, majorArray, 2*uint64(len(refs)))
	for _, r := range refs {
		b = appendInt(appendBytes(b, r.Hash[:]), r.Size)
	}
	return b
}

// appendBackoff writes [base, factor, max, jitter].
func appendBackoff(b []byte, f *reeve.Backoff) []byte {
	b = appendInt(append(b, majorArray<<5|4), int64(f.Base))
	b = appendFloat(b, f.Factor)
	b = appendInt(b, int64(f.Max))
	return appendFloat(b, f.Jitter)
}

// newRules reads the rules of a task of its own: who takes the task keeps them.
func (c *cursor) newRules(in *names) *reeve.Rules {
	r := new(reeve.Rules)
	c.rules(r, in)
	return r
}

// rules reads what [appendRules] writes into r, which is zero.
func (c *cursor) rules(r *reeve.Rules, in *names) {
	var seen keys
	for n := c.mapHead(5); n > 0 && !c.bad(); n-- {
		switch c.key(&seen) {
		case 1:
			r.At = timeOf(c.int64())
		case 2:
			r.Expiry = duration(c.int64())
		case 3:
			r.ExpireAt = timeOf(c.int64())
		case 4:
			r.Attempts = c.int()
		case 5:
			c.backoff(&r.Backoff)
		case 6:
			r.Key = string(c.atMost("key bytes", reeve.MaxKey))
		case 7:
			r.Unique = string(c.atMost("unique key bytes", reeve.MaxKey))
		case 8:
			v := c.uint()
			if v > math.MaxUint8 {
				c.fail(wrongRange)
			}
			r.UniqueMode = reeve.UniqueMode(v)
		case 9:
			r.UniqueFor = duration(c.int64())
		case 10:
			r.Labels = c.labels(in)
		case 11:
			r.KeepResult = duration(c.int64())
		case 12:
			r.Blobs = c.blobs()
		default:
			c.skip(5)
		}
	}
}

func (c *cursor) backoff(f *reeve.Backoff) {
	n := c.array(6)
	f.Base = duration(c.int64())
	f.Factor = c.float()
	f.Max = duration(c.int64())
	f.Jitter = c.float()
	if n < 4 {
		c.fail(wrongElements)
	}
	for ; n > 4 && !c.bad(); n-- {
		c.skip(6)
	}
}

// labels reads the labels of a task; none are nil.
func (c *cursor) labels(in *names) []string {
	n := c.array(6)
	if n > reeve.MaxLabels {
		c.over("labels", uint64(n), reeve.MaxLabels)
	}
	if n == 0 || c.bad() {
		return nil
	}
	labels := slices.Grow([]string(nil), n)
	for ; n > 0 && !c.bad(); n-- {
		labels = append(labels, c.name(in))
	}
	return labels
}

// blobs reads the blobs of a task; none are nil.
func (c *cursor) blobs() []reeve.BlobRef {
	n := c.array(6)
	if n > 2*reeve.MaxTaskBlobs {
		c.over("blobs", uint64(n/2), reeve.MaxTaskBlobs)
	}
	if n%2 != 0 {
		c.fail(wrongElements)
	}
	if n == 0 || c.bad() {
		return nil
	}
	refs := make([]reeve.BlobRef, n/2)
	for i := range refs {
		hash := c.bytes()
		if len(hash) != len(refs[i].Hash) {
			c.fail(wrongRange)
			return nil
		}
		refs[i] = reeve.BlobRef{Hash: reeve.BlobHash(hash), Size: c.int64()}
	}
	return refs
}
