package record

import "encoding/binary"

// What is recorded of shared objects that are durable: which there are, and the
// entries of each.

// Object is an object's type, name and configuration, which stand for the number
// from then on.
type Object struct {
	No     uint32
	Type   string
	Name   string
	Config []byte
}

// Drop ends an object, with all its entries.
type Drop struct{ Object uint32 }

// Entry is an entry of an object from then on, in place of an earlier one with the
// same key.
type Entry struct {
	Object  uint32
	Key     []byte
	Value   []byte
	Expires int64  // Unix nanoseconds; 0: never
	Seq     uint64 // tells it from earlier ones; higher than those
}

// Remove ends an entry.
type Remove struct {
	Object uint32
	Key    []byte
}

// Answer is what a call returned that changed an object, for the client that may
// call again because it has no answer.
type Answer struct {
	Client uint32
	Req    uint64
	Waits  bool // which of the two series of calls Req is of
	Value  []byte
}

// Of the byte in an Entry and in an Answer.
const (
	entryExpires byte = 1 << iota
)

const (
	answerWaits byte = 1 << iota
)

// AppendObject appends r to b.
func AppendObject(b []byte, r *Object) []byte {
	b, o := begin(b, KindObject, 8+len(r.Type)+len(r.Name)+len(r.Config))
	b = binary.AppendUvarint(b, uint64(r.No))
	b = appendText(b, r.Type)
	b = appendText(b, r.Name)
	b = appendText(b, r.Config)
	return finish(b, o)
}

// AppendDrop appends r to b.
func AppendDrop(b []byte, r *Drop) []byte {
	at := len(b)
	b = beginSmall(b, KindDrop)
	b = binary.AppendUvarint(b, uint64(r.Object))
	return finishSmall(b, at)
}

// AppendEntry appends r to b.
func AppendEntry(b []byte, r *Entry) []byte {
	b, o := begin(b, KindEntry, 32+len(r.Key)+len(r.Value))
	b = append(b, bit(r.Expires != 0, entryExpires))
	b = binary.AppendUvarint(b, uint64(r.Object))
	b = binary.AppendUvarint(b, r.Seq)
	if r.Expires != 0 {
		b = appendTime(b, r.Expires)
	}
	b = appendText(b, r.Key)
	b = appendText(b, r.Value)
	return finish(b, o)
}

// AppendRemove appends r to b.
func AppendRemove(b []byte, r *Remove) []byte {
	b, o := begin(b, KindRemove, 8+len(r.Key))
	b = binary.AppendUvarint(b, uint64(r.Object))
	b = appendText(b, r.Key)
	return finish(b, o)
}

// AppendAnswer appends r to b.
func AppendAnswer(b []byte, r *Answer) []byte {
	b, o := begin(b, KindAnswer, 24+len(r.Value))
	b = append(b, bit(r.Waits, answerWaits))
	b = binary.AppendUvarint(b, uint64(r.Client))
	b = binary.AppendUvarint(b, r.Req)
	b = appendText(b, r.Value)
	return finish(b, o)
}

// Decode reads an Object. Config aliases body.
func (r *Object) Decode(body []byte) error {
	c := cursor{rest: body}
	r.No = c.uint32()
	r.Type = c.text(true, r.Type)
	r.Name = c.text(true, r.Name)
	r.Config = c.bytes()
	return c.end(KindObject, body)
}

// Decode reads a Drop.
func (r *Drop) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Object = c.uint32()
	return c.end(KindDrop, body)
}

// Decode reads an Entry. Key and Value alias body.
func (r *Entry) Decode(body []byte) error {
	c := cursor{rest: body}
	bits := c.byte()
	r.Object = c.uint32()
	r.Seq = c.uvarint()
	r.Expires = c.nanos(bits&entryExpires != 0)
	r.Key, r.Value = c.bytes(), c.bytes()
	return c.end(KindEntry, body)
}

// Decode reads a Remove. Key aliases body.
func (r *Remove) Decode(body []byte) error {
	c := cursor{rest: body}
	r.Object = c.uint32()
	r.Key = c.bytes()
	return c.end(KindRemove, body)
}

// Decode reads an Answer. Value aliases body.
func (r *Answer) Decode(body []byte) error {
	c := cursor{rest: body}
	bits := c.byte()
	r.Waits = bits&answerWaits != 0
	r.Client = c.uint32()
	r.Req = c.uvarint()
	r.Value = c.bytes()
	return c.end(KindAnswer, body)
}
