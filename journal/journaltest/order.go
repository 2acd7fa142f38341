package journaltest

import (
	"context"
	"errors"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// orderOverManyLives: frames have the numbers 1, 2, 3, … whoever the owner is,
// and come back as they were, in order.
func orderOverManyLives(t *trial) {
	b := t.book("order")
	if b.last() != 0 {
		t.Errorf("the last frame of a new journal is %d, want 0", b.last())
	}
	for _, n := range []int{1, 0, 0, 2, 100, 0, 37, 1, 1, 1} {
		b.appendSome(n, 3000)
		if n > 1 {
			b.sync()
			b.sync()
			b.appendSome(n/2, 50)
		}
		b.readAll()
		b.close()
		b.reopen()
		b.readAll()
	}
}

// orderWrongNumbers: an Append that is not for the next number, or of nothing,
// fails and leaves no trace. Whether others work afterwards is not said.
func orderWrongNumbers(t *trial) {
	b := t.book("order-wrong")
	for _, n := range []int{0, 3} {
		b.appendSome(n, 100)
		next := b.last() + 1
		for _, wrong := range []struct {
			p     journal.Pos
			frame string
		}{
			{next + 1, "too far"}, {next - 1, "again"}, {next + 1<<40, "much too far"}, {next, ""},
		} {
			for _, o := range []journal.AppendOptions{{}, {Reserve: true}} {
				if err := b.j.Append(t.Context(), wrong.p, []byte(wrong.frame), o); err == nil {
					t.Errorf("Append of frame %d with %q works, the last is %d", wrong.p, wrong.frame, b.last())
				}
			}
			frame := b.bytes(20)
			if err := b.j.Append(t.Context(), next, frame, journal.AppendOptions{}); err == nil {
				b.frames = append(b.frames, frame)
				next++
			}
			b.end()
			b.reopen()
			b.readAll()
		}
	}
}

// orderEndedContext: whether an Append or a Sync looks at its context is not
// said. One that works has worked, and after one that does not nothing does.
func orderEndedContext(t *trial) {
	b := t.book("order-context")
	ended, end := context.WithCancel(t.Context())
	end()
	for _, n := range []int{0, 1, 5} {
		b.appendSome(n, 100)
		frame := b.bytes(100)
		err := b.j.Append(ended, b.last()+1, frame, journal.AppendOptions{})
		b.frames = append(b.frames, frame)
		b.after(err, OpAppend)

		b.appendSome(n, 100)
		b.after(b.j.Sync(ended), OpSync)
	}
}

// after reopens the journal if an operation, of which the last frame was one,
// has failed.
func (b *book) after(err error, op Op) {
	b.Helper()
	least := b.last()
	switch {
	case err == nil:
		return
	case errors.Is(err, reeve.ErrJournalFull):
		b.Fatalf("%v, with its context ended: %v", op, err)
	case op == OpAppend:
		least--
	}
	b.refused("after its context ended")
	b.end()
	b.mustOpen()
	b.replay(least)
}
