package commit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve/internal/commit"
	"github.com/reeveq/reeve/journal/journaltest"
)

func TestWritten_IsSyncedInTime(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		do   func(r *rig)
		want []string
	}{
		"by its own time": {
			func(r *rig) { r.section("a", written, 30*ms) },
			[]string{"0s Append 1 <a", "30ms Sync"},
		},
		"by the usual time": {
			func(r *rig) { r.section("a", written, -1) },
			[]string{"0s Append 1 <a", "70ms Sync"},
		},
		"never, if nobody asks": {
			func(r *rig) { r.section("a", written, 0) },
			[]string{"0s Append 1 <a"},
		},
		"by the time of the first": {
			func(r *rig) {
				r.section("a", written, 30*ms)
				time.Sleep(10 * ms)
				r.section("b", written, 30*ms)
				time.Sleep(25 * ms) // there is nothing to sync at 40 ms
				r.section("c", written, 30*ms)
			},
			[]string{"0s Append 1 <a", "10ms Append 2 <b", "30ms Sync", "35ms Append 3 <c", "65ms Sync"},
		},
		"by the time of whoever is in a hurry": {
			func(r *rig) {
				r.section("a", written, time.Hour)
				r.section("b", written, 30*ms)
				time.Sleep(10 * ms)
				c, d, e := r.Enter(), r.Enter(), r.Enter()
				r.Leave(c, []byte("c"), nil, written, 30*ms)
				r.Leave(d, []byte("d"), nil, written, 5*ms)
				r.Leave(e, []byte("e"), nil, written, 50*ms)
			},
			[]string{"0s Append 1 <ab", "10ms Append 2 <cde", "15ms Sync"},
		},
		"with a Synced section before that": {
			func(r *rig) {
				r.section("a", written, 30*ms)
				time.Sleep(10 * ms)
				r.section("b", synced, 0)
			},
			[]string{"0s Append 1 <a", "10ms Append 2 <b", "10ms Sync"},
		},
		"while others are written all the time": {
			func(r *rig) {
				r.section("a", written, 30*ms)
				time.Sleep(20 * ms)
				open := r.block(journaltest.OpAppend)
				r.section("b", written, 0)
				time.Sleep(20 * ms)
				r.section("c", written, 0)
				open()
			},
			[]string{"0s Append 1 <a", "20ms Append 2 <b", "40ms Sync", "40ms Append 3 <c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(_ *rig, c *commit.Config[string]) { c.Interval = 70 * ms })
				c.do(r)
				time.Sleep(time.Minute)
				r.wantCalls(c.want...)
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				r.wantCalls()
			})
		})
	}
}

func TestClose_SyncsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.section("a", written, time.Second)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r.wantCalls("0s Append 1 <a", "0s Sync")
	})
}

func TestInterval_IsATenthOfASecondUnlessSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.section("a", written, -1)
		time.Sleep(time.Second)
		r.wantCalls("0s Append 1 <a", "100ms Sync")
	})
}
