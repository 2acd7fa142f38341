package main

import (
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
)

// TestTally_ADeletedQueueHasNothing counts a queue that was deleted, one of whose
// tasks is in another, and one that has its number after it.
func TestTally_ADeletedQueueHasNothing(t *testing.T) {
	t.Parallel()
	frame := record.AppendHead(nil, record.Head{Time: 1})
	frame = record.AppendQueue(frame, &record.Queue{No: 1, Name: "gone"})
	frame = record.AppendQueue(frame, &record.Queue{No: 2, Name: "stays"})
	for id := range 3 {
		frame = record.AppendPut(frame, &record.Put{Queue: 1, ID: reeve.ID(20 + id)})
	}
	frame = record.AppendPut(frame, &record.Put{Queue: 1, ID: 11})
	frame = record.AppendMove(frame, &record.Move{Queue: 1, To: 2, ID: 11})
	frame = record.AppendDelete(frame, &record.Delete{Queue: 1})
	tally := newTally()
	if err := tally.frame(1, frame); err != nil {
		t.Fatal(err)
	}
	if len(tally.order) != 1 || tally.order[0].name != "stays" || tally.order[0].live != 1 || len(tally.tasks) != 1 {
		t.Errorf("%d queues, %d tasks: %+v", len(tally.order), len(tally.tasks), tally.order[0])
	}
	frame = record.AppendHead(nil, record.Head{Time: 2})
	frame = record.AppendQueue(frame, &record.Queue{No: 1, Name: "next"})
	frame = record.AppendPut(frame, &record.Put{Queue: 1, ID: 12})
	if err := tally.frame(2, frame); err != nil {
		t.Fatal(err)
	}
	if q := tally.queue(1); q.name != "next" || q.live != 1 || q.put != 1 || len(tally.order) != 2 {
		t.Errorf("%+v", q)
	}
}
