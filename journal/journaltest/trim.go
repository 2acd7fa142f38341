package journaltest

import (
	"errors"

	"github.com/reeveq/reeve/journal"
)

// trimSome: frames from the number on stay, those before it are right or gone.
func trimSome(t *trial) {
	b := t.book("trim")
	b.trim(1) // nothing, of nothing
	b.appendSome(40, 2000)
	for _, p := range []journal.Pos{1, 2, 3, 3, 20, 10, 1, 40} {
		b.trim(p)
		b.readAll()
		b.appendSome(1, 2000)
	}
	b.close()
	b.reopen()
	b.readAll()
	for range 30 {
		b.appendSome(20, 2000)
		b.trim(b.last() - journal.Pos(b.rand.IntN(25)))
		b.readAll()
	}
	for range 2 {
		b.sync()
		b.close()
		b.reopen()
		b.readAll()
	}
}

// trimAll: when all frames are trimmed the next one's number is still that of
// the last one plus one, in all lives.
func trimAll(t *trial) {
	b := t.book("trim-all")
	for _, n := range []int{1, 1, 50, 7} {
		b.appendSome(n, 2000)
		b.trim(b.last() + 1)
		b.readAll()
		if _, err := b.j.Read(t.Context(), b.last()+1); err == nil || errors.Is(err, journal.ErrCorrupt) {
			t.Errorf("Read of a frame after the last one, with all trimmed, gives %v", err)
		}
		for range 3 {
			b.close()
			b.reopen()
			b.trim(b.last() + 1)
		}
		b.appendSome(1, 2000)
		b.read(b.last())
		b.close()
		b.reopen()
		b.read(b.last())
	}
}
