package queue

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/reeveq/reeve"
)

func TestHistory_KeepsTheLatest(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 2, 10, 100} {
		var h []reeve.AttemptRecord
		for i := range uint32(250) {
			h = appendHistory(h, reeve.AttemptRecord{Attempt: i}, most, math.MaxInt32)
			want := min(int(i)+1, most)
			if len(h) != want || cap(h) > most {
				t.Fatalf("most %d: %d records in room for %d", most, len(h), cap(h))
			}
			for j, r := range h {
				if r.Attempt != i-uint32(want-1-j) {
					t.Fatalf("most %d: record %d of %d is of attempt %d", most, j, want, r.Attempt)
				}
			}
		}
	}
}

func TestHistory_OnlyTheLatestStackIsKeptWhole(t *testing.T) {
	t.Parallel()
	var h []reeve.AttemptRecord
	long := func(s string) string { return strings.Repeat(s, 10_000) } // of 2 bytes each
	for i := range 4 {
		h = appendHistory(h, reeve.AttemptRecord{Error: long("é"), Stack: fmt.Sprint(i) + long("ü")}, 4, math.MaxInt32)
	}
	h = appendHistory(h, reeve.AttemptRecord{Outcome: "lost"}, 4, math.MaxInt32) // and tells none
	for i, r := range h[:3] {
		most := historyStack
		if i == 2 {
			most = reeve.MaxErrorText
		}
		if n := len(r.Stack); n > most || n < most-1 || !utf8.ValidString(r.Stack) || !strings.HasPrefix(r.Stack, fmt.Sprint(i+1)) {
			t.Errorf("record %d has %d bytes of stack, want %d, in UTF-8", i, n, most)
		}
		if len(r.Error) != historyError {
			t.Errorf("record %d has %d bytes of error, want %d", i, len(r.Error), historyError)
		}
	}
}

// The latest goes before the older ones, and its error before its stack.
func TestHistory_TakesNoMoreThanThereIsRoom(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(19, 20))
	text := func(most int) string { return strings.Repeat("x", rnd.IntN(most)) }
	dropped, left, cuts := 0, 0, 0
	for range 200 {
		var h []reeve.AttemptRecord
		most := 1 + rnd.IntN(20)
		for i := range uint32(40) {
			before, n, room := historySize(h), len(h), rnd.Int64N(8000)-2000
			r := reeve.AttemptRecord{Attempt: i, Worker: text(50), Error: text(1000), Stack: text(5000)}
			h = appendHistory(h, r, most, room)
			if grew := historySize(h) - before; grew > max(room, 0) {
				t.Fatalf("grew by %d bytes, there was room for %d", grew, room)
			}
			if len(h) > most {
				t.Fatalf("%d records, want at most %d", len(h), most)
			}
			if len(h) == 0 || h[len(h)-1].Attempt != i {
				if left++; len(h) > 0 {
					t.Fatal("the latest was left out, and an older one kept")
				}
				continue
			}
			if len(h) < min(n+1, most) {
				dropped++
			}
			if last := h[len(h)-1]; last.Stack != r.Stack {
				if cuts++; last.Error != r.Error && last.Stack != "" {
					t.Fatal("the error was cut, and the stack kept")
				}
			}
		}
	}
	if dropped == 0 || left == 0 || cuts == 0 {
		t.Fatalf("%d times older ones went, %d times the latest was left out, %d times cut", dropped, left, cuts)
	}
}

func TestHistory_ARecordTakesWhatItCountsFor(t *testing.T) {
	t.Parallel()
	if n := unsafe.Sizeof(reeve.AttemptRecord{}); n > recordOverhead+8 {
		t.Errorf("a record takes %d bytes, and counts for %d", n, recordOverhead)
	}
}

func BenchmarkHistory(b *testing.B) {
	var h []reeve.AttemptRecord
	r := reeve.AttemptRecord{Worker: "w", Error: strings.Repeat("e", 200), Stack: strings.Repeat("s", 1000)}
	b.ReportAllocs()
	for b.Loop() {
		h = appendHistory(h, r, 10, math.MaxInt32)
	}
}
