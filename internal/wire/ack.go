package wire

// AckFrame is an Ack: entry i belongs to request Req+i. Decode reuses Entries.
type AckFrame struct {
	Req, Low uint64
	Queue    string
	Entries  []Pair

	names names
}

// Decode reads the body of a message of type [TypeAck]. An error matches
// [reeve.ErrProtocol] and leaves f without a meaning.
func (f *AckFrame) Decode(body []byte) error {
	f.Req, f.Low, f.Queue, f.Entries = 0, 0, "", f.Entries[:0]
	c := cursor{b: body}
	var seen keys
	for n := c.mapHead(1); n > 0 && !c.bad(); n-- {
		switch c.key(&seen) {
		case 1:
			f.Req = c.uint()
		case 2:
			f.Low = c.uint()
		case 3:
			f.Queue = c.name(&f.names)
		case 4:
			f.Entries = c.pairs(f.Entries)
		default:
			c.skip(1)
		}
	}
	c.checkRequests(f.Req, f.Low, len(f.Entries))
	return c.end("Ack")
}

// Clear drops the texts that f keeps for reuse, and its memory if it grew
// large. Call it before f rests.
func (f *AckFrame) Clear() { f.Entries, f.names = rest(f.Entries), names{} }
