package manager

import (
	"slices"
	"testing"
	"testing/synctest"
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
