package managertest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/proxy"
	"github.com/reeveq/reeve/shared"
)

// cellOp is a call of a value, or of a key of a map.
type cellOp struct {
	do      string // get, set, add, cas, delete
	key     string
	old, to int
}

// cellOut is what it returned.
type cellOut struct {
	value int
	there bool // of a map: the key was; of a cas: it was done
}

// cell is the state of a key: a value always has one.
type cell struct {
	value int
	there bool
}

// cells is the model of a value, and of a map: each key by itself.
func cells(there bool) porcupine.Model {
	return porcupine.Model{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			byKey := map[string][]porcupine.Operation{}
			for _, o := range all {
				key := o.Input.(cellOp).key
				byKey[key] = append(byKey[key], o)
			}
			var parts [][]porcupine.Operation
			for _, part := range byKey {
				parts = append(parts, part)
			}
			return parts
		},
		Init:              func() any { return cell{there: there} },
		Step:              stepCell,
		DescribeOperation: describe,
	}
}

func stepCell(state, input, output any) (bool, any) {
	s, in := state.(cell), input.(cellOp)
	out, known := output.(cellOut)
	next := s
	var want cellOut
	switch in.do {
	case "get":
		want = cellOut(s)
	case "set":
		next = cell{in.to, true}
	case "add":
		next = cell{s.value + in.to, true}
		want = cellOut{next.value, true}
	case "cas":
		if s.there && s.value == in.old {
			next = cell{in.to, true}
			want.there = true
		}
	case "delete":
		want.there = s.there
		next = cell{}
	}
	return !known || out == want, next
}

func TestLinear_Values(t *testing.T) {
	value := func(durable bool, restarts int) *workload {
		return &workload{
			model: cells(true), durable: durable, restarts: restarts, clients: 3, callers: 2, each: 25,
			declare: func(t *testing.T, o *proxy.Client) func(context.Context, *history, int, *rand.Rand) {
				v, err := shared.NewValue(t.Context(), o, "v", 0, shared.ValueConfig{Durable: durable})
				if err != nil {
					t.Fatal(err)
				}
				return func(ctx context.Context, h *history, client int, rnd *rand.Rand) {
					actOnValue(ctx, t, v, h, client, rnd)
				}
			},
		}
	}
	t.Run("memory", value(false, 0).run)
	t.Run("durable", value(true, 3).run)
}

func actOnValue(ctx context.Context, t *testing.T, v *shared.Value[int], h *history, client int, rnd *rand.Rand) {
	op := cellOp{do: []string{"get", "set", "add", "cas"}[rnd.IntN(4)], old: rnd.IntN(4), to: rnd.IntN(4)}
	h.call(client, op, func() (any, bool) {
		var out cellOut
		var err error
		switch op.do {
		case "get":
			out.value, err = v.Get(ctx)
			out.there = true
		case "set":
			err = v.Set(ctx, op.to)
		case "add":
			out.value, err = v.Add(ctx, op.to)
			out.there = true
		case "cas":
			out.there, err = v.CompareAndSwap(ctx, op.old, op.to)
		}
		return out, knownEnd(t, err)
	})
}

func TestLinear_Maps(t *testing.T) {
	table := func(durable bool, restarts int) *workload {
		return &workload{
			model: cells(false), durable: durable, restarts: restarts, clients: 3, callers: 2, each: 25,
			declare: func(t *testing.T, o *proxy.Client) func(context.Context, *history, int, *rand.Rand) {
				m, err := shared.NewMap[string, int](t.Context(), o, "m", shared.MapConfig{Durable: durable})
				if err != nil {
					t.Fatal(err)
				}
				return func(ctx context.Context, h *history, client int, rnd *rand.Rand) { actOnMap(ctx, t, m, h, client, rnd) }
			},
		}
	}
	t.Run("memory", table(false, 0).run)
	t.Run("durable", table(true, 3).run)
}

func actOnMap(ctx context.Context, t *testing.T, m *shared.Map[string, int], h *history, client int, rnd *rand.Rand) {
	op := cellOp{
		do: []string{"get", "set", "cas", "delete"}[rnd.IntN(4)], key: []string{"a", "b"}[rnd.IntN(2)], old: rnd.IntN(3), to: rnd.IntN(3),
	}
	h.call(client, op, func() (any, bool) {
		var out cellOut
		var err error
		switch op.do {
		case "get":
			out.value, err = m.Get(ctx, op.key)
			out.there = err == nil
		case "set":
			err = m.Set(ctx, op.key, op.to)
		case "cas":
			out.there, err = m.CompareAndSwap(ctx, op.key, op.old, op.to)
		case "delete":
			err = m.Delete(ctx, op.key)
			out.there = err == nil
		}
		return out, knownEnd(t, err, reeve.ErrNoSuchKey)
	})
}

// lockOp is a call of a lock by an owner, or that a hold was lost.
type lockOp struct {
	do    string // acquire, try, release, lost
	owner uint64 // of the hold: its token, which no other has
}

type lockState struct {
	held bool
	by   uint64 // token
	last uint64
}

// lockModel: one holds it at a time, and tokens grow.
var lockModel = porcupine.Model{
	Init: func() any { return lockState{} },
	Step: func(state, input, output any) (bool, any) {
		s, in := state.(lockState), input.(lockOp)
		if in.do == "try" && in.owner == 0 { // it was refused
			return s.held, s
		}
		if in.do == "acquire" || in.do == "try" {
			return !s.held && in.owner > s.last, lockState{true, in.owner, in.owner}
		}
		return s.held && s.by == in.owner, lockState{last: s.last}
	},
	DescribeOperation: describe,
}

func TestLinear_Locks(t *testing.T) {
	(&workload{
		model: lockModel, clients: 3, callers: 2, each: 20,
		declare: func(t *testing.T, o *proxy.Client) func(context.Context, *history, int, *rand.Rand) {
			l, err := shared.NewLock(t.Context(), o, "l", shared.LockConfig{})
			if err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context, h *history, client int, rnd *rand.Rand) {
				actOnLock(ctx, t, l, h, client, rnd)
			}
		},
	}).run(t)
}

// actOnLock acquires, holds for a while, and releases. A hold ends at its Release,
// or, when it was lost, at some moment between its begin and the news of that.
func actOnLock(ctx context.Context, t *testing.T, l *shared.Lock, h *history, client int, rnd *rand.Rand) {
	op := lockOp{do: []string{"acquire", "try"}[rnd.IntN(2)]}
	var hold *shared.Hold
	begin := h.clock.Add(1)
	var err error
	if op.do == "try" {
		hold, err = l.TryAcquire(ctx)
	} else {
		hold, err = l.Acquire(ctx)
	}
	granted := h.clock.Add(1)
	if err != nil {
		if errors.Is(err, reeve.ErrLocked) && op.do == "try" {
			h.add(client, op, begin, granted)
			return
		}
		t.Errorf("%s: %v", op.do, err)
		return
	}
	op.owner = hold.Token()
	h.add(client, op, begin, granted)
	for range rnd.IntN(3) {
		if _, err := l.Locked(ctx); err != nil {
			t.Error(err)
		}
	}
	from := h.clock.Add(1)
	err = hold.Release(ctx)
	over := h.clock.Add(1)
	switch {
	case err == nil:
		h.add(client, lockOp{"release", op.owner}, from, over)
	case errors.Is(err, reeve.ErrLeaseLost):
		h.add(client, lockOp{"lost", op.owner}, granted, over)
	default:
		t.Errorf("release: %v", err)
	}
}

func (h *history) add(client int, op any, begin, end int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: op, Call: begin, Return: end})
}

// bagOp is a put of a number that no other put has, or the end of one's lease.
type bagOp struct {
	do string // put, take
	n  int
}

// bagModel: what was put is taken once. Order is not part of it: what comes back
// from a client that was lost is handed over again.
var bagModel = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		byN := map[int][]porcupine.Operation{}
		for _, o := range all {
			n := o.Input.(bagOp).n
			byN[n] = append(byN[n], o)
		}
		var parts [][]porcupine.Operation
		for _, part := range byN {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return 0 }, // 0: not put yet, 1: there, 2: taken
	Step: func(state, input, output any) (bool, any) {
		s := state.(int)
		if input.(bagOp).do == "put" {
			return s == 0, 1
		}
		return s == 1, 2
	},
	DescribeOperation: describe,
}

func TestLinear_Queues(t *testing.T) {
	var n counter
	w := &workload{
		model: bagModel, durable: true, restarts: 3, clients: 3, callers: 2, each: 25,
		declare: func(t *testing.T, o *proxy.Client) func(context.Context, *history, int, *rand.Rand) {
			if _, err := o.DeclareQueue(t.Context(), "q", reeve.QueueConfig{}); err != nil {
				t.Fatal(err)
			}
			q := proxy.QueueOf[int](o, "q")
			return func(ctx context.Context, h *history, client int, rnd *rand.Rand) {
				if rnd.IntN(2) == 0 {
					op := bagOp{"put", n.next()}
					h.call(client, op, func() (any, bool) {
						_, err := q.Put(ctx, op.n)
						return nil, knownEnd(t, err)
					})
					return
				}
				take(ctx, t, q, h, client)
			}
		},
	}
	w.run(t)
}

// take gets a number and acks it. The take is a call from the Get on, at the end
// of which its lease may have been lost, and the number is there still.
func take(ctx context.Context, t *testing.T, q *reeve.TypedQueue[int], h *history, client int) {
	begin := h.clock.Add(1)
	it, err := q.TryGet(ctx)
	if errors.Is(err, reeve.ErrEmpty) {
		return
	}
	if err != nil {
		t.Errorf("get: %v", err)
		return
	}
	switch err := it.Ack(ctx); {
	case err == nil:
		h.add(client, bagOp{"take", it.Value}, begin, h.clock.Add(1))
	case !errors.Is(err, reeve.ErrLeaseLost) && !errors.Is(err, reeve.ErrOutcomeUnknown):
		t.Errorf("ack: %v", err)
	}
}

type counter struct{ n atomic.Int64 }

func (c *counter) next() int { return int(c.n.Add(1)) }
