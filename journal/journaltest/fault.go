package journaltest

import (
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// faultFull: a full journal writes nothing, says so, and works again when there
// is space. The reserve is for those who ask for it.
func faultFull(t *trial) {
	b := t.book("fault-full")
	for range 3 {
		b.appendSome(5, 1000)
		t.SetSpace(t, b.name, b.j, ReserveOnly)
		b.fill(false)
		b.readAll()
		for range 5 {
			if err := b.try(500, true); err != nil {
				t.Errorf("Append with the reserve: %v", err)
			}
			b.full(false)
		}
		b.sync()
		b.trim(2)
		t.SetSpace(t, b.name, b.j, NoSpace)
		b.fill(true)
		b.full(false)
		b.readAll()
		t.SetSpace(t, b.name, b.j, Enough)
		b.patient(func() error { return b.try(500, false) })
		b.close()
		b.reopen()
		b.readAll()
		b.trim(b.last() + 1) // for the next round
	}
}

// try appends a frame if there is space.
func (b *book) try(size int, reserve bool) error {
	b.Helper()
	frame := b.bytes(size)
	err := b.j.Append(b.Context(), b.last()+1, frame, journal.AppendOptions{Reserve: reserve})
	if err == nil {
		b.frames = append(b.frames, frame)
	} else if !errors.Is(err, reeve.ErrJournalFull) {
		b.Fatalf("Append to a full journal: %v, want ErrJournalFull", err)
	}
	return err
}

// full checks that there is no space.
func (b *book) full(reserve bool) {
	b.Helper()
	if b.try(500, reserve) == nil {
		b.Errorf("Append, reserve: %v, works on a full journal", reserve)
	}
}

// fill appends until there is no space: what a journal has taken for itself
// before is its own.
func (b *book) fill(reserve bool) {
	b.Helper()
	left := 64 << 20
	for _, size := range []int{min(b.MaxFrame, 64<<10), 500} {
		for b.try(size, reserve) == nil {
			if left -= size; left < 0 {
				b.Fatalf("Append, reserve: %v, still works after 64 MiB on a full journal", reserve)
			}
		}
	}
	b.full(reserve)
}

// patient repeats an Append until there is space, which a journal may need time
// to find, as its users do.
func (b *book) patient(try func() error) {
	b.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; <-tick.C {
		err := try()
		if err == nil {
			return
		}
		if time.Since(begun) > b.patience {
			b.Fatalf("Append, %v after there is space again: %v", b.patience, err)
		}
	}
}

// faultAppend: after a failed Append nothing works, and nobody knows whether
// the frame was written; all others were.
func faultAppend(t *trial) {
	for i, n := range []int{0, 1, 7} {
		b := t.book(fmt.Sprint("fault-append-", string(rune('a'+i))))
		b.appendSome(n, 1000)
		b.Break(t, b.name, b.j, OpAppend)
		b.fails(OpAppend)
		least := b.last() - 1
		b.end()
		b.mustOpen()
		b.replay(least)
		b.lives()
	}
}

// faultSync: after a failed Sync nothing works, and nobody knows what would
// survive a power cut; what an earlier one made durable does.
func faultSync(t *trial) {
	for i, n := range []int{0, 1, 7} {
		b := t.book(fmt.Sprint("fault-sync-", string(rune('a'+i))))
		b.appendSome(n, 1000)
		b.sync()
		b.appendSome(3, 1000)
		b.Break(t, b.name, b.j, OpSync)
		b.fails(OpSync)
		if b.PowerCut != nil && i%2 == 0 {
			b.powerCut()
		} else {
			b.end()
			b.mustOpen()
			b.replay(b.synced)
		}
		b.lives()
	}
}

// fails has the operation fail that was told to, and checks that nothing works
// afterwards. The frame of an Append may be there or not.
func (b *book) fails(op Op) {
	b.Helper()
	var err error
	if op == OpSync {
		err = b.j.Sync(b.Context())
	} else {
		frame := b.bytes(100)
		err = b.j.Append(b.Context(), b.last()+1, frame, journal.AppendOptions{})
		b.frames = append(b.frames, frame)
	}
	if err == nil || errors.Is(err, reeve.ErrJournalFull) {
		b.Errorf("%v, which has to fail, gives %v", op, err)
	}
	b.refused(fmt.Sprintf("after a failed %v", op))
}

// lives checks that a journal is as good as any.
func (b *book) lives() {
	b.Helper()
	b.readAll()
	b.appendSome(3, 1000)
	b.sync()
	b.close()
	b.reopen()
	b.readAll()
}

// faultDamage: what was durable and is not what was written is told, wherever
// it is; it is never given out, and never missing in silence. Only the end of a
// journal that was not closed may be taken for one that a power cut has torn.
func faultDamage(t *trial) {
	const frames = 9
	for p := journal.Pos(1); p <= frames; p += 2 {
		b := t.book(fmt.Sprint("fault-damage-", string(rune('a'+p))))
		b.appendSome(frames, 1000)
		b.sync()
		b.close()
		t.Damage(t, b.name, b.j, p)
		b.damaged(p)
	}
	for p := journal.Pos(1); p <= frames-2 && t.Kill != nil; p += 2 {
		b := t.book(fmt.Sprint("fault-damage-kill-", string(rune('a'+p))))
		for range frames {
			b.appendSome(1, 1000)
			b.sync()
		}
		t.Damage(t, b.name, b.j, p)
		b.kill()
		b.damaged(p)
	}
}

// damaged opens a journal of which a frame is damaged.
func (b *book) damaged(p journal.Pos) {
	b.Helper()
	j, err := b.Open(b, b.name)
	if err == nil {
		_, err = j.Replay(b.Context(), func(at journal.Pos, frame []byte) error {
			b.same("Replay of a damaged journal", at, frame)
			if at == p {
				b.Errorf("Replay gives frame %d, which is damaged", p)
			}
			return nil
		})
		_ = j.Close() // gives up the ownership
	}
	b.corrupt(fmt.Sprintf("Open and Replay, frame %d of %d damaged,", p, b.last()), p, err)
}

// faultDamageWhileOpen: Read tells damage, too.
func faultDamageWhileOpen(t *trial) {
	b := t.book("fault-damage-open")
	b.appendSome(9, 1000)
	b.sync()
	t.Damage(t, b.name, b.j, 4)
	frame, err := b.j.Read(t.Context(), 4)
	if err == nil {
		b.same("Read of a damaged frame", 4, frame) // from a cache
	} else {
		b.corrupt("Read", 4, err)
	}
	b.read(3)
	b.read(5)
}

func (b *book) corrupt(what string, p journal.Pos, err error) {
	b.Helper()
	var corrupt *journal.CorruptError
	if !errors.As(err, &corrupt) || !errors.Is(err, journal.ErrCorrupt) {
		b.Errorf("%s gives %v, want a *journal.CorruptError", what, err)
	} else if corrupt.File == "" || corrupt.Reason == "" || corrupt.Offset < 0 || corrupt.Pos != 0 && corrupt.Pos != p {
		b.Errorf("%s tells %#v of frame %d, want where and why", what, corrupt, p)
	}
}
