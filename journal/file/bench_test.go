package file

import (
	"fmt"
	"testing"

	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

// BenchmarkJournal: synced commits, by 1 and by 64 callers, against those of a
// bare file.
func BenchmarkJournal(b *testing.B) {
	journaltest.Bench(b, func(tb testing.TB, dir string) journal.Journal {
		j, err := Open(dir, Options{})
		if err != nil {
			tb.Fatal(err)
		}
		return j
	})
}

// BenchmarkJournalAppend: frames without a sync, into a journal of which 32 MiB
// are kept.
func BenchmarkJournalAppend(b *testing.B) {
	const kept = 32 << 20
	for _, size := range []int{150, 9600, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			j, frame := openDir(b, b.TempDir(), Options{}), frameOf(1, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			p, since := journal.Pos(0), 0
			for b.Loop() {
				p++
				if err := j.Append(b.Context(), p, frame, journal.AppendOptions{}); err != nil {
					b.Fatal(err)
				}
				if since += size; since < kept {
					continue
				}
				since = 0
				if err := j.Trim(b.Context(), p+1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
