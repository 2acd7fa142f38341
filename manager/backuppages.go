package manager

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/journal"
)

const (
	// maxBackups bounds the backups of one client that are under way.
	maxBackups = 4
	// backupIdle is for how long nothing may be asked of a backup before it is
	// given up: what it pins takes space on the disk.
	backupIdle = time.Minute
	// backupFrameBytes is more than a frame takes in an answer besides its data.
	backupFrameBytes = 48
)

// backups are those of one client that are under way. A session's lane carries
// out what is asked of them, one request after another.
type backups struct {
	mu    sync.Mutex // guards the field below; nothing else is locked with it held
	byPin map[uint64]*ongoing
}

// ongoing is a backup between two requests: while one is carried out it is out
// of the map, and comes back as another.
type ongoing struct {
	pin         uint64
	first, last journal.Pos
	unpin       func()
	idle        *time.Timer
}

// keep notes o until it is asked for, or for backupIdle.
func (t *backups) keep(o ongoing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byPin == nil {
		t.byPin = map[uint64]*ongoing{}
	}
	kept := &o
	kept.idle = time.AfterFunc(backupIdle, func() {
		t.mu.Lock()
		mine := t.byPin[kept.pin] == kept
		if mine {
			delete(t.byPin, kept.pin)
		}
		t.mu.Unlock()
		if mine {
			kept.unpin()
		}
	})
	t.byPin[o.pin] = kept
}

// take takes out the backup pin, which is the caller's then.
func (t *backups) take(pin uint64) (o ongoing, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.byPin[pin]
	if kept == nil {
		return o, false
	}
	delete(t.byPin, pin)
	kept.idle.Stop()
	return *kept, true
}

func (t *backups) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byPin)
}

// end gives all up. Nobody adds any more.
func (t *backups) end() {
	t.mu.Lock()
	all := t.byPin
	t.byPin = nil
	t.mu.Unlock()
	for _, o := range all {
		o.idle.Stop()
		o.unpin()
	}
}

// backup answers with a part of a backup.
func (r *requests) backup(m *wire.Backup) error {
	s := r.s
	return r.look(m.Req, 0, func(on *Master) (*wire.Answer, error) {
		page, err := s.backups.answer(on, m)
		if err != nil {
			return nil, err
		}
		return &wire.Answer{Backup: page}, nil
	})
}

func (t *backups) answer(m *Master, ask *wire.Backup) (*wire.BackupPage, error) {
	var o ongoing
	var err error
	from, at, offset, ok := m.frames(), journal.Pos(ask.From), ask.Offset, true
	if ask.Pin == 0 {
		if o, err = t.begin(from); err != nil {
			return nil, err
		}
		at, offset = o.first, 0
	} else if o, ok = t.take(ask.Pin); !ok {
		return nil, fmt.Errorf("%w: the backup is not known: its connection was lost, nothing was asked of it for %v, or it is over", reeve.ErrInvalid, backupIdle)
	}
	over := true
	defer func() { // whatever happens meanwhile
		if over {
			o.unpin()
		} else {
			t.keep(o)
		}
	}()
	page := &wire.BackupPage{Pin: o.pin, First: uint64(o.first), Last: uint64(o.last)}
	if ask.Over || o.first > o.last {
		return page, nil
	}
	goesOn, err := o.fill(m.ctx, page, from, at, offset, m.maxFrame()-wire.Overhead)
	if err != nil && m.ctx.Err() != nil {
		err = reeve.ErrClosed
	}
	over = err != nil || !goesOn
	return page, err
}

func (t *backups) begin(from frameSource) (o ongoing, err error) {
	if n := t.len(); n >= maxBackups {
		return o, &reeve.LimitError{Kind: reeve.ErrLimit, Limit: "backups of one client at a time", Value: int64(n) + 1, Max: maxBackups}
	}
	var pin [8]byte
	rand.Read(pin[:]) // never fails; no other session and no later master knows it
	o.pin = binary.BigEndian.Uint64(pin[:])>>1 | 1
	o.first, o.last, o.unpin, err = from.PinJournal()
	return o, err
}

// fill puts the frames from at on into page, up to about answerBytes, and no
// more than most. goesOn: there is more of the backup.
func (o *ongoing) fill(ctx context.Context, page *wire.BackupPage, from frameSource, at journal.Pos, offset uint64, most int) (goesOn bool, err error) {
	if at < o.first || at > o.last {
		return false, fmt.Errorf("%w: frame %d, the backup has %d to %d", reeve.ErrInvalid, at, o.first, o.last)
	}
	for size := 0; ; at++ {
		frame, err := from.ReadFrame(ctx, at)
		if err != nil {
			return false, err
		}
		if offset > 0 && offset >= uint64(len(frame)) {
			return false, fmt.Errorf("%w: byte %d of frame %d, which has %d", reeve.ErrInvalid, offset, at, len(frame))
		}
		data := frame[offset:]
		data = data[:min(len(data), most-size-backupFrameBytes)]
		page.Frames = append(page.Frames, wire.BackupFrame{Pos: uint64(at), Size: uint64(len(frame)), Offset: offset, Data: data})
		size += len(data) + backupFrameBytes
		switch {
		case int(offset)+len(data) < len(frame):
			return true, nil
		case at == o.last:
			return false, nil
		case size > answerBytes || len(page.Frames) == wire.MaxEntries:
			return true, nil
		}
		offset = 0
	}
}
