package journaltest

import (
	"context"
	"errors"

	"github.com/reeveq/reeve/journal"
)

// replayEndsWithItsCallee: an error of f ends Replay and is its error; nothing
// is lost by it.
func replayEndsWithItsCallee(t *trial) {
	b := t.book("replay")
	b.appendSome(20, 2000)
	enough := errors.New("enough")
	for _, end := range []journal.Pos{1, 11, 20} {
		b.close()
		b.mustOpen()
		var seen journal.Pos
		_, err := b.j.Replay(t.Context(), func(p journal.Pos, frame []byte) error {
			seen++
			b.same("Replay", p, frame)
			if p >= end {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || seen != end {
			t.Errorf("Replay gives %v after frame %d, want its callee's error after %d", err, seen, end)
		}
		b.end()
		b.reopen()
		b.readAll()
	}
}

// replayEndsWithItsContext: the end of ctx ends Replay before its last frame.
func replayEndsWithItsContext(t *trial) {
	b := t.book("replay-context")
	b.appendSome(200, 2000)
	for _, end := range []journal.Pos{0, 1, 100} {
		b.close()
		b.mustOpen()
		ctx, cancel := context.WithCancel(t.Context())
		if end == 0 {
			cancel()
		}
		var seen journal.Pos
		_, err := b.j.Replay(ctx, func(p journal.Pos, frame []byte) error {
			seen++
			b.same("Replay", p, frame)
			if p == end {
				cancel()
			}
			return nil
		})
		cancel()
		if !errors.Is(err, context.Canceled) || seen < end || seen == b.last() {
			t.Errorf("Replay gives %v after %d frames of %d, its context was cancelled after %d", err, seen, b.last(), end)
		}
		b.end()
		b.reopen()
		b.readAll()
	}
}
