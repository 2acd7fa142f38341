package queue_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

// smallFrames is a journal each of whose frames has one small task.
type smallFrames struct{ journal.Journal }

func (smallFrames) Read(_ context.Context, p journal.Pos) ([]byte, error) {
	put := record.Put{Queue: 1, ID: reeve.ID(p), Body: record.Body{Payload: make([]byte, 100)}}
	return record.AppendPut(record.AppendHead(nil, record.Head{}), &put), nil
}

// A backlog of tasks that were put one by one is read frame by frame: what is
// kept of that has a bound, and to look there costs the same however much it is.
func TestFrameCache_HoldsSmallFramesInTheMemoryOfLargeOnes(t *testing.T) {
	before := heapBytes()
	c := queue.NewFrameCache()
	for p := journal.Pos(1); p <= 200_000; p++ {
		if payload, err := c.Payload(smallFrames{}, p, reeve.ID(p)); err != nil || len(payload) != 100 {
			t.Fatalf("frame %d: %d bytes, %v", p, len(payload), err)
		}
	}
	if grown := heapBytes() - before; grown > 48<<20 {
		t.Errorf("%d MiB are kept", grown>>20)
	}
	runtime.KeepAlive(c)
}
