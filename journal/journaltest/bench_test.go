package journaltest

import (
	"errors"
	"sync/atomic"
	"testing"
)

func TestGather_CommitsEveryRecordOnce(t *testing.T) {
	t.Parallel()
	for _, callers := range []int{1, 7, 64} {
		var bytes, running atomic.Int64
		g := &gather{commit: func(frame []byte) error {
			if running.Add(1) != 1 {
				t.Error("two commits at a time")
			}
			bytes.Add(int64(len(frame)))
			running.Add(-1)
			return nil
		}}
		for _, n := range []int{1, 3, 64, 1000} {
			if err := g.put(callers, n); err != nil {
				t.Error(err)
			}
		}
		if got, want := bytes.Load(), int64(1068*recordSize); got != want {
			t.Errorf("%d callers: %d bytes were committed, want %d", callers, got, want)
		}
		if g.commits < 4 || g.commits > 1068 || g.rate() <= 0 {
			t.Errorf("%d callers: %d commits, %v a second", callers, g.commits, g.rate())
		}
	}
}

func TestGather_EndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	boom, calls := errors.New("boom"), 0
	g := &gather{commit: func([]byte) error {
		if calls++; calls == 3 {
			return boom
		}
		return nil
	}}
	if err := g.put(64, 100_000); !errors.Is(err, boom) || calls != 3 {
		t.Errorf("put gives %v after %d commits, want boom after 3", err, calls)
	}
}
