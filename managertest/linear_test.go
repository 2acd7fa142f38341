package managertest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/proxy"
)

// What clients see of shared objects is what one after another would see, each
// call at one moment between its begin and its end (Herlihy and Wing, 1990),
// whatever happens to the connections, and to masters with a journal. Calls are
// recorded, and the record is checked by porcupine.

// history records the calls of one test.
type history struct {
	clock atomic.Int64 // counts begins and ends, which orders them as they happened

	mu  sync.Mutex // guards the field below
	ops []porcupine.Operation
}

// call records one call. f returns what it returned, and whether that is known:
// if it is not, the call may have happened, or happen later, or never.
func (h *history) call(client int, in any, f func() (out any, known bool)) {
	begin := h.clock.Add(1)
	out, known := f()
	end := h.clock.Add(1)
	if !known {
		out, end = unknown{}, math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: begin, Output: out, Return: end})
}

// unknown is the output of a call that nobody knows the end of.
type unknown struct{}

func (h *history) check(t *testing.T, seed uint64, model porcupine.Model) {
	t.Helper()
	switch porcupine.CheckOperationsTimeout(model, h.ops, time.Minute) {
	case porcupine.Illegal:
		for _, o := range h.ops {
			t.Log(o.ClientId, o.Call, o.Return, model.DescribeOperation(o.Input, o.Output))
		}
		t.Errorf("-behave.seed=%d: no order of the %d calls explains what they returned", seed, len(h.ops))
	case porcupine.Unknown:
		t.Errorf("-behave.seed=%d: %d calls are too many to be checked in a minute", seed, len(h.ops))
	}
}

// workload has clients call concurrently; act makes one random call of a client.
type workload struct {
	model    porcupine.Model
	durable  bool // it outlives the master
	declare  func(t *testing.T, o *proxy.Client) (act func(ctx context.Context, h *history, client int, rnd *rand.Rand))
	callers  int
	each     int
	clients  int
	restarts int // of 10 faults
}

const linearRounds = 3

func (w *workload) run(t *testing.T) {
	for round := range uint64(linearRounds) {
		seed := *behaveSeed + round
		var cfg manager.Config
		if w.durable {
			cfg.Journal, _ = powerCuts(t)
		}
		managertest.Run(t, func(t *testing.T, m *managertest.Master) { w.round(t, m, seed) }, cfg)
	}
}

func (w *workload) round(t *testing.T, m *managertest.Master, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 11))
	h := &history{}
	var wg sync.WaitGroup
	for c := range w.clients {
		act := w.declare(t, m.Dial(t))
		for k := range w.callers {
			own := rand.New(rand.NewPCG(seed, uint64(100*c+k+100)))
			wg.Go(func() {
				for range w.each {
					act(t.Context(), h, c*w.callers+k, own)
					time.Sleep(time.Duration(own.IntN(3)) * time.Millisecond)
				}
			})
		}
	}
	disturb(t, m, rnd, &wg, w.restarts)
	h.check(t, seed, w.model)
}

// disturb breaks connections until wg is done, and in restarts of ten cases the
// master. Time passes in a bubble only while everybody waits for it, so that
// whatever else begins at that moment is under way when it happens.
func disturb(t *testing.T, m *managertest.Master, rnd *rand.Rand, wg *sync.WaitGroup, restarts int) {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(1+rnd.IntN(10)) * time.Millisecond):
		}
		for range rnd.IntN(400) {
			runtime.Gosched()
		}
		if rnd.IntN(10) < restarts {
			m.Restart(t)
		} else {
			m.Disconnect()
		}
	}
}

// knownEnd reports whether a call is known to have happened, or not, with that error.
func knownEnd(t *testing.T, err error, may ...error) (known bool) {
	t.Helper()
	for _, e := range may {
		if errors.Is(err, e) {
			return true
		}
	}
	if err != nil && !errors.Is(err, reeve.ErrOutcomeUnknown) {
		t.Errorf("a call failed: %v", err)
	}
	return err == nil
}

func describe(in, out any) string { return fmt.Sprintf("%+v → %+v", in, out) }
