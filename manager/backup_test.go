package manager_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/backup"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

// shelf is a journal as backups see one.
type shelf struct {
	first  journal.Pos
	frames [][]byte

	mu     sync.Mutex // guards the fields below
	pins   int
	hook   func(p journal.Pos) error // called before each read
	reads  int
	pinned int // in all
}

func (s *shelf) PinJournal() (first, last journal.Pos, unpin func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pins++
	s.pinned++
	once := false
	return s.first, s.first + journal.Pos(len(s.frames)) - 1, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if once {
			panic("unpinned twice")
		}
		once = true
		s.pins--
	}, nil
}

func (s *shelf) ReadFrame(ctx context.Context, p journal.Pos) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.hook != nil {
		if err := s.hook(p); err != nil {
			return nil, err
		}
	}
	if s.pins == 0 || ctx.Err() != nil {
		return nil, journal.ErrTrimmed
	}
	return bytes.Clone(s.frames[p-s.first]), nil
}

func (s *shelf) pinsNow() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pins
}

// longest is the payload limit of the masters here.
const longest = 1 << 10

// newShelf has many small frames, some of about an answer's size, and one that
// no answer has room for.
func newShelf() *shelf {
	s := &shelf{first: 17}
	for i := range 5_000 {
		s.frames = append(s.frames, fmt.Append(nil, "frame ", i))
	}
	for i, size := range []int{1 << 20, 5, 1<<20 + 1, 3 << 20, 1, 1 << 21} {
		s.frames = append(s.frames, bytes.Repeat([]byte{byte(i)}, size))
	}
	return s
}

// newSmallShelf has more frames than one answer, none of which is large.
func newSmallShelf() *shelf {
	return &shelf{first: 17, frames: slices.Repeat([][]byte{{1}}, wire.MaxEntries+100)}
}

func withShelf(t *testing.T, s *shelf, f func(t *testing.T, m *managertest.Master)) {
	t.Helper()
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		m.Manager().BackupFrom(s)
		m.Declare(t, "tasks", reeve.QueueConfig{})
		f(t, m)
		settle()
		if n := s.pinsNow(); n != 0 {
			t.Errorf("%d backups are still pinned", n)
		}
	}, manager.Config{MaxPayload: longest})
}

// check reads the backup that was written of all frames.
func (s *shelf) check(t *testing.T, file []byte, info reeve.BackupInfo) {
	t.Helper()
	if info.Bytes != int64(len(file)) || info.Frames != int64(len(s.frames)) {
		t.Errorf("told %+v, wrote %d bytes of %d frames", info, len(file), len(s.frames))
	}
	r, err := backup.NewReader(bytes.NewReader(file), "backup")
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.frames {
		if p, frame, err := r.Next(); err != nil || p != s.first+journal.Pos(i) || !bytes.Equal(frame, s.frames[i]) {
			t.Fatalf("frame %d of %d bytes: %d, %d bytes, %v", i, len(s.frames[i]), p, len(frame), err)
		}
	}
	if _, _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
}

func backupers(t *testing.T, m *managertest.Master) map[string]reeve.Backuper {
	return map[string]reeve.Backuper{"master": m.Manager(), "client": m.Dial(t)}
}

func TestBackup_HasEveryFrameThatWasDurable(t *testing.T) {
	for what, s := range map[string]*shelf{"frames": newShelf(), "one": {first: 1, frames: [][]byte{{1}}}, "none": {first: 8}} {
		withShelf(t, s, func(t *testing.T, m *managertest.Master) {
			for name, from := range backupers(t, m) {
				var b bytes.Buffer
				info, err := from.Backup(t.Context(), &b)
				if err != nil {
					t.Fatalf("%s of a %s: %v", what, name, err)
				}
				s.check(t, b.Bytes(), info)
			}
		})
		if most := 2*len(s.frames) + 20; s.reads > most {
			t.Errorf("%d reads of %d frames", s.reads, len(s.frames))
		}
	}
}

func TestBackup_WithoutAJournalIsRefused(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		for name, from := range backupers(t, m) {
			var b bytes.Buffer
			if _, err := from.Backup(t.Context(), &b); !errors.Is(err, reeve.ErrNoJournal) || b.Len() > 0 {
				t.Errorf("%s: %v, %d bytes", name, err, b.Len())
			}
		}
		m.Kill()
		if _, err := m.Manager().Backup(t.Context(), io.Discard); !errors.Is(err, reeve.ErrClosed) {
			t.Errorf("of a closed master: %v", err)
		}
	})
}

// stopping fails, or does something else, after so many bytes.
type stopping struct {
	bytes.Buffer
	after int
	do    func() error
}

func (w *stopping) Write(p []byte) (int, error) {
	if w.Len() >= w.after && w.do != nil {
		do := w.do
		w.do = nil
		if err := do(); err != nil {
			return 0, err
		}
	}
	return w.Buffer.Write(p)
}

var errNoRoom = errors.New("no room")

// Whatever ends a backup too early, nothing of it stays with the master, and
// what was written is known to be a part.
func TestBackup_ThatEndsEarlyLeavesNothingBehind(t *testing.T) {
	damage := &journal.CorruptError{File: "7.seg", Offset: 12, Reason: "checksum"}
	for name, c := range map[string]struct {
		want error
		do   func(m *managertest.Master, s *shelf, cancel func()) error
		only string // one side
	}{
		"a writer that fails": {want: errNoRoom, do: func(*managertest.Master, *shelf, func()) error { return errNoRoom }},
		"a ctx that ends":     {want: context.Canceled, do: func(_ *managertest.Master, _ *shelf, cancel func()) error { cancel(); return nil }},
		"damage": {want: damage, only: "master", do: func(_ *managertest.Master, s *shelf, _ func()) error {
			s.hook = func(journal.Pos) error { return damage }
			return nil
		}},
		"damage afar": {want: reeve.ErrInternal, only: "client", do: func(_ *managertest.Master, s *shelf, _ func()) error {
			s.hook = func(journal.Pos) error { return damage }
			return nil
		}},
		"a panic": {want: reeve.ErrInternal, only: "client", do: func(_ *managertest.Master, s *shelf, _ func()) error {
			s.hook = func(journal.Pos) error { panic("frame") }
			return nil
		}},
		"a lost connection": {want: reeve.ErrDisconnected, only: "client", do: func(m *managertest.Master, _ *shelf, _ func()) error {
			m.Disconnect()
			return nil
		}},
		"a writer that stands still": {want: reeve.ErrDisconnected, only: "client", do: func(_ *managertest.Master, s *shelf, _ func()) error {
			time.Sleep(59 * time.Second)
			if s.pinsNow() != 1 {
				return errors.New("given up too early")
			}
			time.Sleep(2 * time.Second)
			if s.pinsNow() != 0 {
				return errors.New("not given up")
			}
			return nil
		}},
	} {
		for _, side := range []string{"master", "client"} {
			if c.only != "" && c.only != side {
				continue
			}
			t.Run(name+", "+side, func(t *testing.T) {
				s := newShelf()
				withShelf(t, s, func(t *testing.T, m *managertest.Master) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					w := &stopping{after: 1 << 20, do: func() error { return c.do(m, s, cancel) }}
					info, err := backupers(t, m)[side].Backup(ctx, w)
					if !errors.Is(err, c.want) || info != (reeve.BackupInfo{}) {
						t.Errorf("%+v, %v, want %v", info, err, c.want)
					}
					if w.Len() == 0 {
						t.Error("nothing was written")
					}
					r, err := backup.NewReader(&w.Buffer, "backup")
					for err == nil {
						_, _, err = r.Next()
					}
					if !errors.Is(err, backup.ErrIncomplete) {
						t.Errorf("what was written is read as %v", err)
					}
					s.hook = nil
					settle()
				})
			})
		}
	}
}

func TestBackup_OfASessionEndsWithIt(t *testing.T) {
	s := newSmallShelf()
	withShelf(t, s, func(t *testing.T, m *managertest.Master) {
		r := enter(t, m)
		for range 4 {
			if _, err := r.ask(func(req uint64) wire.Message { return wire.Backup{Req: req, Low: 1} }); err != nil {
				t.Fatal(err)
			}
		}
		_, err := r.ask(func(req uint64) wire.Message { return wire.Backup{Req: req, Low: 1} })
		if !errors.Is(err, reeve.ErrLimit) || !strings.Contains(err.Error(), "backups of one client") {
			t.Errorf("a fifth: %v", err)
		}
		if n := s.pinsNow(); n != 4 {
			t.Errorf("%d are pinned", n)
		}
		r.s.Close()
	})
}

func TestBackup_WhatMakesNoSenseIsAnsweredAndEndsIt(t *testing.T) {
	s := newSmallShelf()
	withShelf(t, s, func(t *testing.T, m *managertest.Master) {
		r := enter(t, m)
		begin := func() uint64 {
			t.Helper()
			a, err := r.ask(func(req uint64) wire.Message { return wire.Backup{Req: req, Low: 1, From: 1 << 60, Offset: 1} })
			if err != nil || a.Backup == nil || a.Backup.Pin == 0 || len(a.Backup.Frames) != wire.MaxEntries || a.Backup.Frames[0].Pos != 17 {
				t.Fatal(err, a)
			}
			return a.Backup.Pin
		}
		for name, ask := range map[string]wire.Backup{
			"another pin":             {Pin: 1},
			"a frame before":          {From: 16},
			"a frame behind":          {From: 1 << 40},
			"a byte behind the frame": {From: 17, Offset: 1},
			"a byte far behind":       {From: 17, Offset: 1 << 63},
		} {
			pin := begin()
			ask.Pin += pin
			_, err := r.ask(func(req uint64) wire.Message { ask.Req, ask.Low = req, 1; return ask })
			if !errors.Is(err, reeve.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
			_, err = r.ask(func(req uint64) wire.Message { return wire.Backup{Req: req, Low: 1, Pin: pin, Over: true} })
			if (err == nil) != (ask.Pin != pin) {
				t.Errorf("%s: the end of it: %v", name, err)
			}
		}
		r.alive()
	})
}
