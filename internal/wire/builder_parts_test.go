package wire_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// What is not copied is written like what is.
func TestBuilder_PartsAreWhatTakeGives(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	var whole, parts wire.Builder
	parts.KeepLarge()
	whole.SetMaxFrame(16 << 20)
	parts.SetMaxFrame(16 << 20)
	for round := range 200 {
		n := 1 + random.IntN(4)
		tasks := make([]reeve.Task, n)
		for i := range tasks {
			size := [...]int{0, 10, 16<<10 - 1, 16 << 10, 70_000, 300_000}[random.IntN(6)]
			tasks[i] = reeve.Task{Payload: bytes.Repeat([]byte{byte(round)}, size), ID: reeve.ID(i + 1), Attempt: 1}
			if random.IntN(2) == 0 {
				tasks[i].Type = "type"
			}
		}
		for _, b := range []*wire.Builder{&whole, &parts} {
			var err error
			switch round % 4 {
			case 0:
				err = b.Put(uint64(round+1), 1, "tasks", 0, tasks)
			case 1:
				err = b.Put(uint64(round+1), 1, "tasks", wire.FlagEach, tasks)
			case 2:
				for i := range tasks {
					if err == nil {
						err = b.Complete(uint64(10*round+i+1), 1, "tasks", "results", reeve.ID(i+1), 1, &tasks[i])
					}
				}
			default:
				for i := range tasks {
					if err == nil {
						err = b.Deliver(0, uint64(round), "tasks", &tasks[i])
					}
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(2) == 0 {
			continue // more of it
		}
		if whole.Large() != parts.Large() {
			t.Fatalf("seed %d, round %d: large %v, %v", seed, round, whole.Large(), parts.Large())
		}
		want := whole.Take()
		list, buf := parts.TakeParts()
		if !bytes.Equal(bytes.Join(list, nil), want) {
			t.Fatalf("seed %d, round %d: what is kept differs", seed, round)
		}
		whole.Reset(want)
		parts.Reset(buf)
	}
}

// A payload is not kept when it is written, however long the Builder has nothing
// more to do.
func TestBuilder_PartsKeepNoPayload(t *testing.T) {
	var b wire.Builder
	b.KeepLarge()
	b.SetMaxFrame(1 << 20)
	gone := make(chan struct{})
	func() {
		payload := make([]byte, 100_000)
		runtime.AddCleanup(&payload[0], func(gone chan struct{}) { close(gone) }, gone)
		if err := b.Put(1, 1, "tasks", 0, []reeve.Task{{Payload: payload}}); err != nil {
			t.Fatal(err)
		}
		list, buf := b.TakeParts()
		for i := range list {
			list[i] = list[i][len(list[i]):] // as who writes it does
		}
		b.Reset(buf)
	}()
	for range 100 {
		runtime.GC()
		select {
		case <-gone:
			runtime.KeepAlive(&b)
			return
		default:
			runtime.Gosched()
		}
	}
	t.Error("the payload is kept")
}
