package file

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

// TestConformance_OfFiles runs the suite over the operating system's files: no
// power goes there, and no disk is full.
func TestConformance_OfFiles(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"larger segments":   {SegmentSize: 2 << 20},
		"smallest segments": {SegmentSize: MinSegmentSize},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			journaltest.Run(t, journaltest.Suite{
				Open: func(_ testing.TB, name string) (journal.Journal, error) {
					j, err := Open(filepath.Join(dir, name), o)
					if err != nil {
						return nil, err // not a *Journal that is nil
					}
					return j, nil
				},
				Kill: func(tb testing.TB, _ string, j journal.Journal) { abandoned(tb, j.(*Journal)) },
				Damage: func(tb testing.TB, name string, _ journal.Journal, p journal.Pos) {
					damage(tb, osFS{}, filepath.Join(dir, name), p)
				},
			})
		})
	}
}

// TestConformance_OfCrashes runs the suite over a simulated disk, with all that
// can happen to one.
func TestConformance_OfCrashes(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"keeper beside":        {SegmentSize: MinSegmentSize},
		"keeper in the middle": {SegmentSize: MinSegmentSize, foreground: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &machines{o: o, disks: make(map[string]*crashFS)}
			journaltest.Run(t, journaltest.Suite{
				Open: m.open, MaxFrame: 1 << 20,
				Kill: m.kill, PowerCut: m.powerCut, SetSpace: m.setSpace, Break: m.breakNext,
				Damage: func(tb testing.TB, name string, _ journal.Journal, p journal.Pos) {
					damage(tb, m.disk(name), name, p)
				},
			})
		})
	}
}

// machines are simulated disks, one for each journal.
type machines struct {
	o Options

	mu    sync.Mutex // guards the fields below
	disks map[string]*crashFS
}

func (m *machines) disk(name string) *crashFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.disks[name] == nil {
		m.disks[name] = newCrashFS(rand.New(rand.NewPCG(uint64(len(m.disks)), 1)))
	}
	return m.disks[name]
}

func (m *machines) open(_ testing.TB, name string) (journal.Journal, error) {
	j, err := open(name, m.o, m.disk(name))
	if err != nil {
		return nil, err
	}
	return j, nil
}

// next is the disk that the next process finds.
func (m *machines) next(name string, j journal.Journal, next *crashFS) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disks[name] = next
	_ = j.Close() // ends its goroutine; its disk is gone
}

func (m *machines) kill(_ testing.TB, name string, j journal.Journal) {
	m.next(name, j, m.disk(name).kill())
}

func (m *machines) powerCut(_ testing.TB, name string, j journal.Journal) {
	c := m.disk(name)
	m.next(name, j, c.survive(c.rng))
}

func (m *machines) setSpace(_ testing.TB, name string, _ journal.Journal, s journaltest.Space) {
	c := m.disk(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.budget = c.used; s == journaltest.Enough {
		c.budget = 0
	}
}

func (m *machines) breakNext(_ testing.TB, name string, _ journal.Journal, what journaltest.Op) {
	c := m.disk(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = func(o op, file string) error {
		if !strings.HasSuffix(file, ".seg") || (what == journaltest.OpSync) != (o == opDatasync || o == opSync) || o < opWrite {
			return nil
		}
		c.fail = nil
		return syscall.EIO
	}
}

// damage flips a bit of a frame.
func damage(tb testing.TB, fsys fsys, dir string, p journal.Pos) {
	tb.Helper()
	l, err := readLayout(fsys, dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, seg := range l.segments {
		if seg.first > p {
			break
		}
		f, err := fsys.open(seg.name, false)
		if err != nil {
			tb.Fatal(err)
		}
		if err := errors.Join(flip(f, l.id, seg, p), f.Close()); err != nil {
			tb.Fatal(err)
		}
	}
}

// flip flips a bit of frame p, if it is in the segment.
func flip(f file, id uint64, seg headedSegment, p journal.Pos) error {
	var s scanner
	s.begin(f, id, seg.first, seg.size)
	for s.next <= p {
		off, at := s.off, s.next
		what, frame, _, err := s.step()
		if err != nil || what != foundFrame {
			return err
		}
		if at == p {
			middle := len(frame) / 2
			_, err := f.WriteAt([]byte{frame[middle] ^ 8}, off+headerSize+int64(middle))
			return err
		}
	}
	return nil
}
