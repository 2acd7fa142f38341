package workload

import (
	"strings"
	"sync"
	"testing"
	"time"
)

func TestChecklist_TakesEachResultOnce(t *testing.T) {
	const first, n = 1000, 70
	var made maker
	list := newChecklist(first, n)
	for _, task := range made.numbers(first, n) {
		if err := list.note(made.result(task)); err != nil {
			t.Fatal(err)
		}
	}
	if list.left != 0 {
		t.Errorf("%d are missing", list.left)
	}
	for what, payload := range map[string][]byte{
		"twice":       made.result(made.item(first)),
		"no task":     made.item(first*first + 1),
		"not 100":     {1, 2, 3},
		"no task (2)": made.result(made.item(first - 1)),
		"no task (3)": made.result(made.item(first + 200)),
	} {
		what, _, _ := strings.Cut(what, " (")
		if err := list.note(payload); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("want %q, got %v", what, err)
		}
	}
}

func TestChecklist_KnowsLargeSquares(t *testing.T) {
	const first = 3_000_000_000 // its square has more digits than a float64
	var made maker
	list := newChecklist(first, 1)
	if err := list.note(made.result(made.item(first))); err != nil {
		t.Error(err)
	}
}

func TestMaker_GivesEverybodyMemoryOfHisOwn(t *testing.T) {
	var made maker
	a, b := made.numbers(0, 200), made.numbers(200, 300)
	for i, item := range append(a, b...) {
		if n, err := numberOf(item); err != nil || n != uint64(i) || len(item) != itemBytes || cap(item) != itemBytes {
			t.Fatalf("item %d is %d, of %d bytes: %v", i, n, len(item), err)
		}
	}
}

func TestSource_GivesEachNumberOnceAndEnds(t *testing.T) {
	const n = 1000
	s := &source{left: n, batch: 7, window: newWindow(20)}
	var mu sync.Mutex
	var team sync.WaitGroup
	seen := map[int]int{}
	for range 4 {
		team.Go(func() {
			err := s.put(t.Context(), func(first, n int) error {
				mu.Lock()
				for i := range n {
					seen[first+i]++
				}
				mu.Unlock()
				s.window.give(n)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	team.Wait()
	s.window.drained()
	for i := range n {
		if seen[i] != 1 {
			t.Fatalf("number %d was given %d times", i, seen[i])
		}
	}
	if len(seen) != n {
		t.Errorf("%d numbers", len(seen))
	}
}

func TestWindow_ClosedLetsNobodyWait(t *testing.T) {
	w := newWindow(1)
	if !w.take(1) {
		t.Fatal("an open window is closed")
	}
	ended := make(chan bool)
	go func() { ended <- w.take(1) }()
	w.close()
	if <-ended {
		t.Error("a closed window has room")
	}
	w.drained()
}

func TestGrouped_WritesThousands(t *testing.T) {
	for n, want := range map[int]string{7: "7", 1000: "1,000", 1_000_000: "1,000,000", 100_000: "100,000"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestReport_RateOfNothingIsZero(t *testing.T) {
	if r := (report{Tasks: 5}).rate(); r != 0 {
		t.Errorf("%v", r)
	}
	if r := (report{Tasks: 5, Took: time.Second / 2}).rate(); r != 10 {
		t.Errorf("%v", r)
	}
}
