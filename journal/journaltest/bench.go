package journaltest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve/journal"
)

const (
	recordSize = 150      // bytes that a caller has to say
	rawSize    = 32 << 20 // of the bare file, which is written round and round
	keptBytes  = 32 << 20 // of the journal, before it is trimmed
)

// Bench measures synced commits of a journal in files, by 1 and by 64 callers
// that wait for theirs, one frame for all that wait, against the limit: the same
// callers with a write and a sync of the data to a file that is all zeros
// already. Both take turns, in the directory that TMPDIR says. It reports
//
//	of-raw         the limit's time by the journal's for the same records
//	commits/s      of the journal
//	raw-commits/s  of the limit
//
// open opens an empty journal in dir; Bench closes it.
func Bench(b *testing.B, open func(tb testing.TB, dir string) journal.Journal) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			j := newJournalLog(b, open(b, filepath.Join(b.TempDir(), "journal")))
			raw := newRawLog(b, filepath.Join(b.TempDir(), "raw"))
			race(b, callers, j.commit, raw.commit)
		})
	}
}

// race does b.N records with each, taking turns.
func race(b *testing.B, callers int, subject, limit func(frame []byte) error) {
	one, other := &gather{commit: subject}, &gather{commit: limit}
	turn := max(8*callers, b.N/64) // short: what else the machine does hits both
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= turn {
		n := min(turn, left)
		if err := one.put(callers, n); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := other.put(callers, n); err != nil {
			b.Fatalf("the limit: %v", err)
		}
		b.StartTimer()
	}
	b.StopTimer()
	b.ReportMetric(other.took.Seconds()/one.took.Seconds(), "of-raw")
	b.ReportMetric(one.rate(), "commits/s")
	b.ReportMetric(other.rate(), "raw-commits/s")
}

// gather is the simplest group commit: while one frame is committed the next
// one's records wait.
type gather struct {
	commit  func(frame []byte) error
	commits int
	took    time.Duration
}

func (g *gather) rate() float64 { return float64(g.commits) / g.took.Seconds() }

// put commits n records of that many callers.
func (g *gather) put(callers, n int) error {
	begun := time.Now()
	records := make(chan chan<- error, callers) // each with where its caller waits
	var calling sync.WaitGroup
	for i := range callers {
		mine := n / callers
		if i < n%callers {
			mine++
		}
		calling.Go(func() {
			done := make(chan error, 1)
			for range mine {
				records <- done
				if <-done != nil {
					return // told by the loop
				}
			}
		})
	}
	go func() { // ends with the callers, which the loop below waits for
		calling.Wait()
		close(records)
	}()
	err := g.loop(records)
	g.took += time.Since(begun)
	return err
}

func (g *gather) loop(records <-chan chan<- error) (err error) {
	var record [recordSize]byte
	for i := range record {
		record[i] = byte(i)
	}
	var frame []byte
	var group []chan<- error
	for r := range records {
		frame, group = append(frame[:0], record[:]...), append(group[:0], r)
		for more := true; more; {
			select {
			case r, ok := <-records:
				if more = ok; ok {
					frame, group = append(frame, record[:]...), append(group, r)
				}
			default:
				more = false
			}
		}
		if err == nil {
			err = g.commit(frame)
			g.commits++
		}
		for _, r := range group {
			r <- err
		}
	}
	return err
}

// journalLog commits to a journal, which it trims.
type journalLog struct {
	b    *testing.B
	j    journal.Journal
	last journal.Pos
	kept int64
}

func newJournalLog(b *testing.B, j journal.Journal) *journalLog {
	b.Cleanup(func() {
		if err := j.Close(); err != nil {
			b.Errorf("Close: %v", err)
		}
	})
	last, err := j.Replay(b.Context(), func(journal.Pos, []byte) error { return nil })
	if err != nil {
		b.Fatalf("Replay: %v", err)
	}
	return &journalLog{b: b, j: j, last: last}
}

func (l *journalLog) commit(frame []byte) error {
	ctx := l.b.Context()
	if err := l.j.Append(ctx, l.last+1, frame, journal.AppendOptions{}); err != nil {
		return err
	}
	l.last++
	if err := l.j.Sync(ctx); err != nil {
		return err
	}
	if l.kept += int64(len(frame)); l.kept < keptBytes {
		return nil
	}
	l.kept = 0
	return l.j.Trim(ctx, l.last+1)
}

// rawLog writes to a file of which every block was written before.
type rawLog struct {
	f  *os.File
	at int64
}

func newRawLog(b *testing.B, name string) *rawLog {
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() }) // nobody reads it
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < rawSize; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros, at); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return &rawLog{f: f}
}

func (l *rawLog) commit(frame []byte) error {
	if l.at+int64(len(frame)) > rawSize {
		l.at = 0
	}
	if _, err := l.f.WriteAt(frame, l.at); err != nil {
		return err
	}
	l.at += int64(len(frame))
	return datasync(l.f)
}
