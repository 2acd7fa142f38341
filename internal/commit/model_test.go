package commit_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

// event is what is told in the model: the n-th that a line has said.
type event struct {
	line, n int
	frame   journal.Pos
}

// line is a queue of the model: whatever it says, it says with its mutex held,
// and it is told with that mutex taken.
type line struct {
	mu    sync.Mutex
	said  []event
	told  int         // of said, in order: those of one line are never told out of order
	frame journal.Pos // of its last section
}

// model uses a Log as the queues do, and checks all that is promised.
type model struct {
	t       *testing.T
	log     *commit.Log[event]
	journal *journaltest.Memory
	lines   [4]line

	telling  atomic.Bool // Tell, Work or Failed runs
	failures atomic.Int32
	wrong    atomic.Bool // an error was told
	wantErr  error       // what the journal fails with
	frame    journal.Pos // of the last that was told

	entering sync.Mutex // guards the next one; held while Work enters
	closing  bool       // Close was called, or is about to be: who enters is told so

	mu       sync.Mutex
	synced   map[journal.Pos]bool // frames with a Synced section
	sections map[journal.Pos]int  // of a frame
}

func (m *model) alone() (end func()) {
	if !m.telling.CompareAndSwap(false, true) {
		m.t.Error("two callbacks run at a time")
	}
	return func() { m.telling.Store(false) }
}

func (m *model) tell(es []event, err error) {
	defer m.alone()()
	m.mu.Lock()
	for _, e := range es {
		m.promised(e, err)
	}
	m.mu.Unlock()
	for _, e := range es {
		l := &m.lines[e.line]
		l.mu.Lock()
		if e.n != l.told {
			m.t.Errorf("line %d is told %d instead of %d", e.line, e.n, l.told)
		}
		l.told++
		if err == nil && e.n%7 == 0 && l.told == len(l.said) {
			m.followLocked(e.line, e.frame) // while that is told
		}
		l.mu.Unlock()
	}
}

// promised looks whether e is as durable as was asked for.
func (m *model) promised(e event, err error) {
	if err != nil {
		m.wrong.Store(true)
		switch {
		case m.wantErr == nil, !errors.Is(err, m.wantErr), !errors.Is(err, reeve.ErrJournal):
			m.t.Errorf("frame %d is told %v", e.frame, err)
		case m.failures.Load() != 1:
			m.t.Errorf("Failed was called %d times before somebody was told", m.failures.Load())
		}
		return
	}
	s := m.journal.Stats()
	switch {
	case m.wrong.Load():
		m.t.Errorf("frame %d is told to be good after the failure", e.frame)
	case e.frame < m.frame:
		m.t.Errorf("frame %d is told after %d", e.frame, m.frame)
	case m.log.Told() >= e.frame:
		m.t.Errorf("frame %d is told when Told is %d", e.frame, m.log.Told())
	case s.Last < e.frame:
		m.t.Errorf("frame %d is told when %d is the last written", e.frame, s.Last)
	case m.synced[e.frame] && s.Synced < e.frame:
		m.t.Errorf("frame %d is told when %d is the last synced", e.frame, s.Synced)
	}
	m.frame = e.frame
}

// sectionLocked is a critical section of a line: one to three records, one
// event each.
func (m *model) sectionLocked(r *rand.Rand, line int) journal.Pos {
	l := &m.lines[line]
	s := m.log.Enter()
	p := s.Pos()
	if p < l.frame {
		m.t.Errorf("frame %d is entered after %d", p, l.frame)
	}
	if p <= m.log.Told() {
		m.t.Errorf("frame %d is entered when Told is %d", p, m.log.Told())
	}
	l.frame = p
	if r.IntN(8) == 0 {
		runtime.Gosched()
	}
	var recs []byte
	var es []event
	for range 1 + r.IntN(3) {
		e := event{line, len(l.said), p}
		l.said = append(l.said, e)
		es = append(es, e)
		recs = fmt.Appendf(recs, "%d.%d;", e.line, e.n)
	}
	recs = append(binary.BigEndian.AppendUint32([]byte{'S'}, uint32(len(recs))), recs...)
	d, by := commit.Synced, time.Duration(0)
	if r.IntN(3) > 0 {
		d, by = commit.Written, []time.Duration{0, -1, time.Millisecond, time.Second}[r.IntN(4)]
	}
	m.mu.Lock()
	m.synced[p] = m.synced[p] || d == commit.Synced
	m.sections[p]++
	m.mu.Unlock()
	m.log.Leave(s, recs, es, d, by)
	clear(recs)
	clear(es)
	return p
}

// followLocked has a line follow a frame of its own, if that is not told yet.
func (m *model) followLocked(line int, p journal.Pos) {
	l := &m.lines[line]
	e := event{line, len(l.said), p}
	l.said = append(l.said, e)
	if m.log.Follow(p, e) {
		return
	}
	l.said = l.said[:e.n]
	if m.log.Told() < p {
		m.t.Errorf("nobody can follow frame %d, and Told is %d", p, m.log.Told())
	}
}

func (m *model) client(r *rand.Rand, sections int) {
	for range sections {
		line := r.IntN(len(m.lines))
		l := &m.lines[line]
		l.mu.Lock()
		p := m.sectionLocked(r, line)
		if r.IntN(3) == 0 {
			m.followLocked(line, p)
		}
		l.mu.Unlock()
		switch r.IntN(6) {
		case 0:
			if err := m.log.Wait(p); err == nil && m.log.Told() < p || err != nil && m.log.Err() == nil {
				m.t.Errorf("Wait for frame %d: %v; Told is %d", p, err, m.log.Told())
			}
		case 1:
			time.Sleep(time.Duration(r.IntN(3_000)) * time.Microsecond)
		case 2:
			m.log.Barrier()
			runtime.Gosched()
		}
	}
}

// work is what a cleaner does.
func (m *model) work(r *rand.Rand) func(context.Context) bool {
	return func(ctx context.Context) bool {
		defer m.alone()()
		if ctx.Err() != nil {
			return true
		}
		switch r.IntN(8) {
		case 0:
			line := r.IntN(len(m.lines))
			m.entering.Lock()
			defer m.entering.Unlock()
			if m.closing {
				return false
			}
			m.lines[line].mu.Lock()
			m.sectionLocked(r, line)
			m.lines[line].mu.Unlock()
		case 1:
			m.journal.Sync(context.WithoutCancel(ctx)) // its failure is that of the next
		case 2:
			m.journal.Read(ctx, 1)
		}
		return r.IntN(2) == 0
	}
}

// run has clients use a Log until they have had enough, and closes it.
func (m *model) run(seed uint64, chaos func(r *rand.Rand, stop <-chan struct{})) {
	rnd := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
	r := rnd(0)
	slow := rnd(1)
	m.synced, m.sections = map[journal.Pos]bool{}, map[journal.Pos]int{}
	m.journal = journaltest.NewMemory(journaltest.MemoryConfig{TB: m.t, Before: func(c journaltest.Call) error {
		if c.Op != journaltest.OpRead && slow.IntN(3) > 0 {
			time.Sleep(time.Duration(slow.IntN(500)) * time.Microsecond)
		}
		return nil
	}})
	m.log = commit.New(commit.Config[event]{
		Journal: m.journal, Tell: m.tell, Work: m.work(rnd(2)), MaxBytes: 1 + r.IntN(200), Interval: 10 * time.Millisecond,
		Head: func(b []byte) []byte { return append(b, "head"...) },
		Failed: func(error) {
			defer m.alone()()
			m.failures.Add(1)
		},
	})
	stop := make(chan struct{})
	var clients, others sync.WaitGroup
	others.Go(func() { chaos(rnd(3), stop) })
	for i := range 2 + r.IntN(14) {
		clients.Go(func() { m.client(rnd(uint64(10+i)), 60) })
	}
	clients.Wait()
	close(stop)
	others.Wait()
	m.entering.Lock()
	m.closing = true
	m.entering.Unlock()
	err := m.log.Close()
	if m.wantErr == nil && err != nil || m.wantErr != nil && !errors.Is(err, m.wantErr) {
		m.t.Errorf("Close: %v", err)
	}
	synctest.Wait()
	for i := range m.lines {
		if l := &m.lines[i]; l.told != len(l.said) {
			m.t.Errorf("line %d was told %d of %d", i, l.told, len(l.said))
		}
	}
}

// written parses the frames and looks that each event of a section stands in
// its frame, in order, once.
func (m *model) written() {
	var next [len(m.lines)]int
	last := m.journal.Stats().Last
	for p := journal.Pos(1); p <= last; p++ {
		b, err := m.journal.Read(m.t.Context(), p)
		if err != nil {
			m.t.Fatal(err)
		}
		b, ok := bytes.CutPrefix(b, []byte("head"))
		if !ok {
			m.t.Fatalf("frame %d begins with %q", p, b)
		}
		n := 0
		for ; len(b) > 0; n++ {
			size := 5 + binary.BigEndian.Uint32(b[1:])
			for rec := range bytes.SplitAfterSeq(b[5:size], []byte(";")) {
				var e event
				if len(rec) == 0 {
					continue
				}
				if _, err := fmt.Sscanf(string(rec), "%d.%d;", &e.line, &e.n); err != nil {
					m.t.Fatalf("frame %d: %q: %v", p, rec, err)
				}
				said := m.lines[e.line].said
				if e.n < next[e.line] || e.n >= len(said) || said[e.n].frame != p {
					m.t.Fatalf("frame %d: %q stands where it should not", p, rec)
				}
				next[e.line] = e.n + 1
			}
			b = b[size:]
		}
		if n != m.sections[p] {
			m.t.Errorf("frame %d has %d sections, want %d", p, n, m.sections[p])
		}
		delete(m.sections, p)
	}
	if len(m.sections) > 0 && m.wantErr == nil {
		m.t.Errorf("not written: %v", m.sections)
	}
}

// eachSeed runs f in bubbles with random seeds.
func eachSeed(t *testing.T, f func(m *model, seed uint64)) {
	for range 20 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(&model{t: t}, seed) })
		})
	}
}

func TestModel_WhatIsPromisedHolds(t *testing.T) {
	t.Parallel()
	eachSeed(t, func(m *model, seed uint64) {
		m.run(seed, func(*rand.Rand, <-chan struct{}) {})
		m.written()
		if m.failures.Load() != 0 {
			m.t.Error("Failed was called")
		}
	})
}

func TestModel_WhatIsPromisedHoldsWhenThereIsNoSpace(t *testing.T) {
	t.Parallel()
	eachSeed(t, func(m *model, seed uint64) {
		m.run(seed, func(r *rand.Rand, stop <-chan struct{}) {
			for {
				select {
				case <-stop:
					m.journal.SetSpace(journaltest.Enough)
					time.Sleep(time.Second)
					if m.log.Full() {
						m.t.Error("it is full for ever")
					}
					return
				case <-time.After(time.Duration(r.IntN(60)) * time.Millisecond):
					m.journal.SetSpace([]journaltest.Space{journaltest.Enough, journaltest.ReserveOnly, journaltest.NoSpace}[r.IntN(3)])
				}
			}
		})
		m.written()
	})
}

func TestModel_WhatIsPromisedHoldsWhenTheJournalFails(t *testing.T) {
	t.Parallel()
	eachSeed(t, func(m *model, seed uint64) {
		m.wantErr = errDisk
		m.run(seed, func(r *rand.Rand, _ <-chan struct{}) {
			op := []journaltest.Op{journaltest.OpAppend, journaltest.OpSync}[r.IntN(2)]
			m.journal.Fail(op, 1+r.IntN(12), errDisk)
		})
		if m.failures.Load() != 1 {
			m.t.Errorf("Failed was called %d times", m.failures.Load())
		}
	})
}
