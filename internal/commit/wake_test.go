package commit_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve/internal/commit"
)

// A section that comes just when the goroutine falls asleep has nobody else to
// wake it: if it were overlooked, this would not end.
func TestSections_ComeWhileTheGoroutineFallsAsleep(t *testing.T) {
	t.Parallel()
	for _, clients := range []int{1, 2} {
		l := commit.New(commit.Config[chan error]{Journal: idle{}, Head: head, Tell: func(ts []chan error, err error) {
			for _, c := range ts {
				c <- err
			}
		}})
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(1, uint64(i)))
				told := []chan error{make(chan error, 1)}
				for range 100_000 {
					for start, d := time.Now(), time.Duration(r.IntN(300)); time.Since(start) < d; {
					}
					l.Leave(l.Enter(), []byte("x"), told, commit.Synced, 0)
					if err := <-told[0]; err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
