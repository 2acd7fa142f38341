package commit_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/reeveq/reeve/internal/commit"
)

func TestSections_AllocateNothing(t *testing.T) {
	var told sync.WaitGroup
	l := commit.New(commit.Config[int]{Journal: idle{}, Head: head, Tell: func([]int, error) { told.Done() }})
	defer l.Close()
	rec, ts := make([]byte, 1000), []int{1}
	if n := testing.AllocsPerRun(1000, func() {
		told.Add(1)
		l.Leave(l.Enter(), rec, ts, commit.Synced, 0)
		told.Wait()
	}); n > 0 {
		t.Errorf("a section allocates %v times", n)
	}
}

func TestFrames_GiveBackWhatIsOutOfTheOrdinary(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	l := commit.New(commit.Config[*[64]byte]{Journal: idle{}, Head: head, Tell: func([]*[64]byte, error) {}})
	defer l.Close()
	const size = 64 << 20
	before := heap()
	s := l.Enter()
	p := s.Pos()
	l.Leave(s, make([]byte, size), make([]*[64]byte, 1<<20), commit.Synced, 0)
	if err := l.Wait(p); err != nil {
		t.Fatal(err)
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("%d bytes are kept", after-before)
	}
}
