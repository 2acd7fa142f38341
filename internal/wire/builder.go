package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/reeveq/reeve"
)

const (
	maxLength  = math.MaxUint32    // the largest length that a header can say
	keptBuffer = 4 * MaxSmallFrame // the largest buffer that a Builder takes back
	frameSize  = 64                // more than all of a hot frame but its entries and names
)

// Builder gathers outgoing frames. An item that can be told in the frame that
// the item before it opened extends that frame, so what gathers while one
// write is in progress becomes few frames of many items. Confirms are gathered
// apart from everything else and come after it, so that the two do not cut
// each other's frames short.
//
// The methods that take items copy them, and either add everything or return
// an error and add nothing: a [reeve.LimitError] that matches
// [reeve.ErrTooLarge] for what is beyond the limits of a frame, and
// [reeve.ErrInvalid] for a queue name or task type that is not UTF-8.
//
// The zero value is ready. It is not safe for concurrent use.
type Builder struct {
	buf     []byte // finished frames and the open one
	spare   []byte
	max     int // 0: DefaultMaxFrame
	large   bool
	confirm confirms
	parts   *parts // where large payloads go that are not copied; nil: none are

	// The open frame: its last element is an array that takes more entries.
	open  Type // 0: none
	start int  // of its header, in buf
	head  int  // of the array, in buf
	n     int  // entries so far

	// What the open frame is about; an entry that differs needs another.
	queue, to string // the last ones that were used, known to be valid
	req, low  uint64 // of the first entry; the highest low so far
	lowAt     int    // where low is to be written in buf; 0: nowhere
	flags     uint64 // of a Put
	consumer  uint64 // of a Deliver
}

// SetMaxFrame sets the largest frame (without its header) that is built: what
// the receiver allows. Before, and at least, it is [DefaultMaxFrame].
func (b *Builder) SetMaxFrame(n int) { b.max = n }

func (b *Builder) limit() int {
	return min(max(b.max, DefaultMaxFrame), maxLength)
}

// Len is about how many bytes Take would return; zero means none.
func (b *Builder) Len() int { return len(b.buf) + b.confirm.len() }

// Large reports whether one of the frames so far belongs on the bulk stream.
// Without one the whole result of Take is one write; otherwise see [SplitRun].
func (b *Builder) Large() bool {
	return b.large || b.open != 0 && b.openLen() > MaxSmallFrame
}

// Take returns everything that was gathered, as whole frames one after
// another, and starts anew; nil when there is nothing. The caller gives the
// buffer back with Reset when it is written.
func (b *Builder) Take() []byte {
	b.close()
	if n := b.confirm.len(); n > 0 {
		b.grow(n)
		b.buf = b.confirm.appendFrame(b.buf)
	}
	out := b.buf
	b.buf, b.spare, b.large = b.spare[:0], nil, false
	if len(out) == 0 {
		b.Reset(out)
		return nil
	}
	return out
}

// Reset gives the Builder a buffer to use again, for what comes after the next
// Take at the latest. What was gathered stays. A buffer too large to be kept
// is left to the garbage collector.
func (b *Builder) Reset(buf []byte) {
	if b.parts != nil {
		clear(b.parts.list) // a Builder that rests keeps no payload
	}
	switch {
	case cap(buf) == 0 || cap(buf) > keptBuffer:
	case len(b.buf) == 0 && cap(b.buf) < cap(buf):
		pool(b.buf)
		b.buf = buf[:0]
	case cap(b.spare) < cap(buf):
		pool(b.spare)
		b.spare = buf[:0]
	default:
		pool(buf)
	}
}

// Release gives up the buffers that are kept for reuse, for a Builder that
// rests. What was gathered stays.
func (b *Builder) Release() {
	pool(b.spare)
	b.spare = nil
	if b.Len() == 0 {
		pool(b.buf)
		b.buf, b.confirm.done = nil, nil
	}
}

// rested are the buffers of Builders that rest: one that wakes has a buffer as large
// as others needed at once, and does not grow its own step by step each time.
var rested sync.Pool // of *[]byte

func pool(buf []byte) {
	if cap(buf) > 0 && cap(buf) <= keptBuffer {
		empty := buf[:0] // it is this that the heap has, and only here
		rested.Put(&empty)
	}
}

// grow makes room for n bytes.
func (b *Builder) grow(n int) {
	if cap(b.buf) == 0 {
		if kept, ok := rested.Get().(*[]byte); ok {
			b.buf = *kept
		}
	}
	b.buf = slices.Grow(b.buf, n)
}

// Message adds m in a frame of its own, as [Append] does.
func (b *Builder) Message(m Message) error {
	b.close()
	b.grow(frameSize)
	start := len(b.buf)
	buf, err := Append(b.buf, m)
	if err != nil {
		return err
	}
	n := len(buf) - start - HeaderLen
	if n > b.limit() {
		b.buf = buf[:start]
		return tooLarge("frame bytes", n, b.limit())
	}
	b.buf = buf
	b.large = b.large || n > MaxSmallFrame
	return nil
}

// check reports why an item with these names and this size cannot be sent in
// a frame of its own. size is that of the entry, at most.
func (b *Builder) check(size int, queue, to, typ string) error {
	if size+frameSize+len(queue)+len(to) > b.limit() {
		return tooLarge("frame bytes", size+frameSize+len(queue)+len(to), b.limit())
	}
	if queue != b.queue {
		if err := checkName(queue); err != nil {
			return err
		}
	}
	if to != b.to && to != "" {
		if err := checkName(to); err != nil {
			return err
		}
	}
	if typ != "" {
		return checkName(typ)
	}
	return nil
}

// checkTask is check for an item with a task.
func (b *Builder) checkTask(size int, queue, to string, t *reeve.Task) error {
	if t.Rules != nil {
		if err := checkRules(t.Rules); err != nil {
			return err
		}
	}
	return b.check(size, queue, to, t.Type)
}

func checkName(s string) error { return checkText("name", s, MaxName) }

func checkText(what, s string, max int) error {
	if len(s) > max {
		return tooLarge(what+" bytes", len(s), max)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w: %s %q is not UTF-8", reeve.ErrInvalid, what, s)
	}
	return nil
}

// room reports whether an entry of size bytes still fits into the open frame.
func (b *Builder) room(size, max int) bool {
	return b.n < MaxEntries && b.openLen()+size <= max
}

// openLen is the length of the open frame so far, without its header.
func (b *Builder) openLen() int {
	n := len(b.buf) - b.start - HeaderLen
	if b.parts != nil {
		n += b.parts.open
	}
	return n
}

// begin opens a frame of type t whose map has so many pairs, in a buffer with
// room for size bytes of entries.
func (b *Builder) begin(t Type, pairs byte, size int) {
	b.close()
	if b.parts != nil && size > MaxSmallFrame {
		size = MaxSmallFrame // most of it is not copied
	}
	b.grow(size + frameSize)
	b.open, b.start, b.n, b.lowAt = t, len(b.buf), 0, 0
	b.buf = appendUint(append(b.buf, 0, 0, 0, 0), uint64(t))
	b.buf = append(b.buf, majorMap<<5|pairs)
}

// beginRequest opens the frame of a request up to its queue. low has a fixed
// width: it is written when the frame is complete.
func (b *Builder) beginRequest(t Type, pairs byte, size int, req, low uint64, queue string) {
	b.begin(t, pairs, size)
	b.buf = appendUint(append(b.buf, 1), req)
	b.buf = append(b.buf, 2, headUint64, 0, 0, 0, 0, 0, 0, 0, 0)
	b.lowAt = len(b.buf) - 8
	b.buf = appendText(append(b.buf, 3), queue)
	b.req, b.low, b.queue = req, low, queue
}

// beginArray opens the array that entries are added to, the last of the frame.
func (b *Builder) beginArray(key byte) {
	b.head = len(b.buf) + 1
	b.buf = append(b.buf, key, headArray16, 0, 0)
}

// added counts an entry whose request has this low.
func (b *Builder) added(low uint64) {
	b.n++
	b.low = max(b.low, low)
}

// close finishes the open frame, if any.
func (b *Builder) close() {
	if b.open == 0 {
		return
	}
	elements := b.n
	if b.open == TypeAck {
		elements *= 2
	}
	binary.BigEndian.PutUint16(b.buf[b.head+1:], uint16(elements))
	if b.lowAt > 0 {
		binary.BigEndian.PutUint64(b.buf[b.lowAt:], min(b.low, b.req))
	}
	n := b.openLen()
	binary.BigEndian.PutUint32(b.buf[b.start:], uint32(n))
	b.large = b.large || n > MaxSmallFrame
	b.open = 0
	if b.parts != nil {
		b.parts.open = 0
	}
}
