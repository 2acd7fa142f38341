package soak

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/reeveq/reeve"
)

// The queues, and what a task is: "producer number" and a filler, all of it
// decided by the seed, so that a result can be checked without keeping tasks.
const (
	tasksQueue   = "tasks"
	resultsQueue = "results"
	largeTask    = 100 << 10 // beyond what goes with others in one frame
)

func rng(seed uint64, producer, number int) *rand.Rand {
	return rand.New(rand.NewPCG(seed^uint64(producer)<<32, uint64(number)))
}

func payload(d *rand.Rand, producer, number int) []byte {
	p := fmt.Appendf(nil, "%d %d ", producer, number)
	switch n := d.IntN(400); {
	case n == 0:
		p = append(p, bytes.Repeat([]byte{'0' + byte(number%10)}, largeTask)...)
	case n < 100:
		p = append(p, bytes.Repeat([]byte{'0' + byte(number%10)}, d.IntN(1000))...)
	}
	return p
}

// newTask is task number of a producer.
func newTask(seed uint64, producer, number int) reeve.Task {
	d := rng(seed, producer, number)
	t := reeve.Task{Payload: payload(d, producer, number), Priority: int32(d.IntN(3))}
	switch d.IntN(16) {
	case 0:
		t.Delay = time.Duration(d.IntN(500)) * time.Millisecond
	case 1, 2:
		t.Rules = &reeve.Rules{Key: fmt.Sprint("key ", d.IntN(64))}
	}
	return t
}

// result is what becomes of a payload.
func result(payload []byte) []byte {
	h := fnv.New64a()
	_, _ = h.Write(payload) // never fails
	head, _, _ := bytes.Cut(payload, []byte(" "))
	number, _, _ := bytes.Cut(payload[min(len(head)+1, len(payload)):], []byte(" "))
	return fmt.Appendf(nil, "%s %s %x", head, number, h.Sum64())
}

// readResult tells whose result b is, and whether it is the right one.
func readResult(seed uint64, b []byte) (producer, number int, right bool) {
	if _, err := fmt.Sscan(string(b), &producer, &number); err != nil || producer < 0 || number < 0 {
		return 0, 0, false
	}
	want := result(payload(rng(seed, producer, number), producer, number))
	return producer, number, bytes.Equal(b, want)
}
