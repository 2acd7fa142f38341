package record

// The Decode functions read the fields of a record, the body that [Next]
// returned, into r. Every field of r is set. Bytes (Payload, Config) alias the
// body, and are nil if they are empty. Texts are copied, unless r holds the same
// text already: decoding into one r again and again, equal texts in a row are
// one string. What is behind the fields that are known is left alone. The error
// matches [ErrMalformed]; r has nothing of use then.

// Decode reads a Master.
func (r *Master) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Epoch = c.uint64()
	r.Start = c.nanos(true)
	r.Last = c.id()
	return c.end(KindMaster, body)
}

// Decode reads a Queue. Config aliases body.
func (r *Queue) Decode(body []byte) error {
	c := cursor{rest: body}
	r.No = c.uint32()
	r.Name = c.text(true, r.Name)
	r.Config = c.bytes()
	return c.end(KindQueue, body)
}

// Decode reads a Delete.
func (r *Delete) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	return c.end(KindDelete, body)
}

// Decode reads a Pause.
func (r *Pause) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	bits := c.byte()
	r.Paused = bits&pausePaused != 0
	r.Reason = c.text(bits&pauseReason != 0, r.Reason)
	return c.end(KindPause, body)
}

// Decode reads a Client.
func (r *Client) Decode(body []byte) error {
	c := cursor{rest: body}
	r.No = c.uint32()
	r.Key = c.text(true, r.Key)
	r.Process = [16]byte{}
	copy(r.Process[:], c.take(uint64(len(r.Process))))
	return c.end(KindClient, body)
}

// Decode reads a Gone.
func (r *Gone) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Client = c.uint32()
	return c.end(KindGone, body)
}

// Decode reads a Request.
func (r *Request) Decode(body []byte) error {
	c := cursor{rest: body}
	bits := c.byte()
	r.Client = c.uint32()
	r.Req = c.uvarint()
	r.Count, r.First, r.Low = 1, 0, 0
	if bits&requestCount != 0 {
		r.Count = c.uint32()
	}
	if bits&requestFirst != 0 {
		r.First = c.id()
	}
	if bits&requestLow != 0 {
		r.Low = r.Req - c.uvarint()
	}
	return c.end(KindRequest, body)
}

// Decode reads a Lease.
func (r *Lease) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	r.Attempt = c.uint32()
	r.Client = c.uint32()
	return c.end(KindLease, body)
}

// Decode reads an Extend.
func (r *Extend) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	r.Until = c.nanos(true)
	return c.end(KindExtend, body)
}

// Decode reads a Move.
func (r *Move) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	r.Claimed = c.byte()&moveClaimed != 0
	r.To = c.uint32()
	return c.end(KindMove, body)
}

// Decode reads an End.
func (r *End) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Queue = c.uint32()
	r.ID = c.id()
	return c.end(KindEnd, body)
}
