package record

import (
	"time"

	"github.com/reeveq/reeve"
)

// Decode reads a Put. Body.Payload aliases body. Body.Extra and Body.Blobs are new each time;
// Labels and Backoff of the former may be those of the Extra that r had, if they
// are equal: nobody may write to them.
func (r *Put) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	bits := c.byte()
	r.Due = c.nanos(bits&putDue != 0)
	r.Wall = bits&putWall != 0
	r.Order = 0
	if bits&putOrder != 0 {
		r.Order = int64(r.ID) + c.varint()
	}
	c.body(&r.Body, bits)
	r.Body.Blobs = c.blobs(bits&bodyBlobs != 0)
	return c.end(KindPut, body)
}

// Decode reads a Task. Body is as that of a Put; Now.History is new each time.
func (r *Task) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	bits := c.byte()
	c.body(&r.Body, bits)
	c.standing(&r.Now)
	r.Body.Blobs = c.blobs(bits&bodyBlobs != 0)
	return c.end(KindTask, body)
}

// Decode reads a Stand. Now.History is new each time.
func (r *Stand) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	c.standing(&r.Now)
	return c.end(KindState, body)
}

// Decode reads a Result. Payload aliases body.
func (r *Result) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	bits := c.byte()
	r.State = reeve.State(c.byte())
	r.Attempts = c.uint32()
	r.EndedAt = c.time(bits&resultEndedAt != 0)
	r.Until = c.nanos(bits&resultUntil != 0)
	r.Type = c.text(bits&resultType != 0, r.Type)
	r.Reason = c.text(bits&resultReason != 0, r.Reason)
	r.Error = c.text(bits&resultError != 0, r.Error)
	r.Payload = nil
	if bits&resultPayload != 0 {
		r.Payload = c.bytes()
	}
	r.Blobs = c.blobs(bits&resultBlobs != 0)
	return c.end(KindResult, body)
}

// Decode reads a Unique.
func (r *Unique) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	bits := c.byte()
	r.Mode = reeve.UniqueMode(c.byte())
	r.Key = c.text(true, r.Key)
	r.Until = c.nanos(bits&uniqueUntil != 0)
	return c.end(KindUnique, body)
}

func (c *cursor) body(r *Body, bits byte) {
	r.PutAt = c.nanos(true)
	r.Type = c.text(bits&bodyType != 0, r.Type)
	r.Priority, r.Source = 0, 0
	if bits&bodyPriority != 0 {
		r.Priority = c.int32()
	}
	if bits&bodySource != 0 {
		r.Source = c.id()
	}
	r.Payload = c.bytes()
	if bits&bodyExtra == 0 || c.bad {
		r.Extra = nil
		return
	}
	r.Extra = c.extra(r.Extra)
}

// extra is what is there beside old, which may be nil.
func (c *cursor) extra(old *Extra) *Extra {
	if old == nil {
		old = &Extra{}
	}
	bits := c.uint16()
	r := &Extra{Claimed: bits&extraClaimed != 0, ExpireWall: bits&extraExpireWall != 0, Asked: bits&extraAsked != 0}
	if bits&extraTimeout != 0 {
		r.Timeout = c.varint()
	}
	if bits&extraAttempts != 0 {
		r.Attempts = c.int32()
	}
	r.Key = c.text(bits&extraKey != 0, old.Key)
	r.Unique = c.text(bits&extraUnique != 0, old.Unique)
	if bits&extraMode != 0 {
		r.Mode = reeve.UniqueMode(c.byte())
	}
	r.UniqueUntil = c.nanos(bits&extraUniqueUntil != 0)
	if bits&extraLabels != 0 {
		r.Labels = c.labels(old.Labels)
	}
	if bits&extraBackoff != 0 {
		r.Backoff = c.backoff(old.Backoff)
	}
	r.ExpireAt = c.nanos(bits&extraExpireAt != 0)
	if bits&extraKeep != 0 {
		r.Keep = c.varint()
	}
	return r
}

// blobs is new each time.
func (c *cursor) blobs(there bool) []reeve.BlobRef {
	if !there {
		return nil
	}
	var refs []reeve.BlobRef
	for range c.count(len(reeve.BlobHash{}) + 1) {
		hash := c.take(uint64(len(reeve.BlobHash{})))
		size := c.varint()
		if c.bad {
			return nil
		}
		refs = append(refs, reeve.BlobRef{Hash: reeve.BlobHash(hash), Size: size})
	}
	return refs
}

func (c *cursor) labels(old []string) []string {
	n := c.count(1)
	if ahead := *c; n == len(old) {
		same := true
		for _, l := range old {
			same = same && string(ahead.take(ahead.uvarint())) == l && !ahead.bad
		}
		if same {
			c.rest = ahead.rest
			return old
		}
	}
	var labels []string
	for range n {
		if c.bad {
			return nil
		}
		labels = append(labels, c.text(true, ""))
	}
	return labels
}

func (c *cursor) backoff(old *reeve.Backoff) *reeve.Backoff {
	v := reeve.Backoff{Base: time.Duration(c.varint()), Max: time.Duration(c.varint()), Factor: c.float(), Jitter: c.float()}
	if old != nil && *old == v {
		return old
	}
	fresh := v // which is made here only
	return &fresh
}
