package journaltest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal"
)

// MemoryConfig is how a Memory behaves. The zero value is ready for use.
type MemoryConfig struct {
	// TB is told of the caller's mistakes, by Errorf, and the call that was one
	// fails. nil: they panic.
	TB testing.TB

	// Before, if set, is called before each operation that is no mistake, by its
	// goroutine and with nothing locked. Its error is the operation's, as by
	// [Memory.Fail].
	Before func(c Call) error

	// TrimUnit is the number of frames that are forgotten together: what a Trim
	// leaves of a unit comes again in the next owner's Replay, as it does with
	// journals that remove whole files. 0: 1, every frame by itself.
	TrimUnit int
}

// Memory is a [journal.Journal] in memory. It keeps to the letter of the
// contract and no more, so that what works with it works with any:
//
//   - what Replay gives to f is overwritten when f returns;
//   - what was not synced may be lost in a [Memory.Crash];
//   - frames that were trimmed may be replayed (MemoryConfig.TrimUnit);
//   - after an error of Append or Sync, but for a full journal, all calls fail.
//
// Mistakes of the caller are reported or panic (MemoryConfig.TB): a wrong
// number, an empty frame, two of Replay, Append, Sync, Trim and Close at a time,
// anything but Sync and Close before the Replay of a journal that has something
// in it, a second Replay or going on after one that failed, Read of a frame that
// was never appended, Trim beyond the last frame's successor, and use after
// Close. Read may meet a Close, and gets [journal.ErrClosed]; so does a second
// Close. An owner that was taken over makes no mistakes any more.
//
// All methods but those of the contract may be called from any goroutine. All
// waiting is on channels, so it works inside a testing/synctest bubble.
type Memory struct {
	cfg    MemoryConfig
	disk   *disk
	fenced chan struct{} // closed when another one takes over

	// Guarded by disk.mu.
	busy     Op // of the contract's serial calls, the one that runs; 0: none
	replayed bool
	closed   bool
	failed   error // what every call fails with
	trimmed  journal.Pos
	faults   []*fault
	gates    [opEnd]*Gate
	stats    Stats
}

// disk is what outlives an owner.
type disk struct {
	mu      sync.Mutex // guards the fields below, and those of all owners
	owner   *Memory
	first   journal.Pos // number of frames[0]; the next frame's if there is none
	frames  [][]byte
	synced  journal.Pos // all up to here survive a power cut
	space   Space
	damaged map[journal.Pos]bool
}

func (d *disk) last() journal.Pos { return d.first + journal.Pos(len(d.frames)) - 1 }

// NewMemory makes an empty journal and its first owner.
func NewMemory(cfg MemoryConfig) *Memory {
	return newOwner(cfg, &disk{first: 1, damaged: map[journal.Pos]bool{}})
}

func newOwner(cfg MemoryConfig, d *disk) *Memory {
	cfg.TrimUnit = max(cfg.TrimUnit, 1)
	m := &Memory{cfg: cfg, disk: d, fenced: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.owner != nil {
		close(d.owner.fenced)
	}
	d.owner = m
	return m
}

// Replay calls f for every frame that is kept.
func (m *Memory) Replay(ctx context.Context, f func(p journal.Pos, frame []byte) error) (journal.Pos, error) {
	end, err := m.begin(ctx, Call{Op: OpReplay})
	if err != nil {
		return 0, err
	}
	defer end()
	last, err := m.replay(ctx, f)
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	if err != nil {
		m.failLocked(err)
		return 0, err
	}
	m.replayed = true
	m.stats.Replays++
	return last, nil
}

func (m *Memory) replay(ctx context.Context, f func(p journal.Pos, frame []byte) error) (journal.Pos, error) {
	first, last, err := m.bounds()
	if err != nil {
		return 0, err
	}
	for p := first; p <= last; p++ {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		frame, err := m.frame(p)
		if err != nil {
			return 0, err
		}
		err = f(p, frame)
		for i := range frame {
			frame[i] = 0xdb // it was the callee's until now
		}
		if err != nil {
			return 0, err
		}
	}
	return last, nil
}

func (m *Memory) bounds() (first, last journal.Pos, err error) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	return m.disk.first, m.disk.last(), m.stateLocked()
}

// frame is a copy of a frame that is kept.
func (m *Memory) frame(p journal.Pos) ([]byte, error) {
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := m.stateLocked(); err != nil {
		return nil, err
	}
	return d.frameLocked(p)
}

func (d *disk) frameLocked(p journal.Pos) ([]byte, error) {
	switch {
	case p < d.first:
		return nil, journal.ErrTrimmed
	case d.damaged[p]:
		offset := 0
		for _, f := range d.frames[:p-d.first] {
			offset += len(f)
		}
		return nil, &journal.CorruptError{File: "memory", Offset: int64(offset), Pos: p, Reason: "damaged by the test"}
	}
	return bytes.Clone(d.frames[p-d.first]), nil
}

// Append keeps frame p.
func (m *Memory) Append(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
	end, err := m.begin(ctx, Call{Op: OpAppend, Pos: p, Frame: frame, Reserve: o.Reserve})
	if err != nil {
		return err
	}
	defer end()
	return m.do(OpAppend, func(d *disk) error {
		if d.space == NoSpace || d.space == ReserveOnly && !o.Reserve {
			m.stats.Full++
			return fmt.Errorf("%w (frame %d of %d bytes)", reeve.ErrJournalFull, p, len(frame))
		}
		d.frames = append(d.frames, bytes.Clone(frame))
		m.stats.Appends++
		m.stats.AppendedBytes += int64(len(frame))
		return nil
	})
}

// Sync keeps everything appended so far from being lost.
func (m *Memory) Sync(ctx context.Context) error {
	end, err := m.begin(ctx, Call{Op: OpSync})
	if err != nil {
		return err
	}
	defer end()
	return m.do(OpSync, func(d *disk) error {
		d.synced = d.last()
		m.stats.Syncs++
		return nil
	})
}

// Read returns a copy of frame p.
func (m *Memory) Read(ctx context.Context, p journal.Pos) ([]byte, error) {
	end, err := m.begin(ctx, Call{Op: OpRead, Pos: p})
	if err != nil {
		return nil, err
	}
	defer end()
	var frame []byte
	err = m.do(OpRead, func(d *disk) (err error) {
		if p < m.trimmed {
			return journal.ErrTrimmed
		}
		m.stats.Reads++
		frame, err = d.frameLocked(p)
		return err
	})
	return frame, err
}

// Trim forgets the frames before p, in whole units.
func (m *Memory) Trim(ctx context.Context, p journal.Pos) error {
	end, err := m.begin(ctx, Call{Op: OpTrim, Pos: p})
	if err != nil {
		return err
	}
	defer end()
	return m.do(OpTrim, func(d *disk) error {
		m.trimmed = max(m.trimmed, p)
		m.stats.Trims++
		unit := journal.Pos(m.cfg.TrimUnit)
		for whole := p - (p-1)%unit; d.first < whole && len(d.frames) > 0; d.first++ {
			delete(d.damaged, d.first)
			d.frames[0] = nil
			d.frames = d.frames[1:]
		}
		return nil
	})
}

// Close syncs and gives up the ownership.
func (m *Memory) Close() error {
	end, err := m.begin(context.Background(), Call{Op: OpClose})
	if err != nil {
		return err
	}
	defer end()
	return m.do(OpClose, func(d *disk) error {
		d.synced = d.last()
		m.closed = true
		return nil
	})
}

var _ journal.Journal = (*Memory)(nil)
