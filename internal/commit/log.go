package commit

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reeveq/reeve/journal"
)

// Durability is what a section waits for.
type Durability int8

const (
	// Synced: it survives a power cut.
	Synced Durability = iota
	// Written: it survives the end of the process.
	Written
)

// Config says what a Log writes to, and whom it tells. Journal, Head and Tell
// are required.
type Config[T any] struct {
	// Journal is the Log's until Close has returned: but for Read, nobody else
	// calls it, except Work.
	Journal journal.Journal
	// Next is the number of the first frame to write. 0: 1.
	Next journal.Pos
	// Head appends what each frame begins with, at least a byte. It is called
	// by an Enter, or by the Log's goroutine, with the Log locked.
	Head func([]byte) []byte
	// Tell is told what was given to Leave and Follow, in order: it is as
	// durable as was asked for (nil), or nobody knows whether it ever will be.
	// ts is the callee's until it returns. The Log's goroutine calls it, with
	// nothing locked; as long as it does not return, nothing is committed.
	Tell func(ts []T, err error)
	// Work is what there is to do besides, in small steps; nil: nothing. The
	// Log's goroutine calls it after each commit or probe and, as long as it returns
	// true, when there is nothing to commit. It may Enter and Leave, and call
	// the journal's Sync, Read and Trim. ctx ends with Close: it is not for calls
	// that must not be broken off.
	Work func(ctx context.Context) (more bool)
	// Failed is called once, if the journal fails, before anybody is told; by
	// the Log's goroutine, with nothing locked. nil: nobody is.
	Failed func(error)
	// MaxBytes is the size from which on a frame takes no more sections: those
	// that are in it may still exceed it. 0: 1 MiB.
	MaxBytes int
	// Interval is when a Written section is synced that does not say itself.
	// 0: 100 ms.
	Interval time.Duration
	// Logger is told of a full and of a failed journal. nil: nobody is.
	Logger *slog.Logger
}

const (
	retryEvery = 50 * time.Millisecond  // a frame that not even the reserve has space for
	probeEvery = 250 * time.Millisecond // whether there is space again, when there is nothing to write
	keepFrames = 4                      // to be used again
	keepTold   = 1 << 14                // ts whose memory is used again
)

// Log gathers sections in frames and writes them to a journal. All of its
// methods may be called by any goroutine, except that Tell, Work and Failed
// must call neither Wait nor Close.
type Log[T any] struct {
	cfg    Config[T]
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	told   atomic.Uint64
	full   atomic.Bool
	wake   chan struct{} // of the goroutine; holds one
	done   chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex  // guards what follows, and the shares
	changed sync.Cond   // told or over did
	waiting int         // for changed
	open    *Share[T]   // takes sections; nil: none was begun
	live    []*Share[T] // frames not told yet, by number; open is the last
	free    []*Share[T]
	next    journal.Pos // the next frame that is begun
	last    journal.Pos // the last that somebody entered
	asleep  bool        // the goroutine waits for a section
	closing bool        // Close was called: nobody enters any more
	over    bool        // nothing is appended any more
	missed  bool        // a section came too late, and is in no frame
	running bool        // there is a goroutine
	err     error       // why it is over, if not because of Close
	late    []T         // to be told that it is over
	stats   Stats

	// The goroutine's own.
	batch   []*Share[T]
	spare   []T // the other half of what is told
	timer   *time.Timer
	syncAt  time.Time // when a sync is due; zero: nobody asked
	retryAt time.Time // when to try again what there was no space for; zero: nothing
	probeAt time.Time // full: when to look for space
	gaveUp  bool      // Close found no space
}

// Stats count since New.
type Stats struct {
	Sections uint64 // committed
	Frames   uint64
	Bytes    uint64 // of the frames
	Commits  uint64 // frames written together, with one Sync at most
	Syncs    uint64
	Refused  uint64 // Appends there was no space for
	Full     bool
	Frame    journal.Pos // the last that was told
}

// New begins with frame cfg.Next and starts the Log's goroutine, which ends
// with Close. It panics if a field is missing that is required.
func New[T any](cfg Config[T]) *Log[T] {
	if cfg.Journal == nil || cfg.Head == nil || cfg.Tell == nil {
		panic("commit: Config.Journal, Head and Tell are required")
	}
	cfg.Next = cmp.Or(cfg.Next, 1)
	cfg.MaxBytes = cmp.Or(max(cfg.MaxBytes, 0), 1<<20)
	cfg.Interval = cmp.Or(max(cfg.Interval, 0), 100*time.Millisecond)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Log[T]{cfg: cfg, next: cfg.Next, last: cfg.Next - 1, running: true,
		wake: make(chan struct{}, 1), done: make(chan struct{}), timer: time.NewTimer(time.Hour)}
	l.timer.Stop()
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.changed.L = &l.mu
	l.told.Store(uint64(cfg.Next - 1))
	go l.run()
	return l
}

// Told is the last frame that was committed and told: so were all before it.
func (l *Log[T]) Told() journal.Pos { return journal.Pos(l.told.Load()) }

// Barrier is the last frame that anybody has entered; Config.Next less one if
// nobody has. It is one that never comes when somebody has entered too late:
// who follows it is told so.
func (l *Log[T]) Barrier() journal.Pos {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.missed {
		return l.next
	}
	return l.last
}

// Full reports whether the journal takes what may use its reserve only: what
// needs space is to be refused. It ends by itself when there is space.
func (l *Log[T]) Full() bool { return l.full.Load() }

// Err is why nothing is written any more; nil as long as something is, and
// after a Close that could write everything.
func (l *Log[T]) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Stats counts what was done so far.
func (l *Log[T]) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Full, s.Frame = l.full.Load(), l.Told()
	return s
}
