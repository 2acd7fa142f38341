package program

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What a collection of garbage costs grows with what is live, and what it gives
// with what was allocated since the last one. These programs allocate much and
// keep little most of the time, so Go's default (collect when the heap has
// doubled) collects at every few thousand tasks: the pipeline of bench went from about
// 180,000 to 240,000 tasks a second without that. A master with a large backlog
// or thousands of clients, on the other hand, should not take twice of what it
// holds.
const (
	gcSpare    = 64 << 20 // garbage that may gather, whatever is live
	gcLeast    = 50       // percent of what is live that may gather at least
	gcMost     = 400      // and at most
	gcInterval = 2 * time.Second

	// Memory that is not in use is given back to the system when little was
	// allocated for restAfter looks.
	restBytes = 16 << 20 // per look
	restAfter = 2
	restSpare = 4 << 20 // what is worth giving back, or an eighth of what is live
)

// TuneGC adapts the garbage collector to the heap for as long as the process
// lives, unless the user's environment sets it (GOGC). A program calls it once,
// first.
func TuneGC() {
	if _, set := os.LookupEnv("GOGC"); set {
		return
	}
	debug.SetGCPercent(gcMost)
	go func() { // ends with the process
		var t gcTuner
		for range time.Tick(gcInterval) {
			percent, release := t.look(readHeap())
			if percent != 0 {
				debug.SetGCPercent(percent)
			}
			if release {
				debug.FreeOSMemory()
			}
		}
	}()
}

// heap is what the runtime tells of it.
type heap struct {
	live   uint64 // at the end of the last collection
	used   uint64 // by objects, garbage included
	free   uint64 // kept from the system for nothing
	allocs uint64 // bytes since the start
}

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(s)
	return heap{s[0].Value.Uint64(), s[1].Value.Uint64(), s[2].Value.Uint64(), s[3].Value.Uint64()}
}

// gcTuner decides from one look at the heap to the next.
type gcTuner struct {
	percent int
	allocs  uint64
	quiet   int // looks in a row without much allocation
}

// look returns the percentage to set, 0 to leave it, and whether to give memory
// back.
func (t *gcTuner) look(h heap) (percent int, release bool) {
	want := gcMost
	if h.live > 0 {
		want = int(min(max(gcSpare*100/h.live, gcLeast), gcMost))
	}
	if diff := want - t.percent; t.percent == 0 || diff*diff > want*want/100 { // by a tenth
		t.percent, percent = want, want
	}
	if h.allocs-t.allocs > restBytes {
		t.quiet = 0
	} else {
		t.quiet++
	}
	t.allocs = h.allocs
	if t.quiet >= restAfter && h.used+h.free > h.live+max(restSpare, h.live/8) {
		t.quiet = 0
		release = true
	}
	return percent, release
}
