package queue_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/journaltest"
)

// written is a journal with one frame of records, which nobody but a salvage, a
// dump that was changed, or damage that the journal does not see would make.
func written(t *testing.T, records ...[]byte) *journaltest.Memory {
	t.Helper()
	j := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	if _, err := j.Replay(t.Context(), func(journal.Pos, []byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	frame := record.AppendHead(nil, record.Head{Time: time.Now().UnixNano()})
	for _, r := range records {
		frame = append(frame, r...)
	}
	if err := j.Append(t.Context(), 1, frame, journal.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
	return j.Crash(journaltest.Kill())
}

func queueRecord(no uint32, name, config string) []byte {
	return record.AppendQueue(nil, &record.Queue{No: no, Name: name, Config: []byte(config)})
}

func taskRecord(id reeve.ID, state record.State) []byte {
	return record.AppendTask(nil, &record.Task{
		Queue: 1, ID: id, Body: record.Body{Payload: []byte("x"), Extra: &record.Extra{Key: "k"}},
		Now: record.Standing{State: state, Client: 1, Attempt: 1, History: []reeve.AttemptRecord{{Attempt: 1, Outcome: "failed"}}},
	})
}

// A salvaged queue has no configuration: it is as one that was declared without.
func TestOpen_WhatAConfigurationDoesNotSayIsAsUsual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := written(t, queueRecord(1, "salvaged-1", "{}"), taskRecord(1, record.Leased), taskRecord(2, record.Ready))
		e, err := queue.Open(t.Context(), queue.Config{Journal: j})
		if err != nil {
			t.Fatal(err)
		}
		q, err := e.Lookup("salvaged-1")
		if err != nil {
			t.Fatal(err)
		}
		usual := reeve.QueueConfig{}.WithDefaults()
		if got := q.Config(); !got.Equal(&usual) {
			t.Errorf("configured as %+v", got)
		}
		if i, err := e.Task(2); err != nil || len(i.History) != 1 {
			t.Errorf("%+v, %v", i, err)
		}
		c := newClient(e)
		c.durably(t, c.put(q, "y"))
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOpen_RefusesQueuesThatCannotBe(t *testing.T) {
	for name, records := range map[string][][]byte{
		"a lease of nothing": {queueRecord(1, "q", `{"Lease":-1}`), taskRecord(1, record.Leased)},
		"no JSON":            {queueRecord(1, "q", `{`)},
		"a zone":             {queueRecord(1, "q", `{"Windows":[{"From":0,"To":60000000000,"Zone":"No/Where"}]}`)},
		"a name":             {queueRecord(1, strings.Repeat("q", 256), "{}")},
		"one name for two":   {queueRecord(1, "q", "{}"), queueRecord(2, "q", "{}")},
		"tasks of no queue":  {taskRecord(1, record.Ready)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, err := queue.Open(t.Context(), queue.Config{Journal: written(t, records...)})
				if !errors.Is(err, journal.ErrCorrupt) {
					t.Errorf("Open: %v, want ErrCorrupt", err)
				}
				if err == nil {
					e.Close()
				}
			})
		})
	}
}

// Numbers that no master writes are taken for what they are.
func TestOpen_SurvivesNumbersThatNobodyWrites(t *testing.T) {
	extremes := []int64{math.MinInt64, -1, 0, 1, math.MaxInt64}
	var records [][]byte
	id := reeve.ID(100)
	for state := record.State(0); state < 9; state++ {
		for _, at := range extremes {
			id++
			records = append(records, record.AppendTask(nil, &record.Task{
				Queue: 1, ID: id,
				Body: record.Body{PutAt: at, Priority: math.MinInt32, Extra: &record.Extra{
					Timeout: at, Attempts: math.MinInt32, Key: "k", Unique: "u", Mode: 99, Claimed: true, UniqueUntil: at,
					Labels: []string{"b", "a", "b"}, Backoff: &reeve.Backoff{Factor: math.NaN(), Base: time.Duration(at)}, ExpireAt: at, Keep: at,
				}},
				Now: record.Standing{
					State: state, Due: at, Order: at, Claimable: true, Turn: true, Claimed: true, Client: math.MaxUint32,
					Until: at, Attempt: math.MaxUint32, ReadyAt: at, DiedAt: at, Append: true,
				},
			}))
			records = append(records,
				record.AppendLease(nil, &record.Lease{Queue: 1, ID: id - 2, Attempt: math.MaxUint32, Client: 5}),
				record.AppendExtend(nil, &record.Extend{Queue: 1, ID: id - 2, Until: at}),
				record.AppendMove(nil, &record.Move{Queue: 1, To: 2, ID: id - 3, Claimed: true}),
				record.AppendMove(nil, &record.Move{Queue: 2, To: 2, ID: id - 3}),
				record.AppendStand(nil, &record.Stand{Queue: 2, ID: id - 3, Now: record.Standing{State: state, Due: at, Order: at}}),
				record.AppendUnique(nil, &record.Unique{Queue: 1, Key: "u", ID: id, Mode: 77, Until: at}),
				record.AppendResult(nil, &record.Result{Queue: 1, ID: id - 1, State: 99, Until: at}),
				record.AppendRequest(nil, &record.Request{Client: 5, Req: uint64(at), Low: math.MaxUint64, Count: math.MaxUint32, First: 1}),
				record.AppendRequest(nil, &record.Request{Client: 5, Req: uint64(at), Count: 9, First: math.MaxUint64}),
			)
		}
	}
	records = append(records,
		record.AppendClient(nil, &record.Client{No: 5, Key: "k"}), record.AppendGone(nil, &record.Gone{Client: 99}),
		record.AppendClient(nil, &record.Client{No: 6, Key: "k"}), // the same twice
		queueRecord(1, "q", `{"DeadFor":1,"Concurrency":2}`), queueRecord(2, "r", `{"Ageing":1000000,"KeyRate":{"Tasks":1}}`),
	)
	synctest.Test(t, func(t *testing.T) {
		j := written(t, records...)
		for range 2 {
			e, err := queue.Open(t.Context(), queue.Config{Journal: j})
			if err != nil {
				t.Fatal(err)
			}
			c := newClient(e)
			for _, name := range e.Names() {
				q, err := e.Lookup(name)
				if err != nil {
					t.Fatal(err)
				}
				c.durably(t, c.put(q, "a"))
				c.getNow(t, q, 10)
				if _, err := q.Revive(&reeve.Filter{}); err != nil {
					t.Error(err)
				}
				q.Stats()
			}
			time.Sleep(time.Hour)
			c.Release(false)
			synctest.Wait()
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			j = j.Crash(journaltest.Kill())
		}
	})
}
