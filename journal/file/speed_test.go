package file

import (
	"fmt"
	"testing"
	"time"

	"github.com/reeveq/reeve/journal"
)

func TestAppend_AllocatesNothing(t *testing.T) {
	j := openDir(t, t.TempDir(), Options{})
	frame := frameOf(1, 3000)
	p := journal.Pos(0)
	n := testing.AllocsPerRun(2000, func() {
		p++
		if err := j.Append(t.Context(), p, frame, journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
		if p%100 == 0 {
			if err := j.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for each append", n)
	}
}

// BenchmarkCommit: appends, each synced, by one caller without a pause; and the
// same over a file that was filled before.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{150, 9600, 64 << 10} {
		frame := frameOf(1, size)
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			dir := b.TempDir()
			j := openDir(b, dir, Options{})
			raw := openRaw(b, dir)
			var ours, theirs time.Duration
			p := journal.Pos(0)
			for b.Loop() {
				// In turns, so that what else the disk does is borne by both.
				start := time.Now()
				for range 20 {
					p++
					if err := j.Append(b.Context(), p, frame, journal.AppendOptions{}); err != nil {
						b.Fatal(err)
					}
					if err := j.Sync(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				middle := time.Now()
				for range 20 {
					raw.commit(b, frame)
				}
				ours += middle.Sub(start)
				theirs += time.Since(middle)
			}
			b.ReportMetric(float64(theirs)/float64(ours), "of-raw")
			b.ReportMetric(20*float64(b.N)/ours.Seconds(), "commits/s")
			b.ReportMetric(20*float64(b.N)/theirs.Seconds(), "raw-commits/s")
		})
	}
}

// rawFile is a file that was filled, and is written again and again.
type rawFile struct {
	f   file
	off int64
}

const rawSize = 64 << 20

func openRaw(b *testing.B, dir string) *rawFile {
	b.Helper()
	f, err := osFS{}.open(dir+"/raw", true)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	for off := int64(0); off < rawSize; off += fillStep {
		if _, err := f.WriteAt(zeros[:], off); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.sync(); err != nil {
		b.Fatal(err)
	}
	return &rawFile{f: f}
}

func (r *rawFile) commit(b *testing.B, frame []byte) {
	if r.off+int64(len(frame)) > rawSize {
		r.off = 0
	}
	if _, err := r.f.WriteAt(frame, r.off); err != nil {
		b.Fatal(err)
	}
	r.off += int64(len(frame))
	if err := r.f.datasync(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOpen: a journal without a frame, and its end.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		j, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay: 130 MB of frames from the page cache.
func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{130, 120 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			const total = 130 << 20
			dir := b.TempDir()
			j := openDir(b, dir, Options{})
			frame := frameOf(1, size)
			for p := journal.Pos(1); int64(p)*int64(size) <= total; p++ {
				if err := j.Append(b.Context(), p, frame, journal.AppendOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(total)
			for b.Loop() {
				j, err := Open(dir, Options{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := j.Replay(b.Context(), func(journal.Pos, []byte) error { return nil }); err != nil {
					b.Fatal(err)
				}
				if err := j.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
