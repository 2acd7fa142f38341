package main

import (
	"slices"
	"testing"

	"github.com/reeveq/reeve/internal/queue"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/file"
)

// TestNameQueues_OfOneNameTheLastKeepsIt salvages a journal that has lost the
// records that queues were deleted: a master would refuse it.
func TestNameQueues_OfOneNameTheLastKeepsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, err := file.Open(dir, file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Replay(t.Context(), func(journal.Pos, []byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	frame := record.AppendHead(nil, record.Head{Time: 1})
	for no := range uint32(3) { // the first has a task
		frame = record.AppendQueue(frame, &record.Queue{No: no + 1, Name: "tasks", Config: []byte("{}")})
	}
	frame = record.AppendPut(frame, &record.Put{Queue: 1, ID: 7})
	frame = record.AppendPut(frame, &record.Put{Queue: 3, ID: 8})
	if err := j.Append(t.Context(), 1, frame, journal.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	named, err := nameQueues(t.Context(), dir)
	if err != nil || len(named) != 1 || named[0].Name != "salvaged-1" || named[0].Live != 1 {
		t.Fatalf("%+v, %v", named, err)
	}
	if j, err = file.Open(dir, file.Options{}); err != nil {
		t.Fatal(err)
	}
	e, err := queue.Open(t.Context(), queue.Config{Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	names := e.Names()
	slices.Sort(names)
	if !slices.Equal(names, []string{"salvaged-1", "tasks"}) {
		t.Errorf("queues %q", names)
	}
	for _, s := range e.Stats() {
		if s.Ready != 1 {
			t.Errorf("%s has %d tasks", s.Name, s.Ready)
		}
	}
}
