package journaltest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/reeveq/reeve/journal"
)

// book is a journal, and what should be in it.
type book struct {
	*trial
	name string
	rand *rand.Rand // of frames
	j    journal.Journal
	open bool

	frames  [][]byte    // frame p is frames[p-1]; those that were lost in a power cut are not in it
	trimmed journal.Pos // frames before it may be gone
	synced  journal.Pos // frames up to it survive a power cut
}

// book opens a journal that was never there.
func (t *trial) book(name string) *book {
	t.Helper()
	b := &book{trial: t, name: name, rand: rand.New(rand.NewPCG(uint64(len(name)), 7)), trimmed: 1}
	b.reopen()
	t.Cleanup(b.end)
	return b
}

func (b *book) last() journal.Pos { return journal.Pos(len(b.frames)) }

// mustOpen begins an ownership while there is no other.
func (b *book) mustOpen() {
	b.Helper()
	j, err := b.Open(b, b.name)
	if err != nil {
		b.Fatalf("Open, while nobody owns the journal: %v", err)
	}
	b.j, b.open = j, true
}

// reopen begins an ownership and checks that all frames are there.
func (b *book) reopen() {
	b.Helper()
	b.mustOpen()
	b.replay(b.last())
}

// replay checks what Replay gives, of which the last is frame least or a later
// one; frames behind it that are not there are not expected any more.
func (b *book) replay(least journal.Pos) {
	b.Helper()
	first, next := journal.Pos(0), journal.Pos(0)
	last, err := b.j.Replay(b.Context(), func(p journal.Pos, frame []byte) error {
		switch {
		case first == 0:
			first = p
		case p != next:
			b.Errorf("Replay gives frame %d after frame %d", p, next-1)
		}
		next = p + 1
		b.same("Replay", p, frame)
		scribble(frame)
		return nil
	})
	switch {
	case err != nil:
		b.Fatalf("Replay: %v", err)
	case last < least, last > b.last():
		b.Fatalf("Replay says that the last frame is %d, want %d to %d", last, least, b.last())
	case first != 0 && next-1 != last:
		b.Errorf("Replay says that the last frame is %d, but ended with frame %d", last, next-1)
	case first == 0 && b.trimmed <= last:
		b.Errorf("Replay gives no frame of %d, though only those before %d were trimmed", last, b.trimmed)
	case first > b.trimmed:
		b.Errorf("Replay begins with frame %d of %d, though only those before %d were trimmed", first, last, b.trimmed)
	}
	b.frames = b.frames[:last]
	b.trimmed = min(b.trimmed, last+1)
	b.synced = min(b.synced, last)
}

// same tells how a frame differs from what was appended.
func (b *book) same(from string, p journal.Pos, frame []byte) {
	b.Helper()
	if p == 0 || p > b.last() {
		b.Errorf("%s gives frame %d, the last is %d", from, p, b.last())
		return
	}
	if want := b.frames[p-1]; !bytes.Equal(frame, want) {
		b.Errorf("%s gives another frame %d than was appended: %s", from, p, difference(frame, want))
	}
}

func difference(got, want []byte) string {
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("%d bytes, want %d; the first difference is at %d", len(got), len(want), at)
}

// appendAll appends frames, and changes the memory they are in afterwards. Who
// asks for the reserve gets whatever there is.
func (b *book) appendAll(frames ...[]byte) {
	b.Helper()
	for _, frame := range frames {
		buf := bytes.Clone(frame)
		o := journal.AppendOptions{Reserve: b.last()%5 == 3}
		if err := b.j.Append(b.Context(), b.last()+1, buf, o); err != nil {
			b.Fatalf("Append of frame %d, %d bytes: %v", b.last()+1, len(frame), err)
		}
		if !bytes.Equal(buf, frame) {
			b.Errorf("Append changed the frame it was given: %s", difference(buf, frame))
		}
		scribble(buf)
		b.frames = append(b.frames, frame)
	}
}

// appendSome appends n frames of up to size bytes.
func (b *book) appendSome(n, size int) {
	b.Helper()
	for range n {
		b.appendAll(b.bytes(1 + b.rand.IntN(size)))
	}
}

// bytes are n random ones.
func (b *book) bytes(n int) []byte {
	p := make([]byte, 0, n+8)
	for len(p) < n {
		p = binary.LittleEndian.AppendUint64(p, b.rand.Uint64())
	}
	return p[:n:n]
}

func (b *book) sync() {
	b.Helper()
	if err := b.j.Sync(b.Context()); err != nil {
		b.Fatalf("Sync: %v", err)
	}
	b.synced = b.last()
}

// trim checks that everything that must be there still is.
func (b *book) trim(p journal.Pos) {
	b.Helper()
	if err := b.j.Trim(b.Context(), p); err != nil {
		b.Fatalf("Trim before %d, the last frame is %d: %v", p, b.last(), err)
	}
	b.trimmed = max(b.trimmed, p)
}

// read checks one frame.
func (b *book) read(p journal.Pos) {
	b.Helper()
	frame, err := b.j.Read(b.Context(), p)
	switch {
	case errors.Is(err, journal.ErrTrimmed) && p < b.trimmed:
	case err != nil:
		b.Errorf("Read of frame %d (%d is the last, those before %d were trimmed): %v", p, b.last(), b.trimmed, err)
	default:
		b.same("Read", p, frame)
		scribble(frame)
	}
}

func (b *book) readAll() {
	b.Helper()
	for p := range b.last() {
		b.read(p + 1)
	}
}

// close closes the journal, which makes everything durable.
func (b *book) close() {
	b.Helper()
	if err := b.j.Close(); err != nil {
		b.Fatalf("Close: %v", err)
	}
	b.open, b.synced = false, b.last()
}

// end closes a journal that may have failed, or be closed.
func (b *book) end() {
	if b.open {
		_ = b.j.Close() // gives up the ownership; what it tells was told before
		b.open = false
	}
}

func (b *book) kill() {
	b.Helper()
	b.Kill(b, b.name, b.j)
	b.open = false
}

// powerCut cuts the power and begins the next ownership: what was synced is
// there, and what is there stays.
func (b *book) powerCut() {
	b.Helper()
	b.PowerCut(b, b.name, b.j)
	b.open = false
	b.mustOpen()
	b.replay(b.synced)
	b.synced = b.last()
}

// refused checks that nothing works any more.
func (b *book) refused(why string) {
	b.Helper()
	next := b.last() + 1
	for what, err := range map[string]error{
		"Append":                  b.j.Append(b.Context(), next, []byte("late"), journal.AppendOptions{}),
		"Append with the reserve": b.j.Append(b.Context(), next, []byte("late"), journal.AppendOptions{Reserve: true}),
		"Sync":                    b.j.Sync(b.Context()),
		"Trim":                    b.j.Trim(b.Context(), next),
	} {
		if err == nil {
			b.Errorf("%s works %s", what, why)
		}
	}
}

func scribble(p []byte) {
	for i := range p {
		p[i] ^= 0x5a
	}
}
