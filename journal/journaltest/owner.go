package journaltest

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/reeveq/reeve/journal"
)

// rival opens a journal that has an owner. refused: that one still is; else it
// must be fenced.
func (b *book) rival() (next *book, refused bool) {
	b.Helper()
	j, err := b.Open(b, b.name)
	if err == nil {
		n := *b
		n.j, n.open = j, true
		b.open = false
		b.Cleanup(n.end)
		return &n, false
	}
	var locked *journal.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, journal.ErrLocked) {
		b.Fatalf("Open of a journal that has an owner: %v, want success or a *journal.LockedError", err)
	}
	if locked.Name == "" || locked.PID < 0 {
		b.Errorf("Open of a journal that has an owner says %#v, want its name and who has it", locked)
	}
	return nil, true
}

// fenced checks that an owner is none any more.
func (b *book) fenced(when string) {
	b.Helper()
	err := b.j.Append(b.Context(), b.last()+1, []byte("late"), journal.AppendOptions{Reserve: true})
	if !errors.Is(err, journal.ErrFenced) {
		b.Errorf("an owner that was replaced gets %v from Append %s, want ErrFenced", err, when)
	}
	b.refused("for an owner that was replaced, " + when)
}

// ownerIsTheOnlyOne: a second Open, while the first owner lives, is refused and
// does no harm, or takes over: then nothing that the first one does is ever
// seen.
func ownerIsTheOnlyOne(t *trial) {
	for i, when := range []string{"before the next one's Replay", "after its Replay", "after its Append", "after its Close"} {
		b := t.book(fmt.Sprint("owner-", string(rune('a'+i))))
		b.appendSome(5, 2000)
		b.sync()
		b.appendSome(2, 2000)
		b.trim(3)
		next, refused := b.rival()
		if refused {
			b.readAll()
			b.appendSome(3, 2000)
			if _, refused := b.rival(); !refused {
				t.Fatal("Open is refused while there is an owner, and then is not")
			}
			b.sync()
			b.trim(4)
			b.close()
			b.reopen()
			b.readAll()
			return // whatever the next owner does: there is none
		}
		if i == 0 {
			b.fenced(when)
		}
		next.replay(next.last())
		if i == 1 {
			b.fenced(when)
		}
		next.appendSome(2, 2000)
		if i == 2 {
			b.fenced(when)
		}
		next.readAll()
		next.sync()
		if i == 3 {
			next.close()
			b.fenced(when)
			next.reopen()
		}
		_ = b.j.Close() // is nobody's any more, and does the next one no harm
		next.readAll()
		next.appendSome(1, 2000)
		next.close()
		next.reopen()
		next.readAll()
	}
}

// ownerIsReplacedUnderLoad: from the moment a second Open succeeds no Append of
// the first owner does, and what it was told is kept is.
func ownerIsReplacedUnderLoad(t *trial) {
	b := t.book("owner-load")
	for range 4 {
		b = b.replacedUnderLoad()
	}
}

func (b *book) replacedUnderLoad() *book {
	l := &load{b: b, begun: make(chan struct{}), stop: make(chan struct{}), opened: make(chan struct{})}
	var appending sync.WaitGroup
	appending.Go(l.run)
	defer appending.Wait()
	stop := sync.OnceFunc(func() { close(l.stop) })
	defer stop()

	<-l.begun
	next, refused := b.rival()
	if refused {
		stop()
	} else {
		close(l.opened)
	}
	appending.Wait()
	b.frames = append(b.frames, l.acked...)
	if refused {
		if l.err != nil {
			b.Fatalf("Append while another Open is refused: %v", l.err)
		}
		b.readAll()
		b.close()
		b.reopen()
		return b
	}
	if !errors.Is(l.err, journal.ErrFenced) {
		b.Fatalf("Append after another owner's Open gives %v, want ErrFenced", l.err)
	}
	next.frames = append(b.frames, l.unknown)
	next.replay(b.last())
	next.appendSome(5, 100)
	b.refused("for an owner that was replaced")
	next.readAll()
	return next
}

// load appends until it fails or is stopped.
type load struct {
	b       *book
	begun   chan struct{} // closed when there is some load
	stop    chan struct{}
	opened  chan struct{} // closed when there is another owner: the next Append must fail
	acked   [][]byte
	unknown []byte // frame of the Append that failed: nobody knows whether it was written
	err     error
}

func (l *load) run() {
	begin := sync.OnceFunc(func() { close(l.begun) })
	defer begin()
	for late := false; !late; {
		select {
		case <-l.stop:
			return
		case <-l.opened:
			late = true
		default:
		}
		frame := l.b.bytes(20)
		l.err = l.b.j.Append(l.b.Context(), l.b.last()+1+journal.Pos(len(l.acked)), frame, journal.AppendOptions{})
		if l.err != nil {
			l.unknown = frame
			return
		}
		l.acked = append(l.acked, frame)
		if len(l.acked) == 20 {
			begin()
		}
		runtime.Gosched() // not more load than the other side can see
	}
}

// ownerCloses: Close keeps everything, and nothing works after it.
func ownerCloses(t *trial) {
	b := t.book("owner-close")
	b.close()
	b.reopen()
	b.appendSome(10, 2000)
	b.close()
	b.mustOpen()
	b.close() // without a Replay
	b.refused("after Close")
	next := b.last() + 1
	_, read := b.j.Read(t.Context(), 1)
	for what, err := range map[string]error{
		"Append": b.j.Append(t.Context(), next, []byte("late"), journal.AppendOptions{}),
		"Sync":   b.j.Sync(t.Context()), "Trim": b.j.Trim(t.Context(), 1), "Read": read,
	} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s after Close gives %v, want ErrClosed", what, err)
		}
	}
	old := b.j
	b.reopen()
	_ = old.Close() // whatever it says, the next owner is not closed
	b.appendSome(3, 2000)
	b.readAll()
	b.close()
	b.reopen()
	b.readAll()
}

// ownersOfOtherNames have nothing to do with each other.
func ownersOfOtherNames(t *trial) {
	one, two := t.book("owner-one"), t.book("owner-two")
	for range 2 {
		one.appendSome(5, 500)
		two.appendSome(7, 500)
		one.trim(one.last())
		one.close()
		two.appendSome(1, 500)
		two.readAll()
		one.reopen()
		one.readAll()
	}
}
