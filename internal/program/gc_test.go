package program

import "testing"

func TestGCTuner_LetsGarbageGatherWhereLittleIsLive(t *testing.T) {
	t.Parallel()
	var g gcTuner
	for _, c := range []struct {
		live uint64
		want int // 0: as it is
	}{
		{0, gcMost}, {1 << 20, 0}, {16 << 20, 0}, {64 << 20, 100}, {65 << 20, 0}, {1 << 30, gcLeast}, {2 << 20, gcMost},
	} {
		if got, _ := g.look(heap{live: c.live}); got != c.want {
			t.Errorf("%d bytes live: %d percent, want %d", c.live, got, c.want)
		}
	}
}

func TestGCTuner_GivesMemoryBackOnceWhenItIsQuiet(t *testing.T) {
	t.Parallel()
	var g gcTuner
	h := heap{live: 10 << 20, used: 20 << 20, free: 30 << 20}
	released := 0
	look := func(n int, allocated uint64) {
		for range n {
			h.allocs += allocated
			if _, release := g.look(h); release {
				released++
				h.used, h.free = h.live, 0
			}
		}
	}
	look(100, restBytes+1)
	if released != 0 {
		t.Fatal("gave memory back while it was busy")
	}
	look(restAfter-1, 1000)
	if released != 0 {
		t.Fatal("gave memory back at once")
	}
	look(100, 1000)
	if released != 1 {
		t.Fatalf("gave memory back %d times, and then had none to give", released)
	}
}
