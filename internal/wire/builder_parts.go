package wire

// partSize is from when on a payload is not copied by a Builder that is asked
// not to.
const partSize = 16 << 10

// parts are the large payloads of what a Builder has gathered.
type parts struct {
	at   []part
	open int // bytes of those in the open frame
	list [][]byte
}

// part is a payload that belongs into the buffer, in front of the byte at.
type part struct {
	at      int
	payload []byte
}

// KeepLarge has large payloads not copied: what was gathered is taken with
// TakeParts from then on. They must not change until it is written.
func (b *Builder) KeepLarge() { b.parts = &parts{} }

// addPayload adds a byte string.
func (b *Builder) addPayload(p []byte) {
	if b.parts == nil || len(p) < partSize {
		b.buf = appendBytes(b.buf, p)
		return
	}
	b.buf = appendHead(b.buf, majorBytes, uint64(len(p)))
	b.parts.at = append(b.parts.at, part{len(b.buf), p})
	b.parts.open += len(p)
}

// TakeParts is Take with KeepLarge: what was gathered is the parts one after
// another, which are valid until Reset, for which buf is.
func (b *Builder) TakeParts() (list [][]byte, buf []byte) {
	buf = b.Take()
	p := b.parts
	p.list = p.list[:0]
	from := 0
	for _, it := range p.at {
		p.list = append(p.list, buf[from:it.at], it.payload)
		from = it.at
	}
	if from < len(buf) {
		p.list = append(p.list, buf[from:])
	}
	clear(p.at)
	p.at = p.at[:0]
	return p.list, buf
}
