package journaltest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/reeveq/reeve/journal"
)

// readAtAnyTime: every frame that is kept can be read, whether synced or not,
// and whoever wrote it. One that is not there is an error.
func readAtAnyTime(t *trial) {
	b := t.book("read")
	absent := func(p journal.Pos) {
		t.Helper()
		if frame, err := b.j.Read(t.Context(), p); err == nil {
			t.Errorf("Read gives %d bytes for frame %d, the last is %d", len(frame), p, b.last())
		}
	}
	absent(0)
	absent(1)
	for i := range 30 {
		b.appendSome(1, 10_000)
		b.read(b.last())
		b.read(1)
		if i%10 == 0 {
			b.sync()
		}
		absent(b.last() + 1)
	}
	absent(0)
	absent(b.last() + 1<<40)
	b.close()
	b.reopen()
	for p := b.last(); p > 0; p-- {
		b.read(p)
	}
	absent(b.last() + 1)
	b.appendSome(1, 100)
	b.readAll()
	ended, end := context.WithCancel(t.Context())
	end()
	if frame, err := b.j.Read(ended, 2); err == nil {
		b.same("Read", 2, frame)
	}
	b.readAll() // whatever became of that one
}

// readBesideEverything: any number may read while frames are appended, synced
// and trimmed.
func readBesideEverything(t *trial) {
	const frames, readers, reads = 600, 4, 200
	b := t.book("read-beside")
	b.appendSome(1, 4000)
	for range frames - 1 {
		b.frames = append(b.frames, b.bytes(1+b.rand.IntN(4000)))
	}
	var appended, trimming atomic.Uint64 // the last frame that is there; what the last Trim begun asks for
	appended.Store(1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var reading sync.WaitGroup
	for i := range readers {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		reading.Go(func() {
			for n := 0; n < reads || ctx.Err() == nil; n++ {
				last := appended.Load()
				p := journal.Pos(1 + r.Uint64N(last))
				frame, err := b.j.Read(t.Context(), p)
				switch {
				case err == nil:
					b.same("Read", p, frame)
				case errors.Is(err, journal.ErrTrimmed) && uint64(p) < trimming.Load():
				default:
					t.Errorf("Read of frame %d of %d, those before %d trimmed: %v", p, last, trimming.Load(), err)
					return
				}
			}
		})
	}
	err := func() error {
		for p := journal.Pos(2); p <= frames; p++ {
			if err := b.j.Append(t.Context(), p, b.frames[p-1], journal.AppendOptions{}); err != nil {
				return err
			}
			appended.Store(uint64(p))
			if p%50 == 0 {
				if err := b.j.Sync(t.Context()); err != nil {
					return err
				}
			}
			if p%120 == 0 {
				trimming.Store(uint64(p / 2))
				if err := b.j.Trim(t.Context(), p/2); err != nil {
					return err
				}
			}
		}
		return nil
	}()
	stop()
	reading.Wait()
	if err != nil {
		t.Fatalf("while others read: %v", err)
	}
	b.trimmed = journal.Pos(trimming.Load())
	b.readAll()
	b.close()
	b.reopen()
}

// readBesideClose: who reads while the journal is closed gets frames, and then
// ErrClosed.
func readBesideClose(t *trial) {
	const frames, readers = 50, 4
	b := t.book("read-close")
	b.appendSome(frames, 4000)
	for range 5 {
		var closed atomic.Bool
		var begun, reading sync.WaitGroup
		begun.Add(readers)
		for i := range readers {
			reading.Go(func() {
				begin := sync.OnceFunc(begun.Done)
				defer begin()
				for p, more := journal.Pos(1+i), true; more; p = 1 + (p+7)%frames {
					more = b.readUntilClosed(p, closed.Load())
					begin()
				}
			})
		}
		begun.Wait()
		err := b.j.Close()
		closed.Store(true)
		reading.Wait()
		if b.open = false; err != nil {
			t.Fatalf("Close while others read: %v", err)
		}
		b.reopen()
	}
}

// readUntilClosed reads a frame and tells whether there may be more.
func (b *book) readUntilClosed(p journal.Pos, closed bool) (more bool) {
	b.Helper()
	frame, err := b.j.Read(b.Context(), p)
	switch {
	case errors.Is(err, journal.ErrClosed):
		return false
	case err != nil || closed:
		b.Errorf("Read of frame %d gives %v, closed before: %v; want the frame or ErrClosed", p, err, closed)
		return false
	}
	b.same("Read", p, frame)
	return true
}
