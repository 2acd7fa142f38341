package expose_test

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	inside "github.com/reeveq/reeve/internal/shared"
	"github.com/reeveq/reeve/internal/shared/expose"
	"github.com/reeveq/reeve/shared"
)

// meeting is a value whose callers wait for each other.
type meeting interface {
	Meet()
	Leave()
	Exit()
}

type table struct{ all sync.WaitGroup }

func (t *table) Meet()  { t.all.Done(); t.all.Wait() }
func (t *table) Leave() {}
func (t *table) Exit()  { runtime.Goexit() }

// Few runners are woken for many calls; all the same no call waits for another.
func TestCalls_ThatWaitForEachOtherAllRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, expose.Config{}, inside.Config{})
		v := &table{}
		value[meeting](w, "table", v, expose.Options{})
		x := shared.ObjectOf(w.client, "table")
		const callers = 200
		for range 3 { // with runners that are kept, too
			v.all.Add(callers)
			var over sync.WaitGroup
			for i := range 3 * callers {
				over.Go(func() {
					method := []string{"Meet", "Leave", "Exit"}[i%3]
					if err := x.Invoke(t.Context(), method, nil); (err != nil) != (method == "Exit") {
						t.Errorf("%s: %v", method, err)
					}
				})
			}
			over.Wait()
		}
	})
}
