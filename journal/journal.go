package journal

import (
	"context"
	"errors"
	"fmt"
)

// Pos is the number of a frame: the first is 1, each further one the last's
// plus one, over the whole life of a journal.
type Pos uint64

// Journal is an ordered log of frames with one owner. Whoever has one owns it
// from the moment it was opened; opening is the implementation's affair, and
// takes the ownership from, or is refused by, another owner. Append, Sync, Trim
// and Close are called by one goroutine at a time; Read may be called by any
// number beside them.
type Journal interface {
	// Replay calls f for every frame that was not trimmed, the oldest first, and
	// returns the number of the last one, which f may never have seen: all may
	// have been trimmed. It comes before the first Append, and at most once. A
	// frame is the callee's only until f returns. It ends with f's error, with
	// ctx's, or with a [*CorruptError].
	Replay(ctx context.Context, f func(p Pos, frame []byte) error) (last Pos, err error)

	// Append writes frame number p, which is one more than the last, and not
	// empty. When it returns nil the frame survives the end of the process, and
	// is the last. An error that matches reeve.ErrJournalFull means that
	// nothing was written, and that the same p may be tried again; after
	// [ErrFenced], or any other error, nobody knows what was written, and every
	// further call fails.
	Append(ctx context.Context, p Pos, frame []byte, o AppendOptions) error

	// Sync makes what was appended survive a power cut. After an error nobody
	// knows what does, and every further call fails.
	Sync(ctx context.Context) error

	// Read returns frame p, in memory of its own. A frame that was trimmed is
	// [ErrTrimmed], one that is damaged a [*CorruptError].
	Read(ctx context.Context, p Pos) ([]byte, error)

	// Trim lets the journal forget every frame before p, at once or later; p is
	// at most one more than the last.
	Trim(ctx context.Context, p Pos) error

	// Close makes everything durable and gives up the ownership.
	Close() error
}

// AppendOptions are what an Append asks for.
type AppendOptions struct {
	// Reserve lets the frame use the space that is kept for the time when there
	// is no other: it ends tasks, or makes room.
	Reserve bool
}

// The errors of journals, besides reeve.ErrJournalFull.
var (
	// ErrFenced: somebody else owns the journal now.
	ErrFenced = errors.New("journal: another owner has taken over")
	// ErrTrimmed: the frame is not kept any more.
	ErrTrimmed = errors.New("journal: frame was trimmed")
	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("journal: closed")
	// ErrNewer: it was written by a later version.
	ErrNewer = errors.New("journal: format of a newer version")
	// ErrCorrupt is what every [*CorruptError] matches.
	ErrCorrupt = errors.New("journal: damaged")
	// ErrLocked is what every [*LockedError] matches.
	ErrLocked = errors.New("journal: in use")
)

// CorruptError names what is damaged: bytes that were durable are not what was
// written. It matches [ErrCorrupt].
type CorruptError struct {
	File   string // or whatever the journal consists of
	Offset int64  // of the first byte that cannot be used
	Pos    Pos    // of the frame; 0: not known
	Reason string
}

func (e *CorruptError) Error() string {
	frame := ""
	if e.Pos != 0 {
		frame = fmt.Sprintf(" (frame %d)", e.Pos)
	}
	return fmt.Sprintf("%v: %s at byte %d%s: %s", ErrCorrupt, e.File, e.Offset, frame, e.Reason)
}

// Is reports whether target is [ErrCorrupt].
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// LockedError tells who has the journal. It matches [ErrLocked].
type LockedError struct {
	Name string // of the journal
	PID  int    // of the process that has it; 0: not known
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%v: %s, by another process", ErrLocked, e.Name)
	}
	return fmt.Sprintf("%v: %s, by process %d", ErrLocked, e.Name, e.PID)
}

// Is reports whether target is [ErrLocked].
func (e *LockedError) Is(target error) bool { return target == ErrLocked }
