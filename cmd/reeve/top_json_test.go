package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
)

func TestTop_JSONIsALineForEachLookAndNeedsNoTerminal(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	looks := 0
	s := &staged{
		workers: []reeve.WorkerInfo{{ID: 7, Name: "w", Queues: []reeve.WorkerQueue{{Queue: "tasks", Slots: 1}}}},
		queues: func() ([]reeve.QueueStats, error) {
			switch looks++; looks {
			case 2:
				return nil, errors.New("gone")
			case 4:
				cancel() // as Ctrl-C does
			}
			return []reeve.QueueStats{{Name: "tasks", Ready: looks}}, nil
		},
	}
	code, stdout, stderr := s.run(ctx, t, "top", "-json", "-interval", "100ms")
	var got []topLook
	for d := json.NewDecoder(strings.NewReader(stdout)); d.More(); {
		var l topLook
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if l.At.IsZero() {
			t.Error("a look without its time")
		}
		got = append(got, l)
	}
	if code != 0 || stderr != "" || len(got) != 3 || strings.Count(stdout, "\n") != 3 {
		t.Fatalf("exit %d, %q\n%s", code, stderr, stdout)
	}
	if got[0].Queues[0].Ready != 1 || got[0].Workers[0].ID != 7 || got[1].Error != "gone" || got[2].Queues[0].Ready != 3 {
		t.Fatalf("%+v", got)
	}
}
