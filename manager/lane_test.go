package manager

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/reeveq/reeve"
)

func TestLane_WorksInOrderWithinItsBoundAndFinishesWhatItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lane
		var did []int
		gate := make(chan struct{})
		add := func(i int) bool {
			return l.add(func() {
				<-gate
				did = append(did, i)
			}, 1000-turnSize, 3000) == nil
		}
		for i := range 3 {
			if !add(i) {
				t.Errorf("task %d is refused", i)
			}
		}
		if add(3) {
			t.Error("a fourth is accepted")
		}
		gate <- struct{}{}
		synctest.Wait() // one is done, and the next waits at the gate
		if !add(4) {
			t.Error("there is no room after one was done")
		}
		ended := make(chan struct{})
		go func() {
			l.end()
			close(ended)
		}()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("it did not wait for what had begun")
		default:
		}
		close(gate)
		<-ended
		if !add(5) {
			t.Error("what comes too late is an error")
		}
		if want := []int{0, 1}; !slices.Equal(did, want) {
			t.Errorf("did %v, want %v", did, want)
		}
	})
}

func TestFilterSize_CountsWhateverAClientMakesLong(t *testing.T) {
	const n = 1 << 20
	long := strings.Repeat("x", n)
	for name, f := range map[string]reeve.Filter{
		"ids":       {IDs: make([]reeve.ID, n/8)},
		"states":    {States: make([]reeve.State, n)},
		"types":     {Types: make([]string, n/16)},
		"long type": {Types: []string{long}},
		"key":       {Key: long},
		"unique":    {Unique: long},
		"error":     {Error: long},
	} {
		if size := filterSize(&f); size < n {
			t.Errorf("%s: %d bytes, want at least %d", name, size, n)
		}
	}
}
