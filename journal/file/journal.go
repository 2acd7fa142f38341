package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// Journal is an open journal. Its methods are those of [journal.Journal]; a ctx
// ends Replay and Read only, for what goes to a disk cannot be called back.
type Journal struct {
	fs     fsys
	dir    string
	opt    Options
	log    *slog.Logger
	id     uint64
	unlock func() error

	// Owned by the one who appends.
	w        writer
	replayed bool // or something was appended

	keeper keeper

	mu       sync.Mutex // guards the fields below, and those of the segments; held for no file operation but an open
	idle     sync.Cond  // a segment is not read any more
	segments []*segment // the oldest first; the last is written
	last     journal.Pos
	trimmed  journal.Pos // all before are forgotten
	opened   int         // files
	tick     uint64      // counts uses of files
	err      error       // why it is of no use any more
}

// segment is one file, as far as its frames are known.
type segment struct {
	name  string
	first journal.Pos
	end   int64  // where its frames end
	marks []mark // where some of its frames are; the first is marked

	f     file // nil: not open; the last segment's is open always
	users int  // that read it
	used  uint64
}

// mark is where a frame is.
type mark struct {
	pos journal.Pos
	off int64
}

// markEvery is how far marks are from each other, at least.
const markEvery = 16 << 10

// note marks the frame at off, if it is far enough from the last mark.
func (s *segment) note(pos journal.Pos, off int64) {
	if n := len(s.marks); n == 0 || off-s.marks[n-1].off >= markEvery {
		s.marks = append(s.marks, mark{pos, off})
	}
}

func (j *Journal) head() *segment { return j.segments[len(j.segments)-1] }

// usable returns why the journal cannot be used, or nil.
func (j *Journal) usable() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// fail ends the use of the journal for good.
func (j *Journal) fail(what string, cause error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = fmt.Errorf("%w: %s: %w", reeve.ErrJournal, what, cause)
	}
	return j.err
}

// maxOpen is how many segments are kept open for Read.
const maxOpen = 128

// acquireLocked opens the segment's file, which stays open until release.
func (j *Journal) acquireLocked(s *segment) (file, error) {
	j.tick++
	s.used = j.tick
	if s.f == nil {
		if j.opened >= maxOpen {
			j.closeIdleLocked()
		}
		f, err := j.fs.open(s.name, false)
		if err != nil {
			return nil, err
		}
		s.f = f
		j.opened++
	}
	s.users++
	return s.f, nil
}

// closeIdleLocked closes the file that was used the longest time ago. What it
// was read for is not harmed by an error.
func (j *Journal) closeIdleLocked() {
	var oldest *segment
	for _, s := range j.segments {
		if s != j.head() && s.f != nil && s.users == 0 && (oldest == nil || s.used < oldest.used) {
			oldest = s
		}
	}
	if oldest != nil {
		j.closeLocked(oldest)
	}
}

// closeLocked closes the segment's file when nobody reads it any more; the mutex
// is given up meanwhile.
func (j *Journal) closeLocked(s *segment) error {
	for s.users > 0 {
		j.idle.Wait()
	}
	if s.f == nil {
		return nil
	}
	err := s.f.Close()
	s.f = nil
	j.opened--
	return err
}

func (j *Journal) release(s *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s.users--; s.users == 0 {
		j.idle.Broadcast()
	}
}

// Close makes everything durable, notes that nothing was left unfinished, and
// gives up the directory. It returns the error that ended the journal, if one did.
func (j *Journal) Close() error {
	err := j.usable()
	if errors.Is(err, journal.ErrClosed) {
		return err
	}
	j.keeper.stop()
	if err == nil {
		err = j.Sync(context.Background())
	}
	if err == nil {
		err = j.markClean()
	}
	j.mu.Lock()
	j.err = journal.ErrClosed
	for _, s := range append(j.segments, j.keeper.left()...) {
		err = errors.Join(err, j.closeLocked(s))
	}
	j.mu.Unlock()
	return errors.Join(err, j.unlock())
}

var _ journal.Journal = (*Journal)(nil)
