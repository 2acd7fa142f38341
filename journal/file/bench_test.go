package file

import (
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
