package main

import (
	"strings"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/journal/journaltest"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/managertest"
)

func TestReal_APutToAFullDiskSaysWhatGoesOn(t *testing.T) {
	t.Parallel()
	j := journaltest.NewMemory(journaltest.MemoryConfig{TB: t})
	s := &site{t: t, m: managertest.Start(t, manager.Config{Journal: j})}
	s.m.Declare(t, "tasks", reeve.QueueConfig{})
	s.put("tasks", "before")
	j.SetSpace(journaltest.ReserveOnly)
	_, stderr := s.run(75, "", "put", "tasks", "x")
	if want := "reeve: no space is left for the master's journal: workers go on, and puts work again as soon as there is space on its disk\n"; !strings.Contains(stderr, want) {
		t.Errorf("said %q", stderr)
	}
	if err := s.take("tasks").Ack(t.Context()); err != nil {
		t.Error(err)
	}
	j.SetSpace(journaltest.Enough)
}
