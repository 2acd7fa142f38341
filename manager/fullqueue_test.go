package manager_test

import (
	"sync"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
)

func TestFullQueue_HoldsUpNoOther(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		full := m.Declare(t, "full", reeve.QueueConfig{MaxLen: 1})
		m.Declare(t, "other", reeve.QueueConfig{})
		c, another := m.Dial(t), m.Dial(t)
		const waiting = 200
		var puts sync.WaitGroup
		for range 1 + waiting {
			puts.Go(func() { putOne(t, c.Queue("full"), "x") }) // waited for below
		}
		settle()
		if s := statsOf(t, full); s.Ready != 1 || s.WaitingPuts != waiting {
			t.Fatalf("%d ready, %d Puts waiting", s.Ready, s.WaitingPuts)
		}
		begin := time.Now()
		for _, q := range []reeve.Queue{c.Queue("other"), another.Queue("other")} {
			for range 20 {
				putOne(t, q, "y")
				if err := get(t, q).Ack(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		soon(t, begin, 0, "the work on the other queue")
		for range 1 + waiting { // and all who wait are let in
			if err := get(t, another.Queue("full")).Ack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		puts.Wait()
	})
}
