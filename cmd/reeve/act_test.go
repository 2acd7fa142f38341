package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
)

func TestCancel_EndsTasksByIDOrByFilter(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several(), n: 3}
	s.wants(t, []string{"cancel", "5", "0000000000000008", "-reason", "why not"}, 0, "2 tasks cancelled\n", "")
	s.asks(t, `cancel 5 "why not"`, `cancel 8 "why not"`)
	s.wants(t, []string{"cancel", "99", "5"}, 66, "1 task cancelled\n", unknown)
	s.asks(t, `cancel 5 ""`)
	s.wants(t, []string{"cancel", "tasks", "-key", "k", "-state", "leased", "-json"}, 0, `{"count":3}`+"\n", "")
	s.asks(t, `cancel tasks {states=[leased] key=k} ""`)
	s.wants(t, []string{"cancel", "dead", "-all"}, 0, "3 tasks cancelled\n", "")
	s.asks(t, `cancel dead {} ""`)
}

func TestRevive_TakesDeadLettersOnly(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several(), n: 1}
	s.wants(t, []string{"revive", "8"}, 0, "1 task revived\n", "")
	s.asks(t, "revive tasks {ids=[8]}")
	s.wants(t, []string{"revive", "5", "7"}, 75, "",
		"reeve: task 0000000000000005 is ready: only dead letters can be revived\nreeve: task 0000000000000007 is leased: only dead letters can be revived\n")
	s.asks(t)
	s.n = 0
	s.wants(t, []string{"revive", "tasks", "-type", "a", "-type", ""}, 0, "0 tasks revived\n", "")
	s.asks(t, `revive tasks {types=["a" ""]}`)
}

func TestPurge_NeverTakesEverythingUnasked(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several(), n: 1}
	for _, args := range []string{"purge tasks", "cancel tasks", "revive tasks"} {
		code, _, stderr := s.run(t, "", strings.Fields(args)...)
		if code != 2 || !strings.Contains(stderr, `"tasks" is no task id (up to 16 hexadecimal digits, not zero); for the tasks of a queue of that name, give a filter or -all too`) {
			t.Errorf("%s: exit %d, %s", args, code, stderr)
		}
	}
	// A queue whose name reads like an id is not taken for one.
	s.wants(t, []string{"purge", "dead"}, 66, "", strings.ReplaceAll(unknown, "0099", "dead"))
	s.asks(t)
	s.wants(t, []string{"purge", "tasks", "-all"}, 0, "1 task purged\n", "")
	s.wants(t, []string{"purge", "tasks", "-state", "ready,delayed", "-older-than", "72h"}, 0, "1 task purged\n", "")
	s.wants(t, []string{"purge", "5", "8"}, 0, "2 tasks purged\n", "")
	s.asks(t, "purge tasks {}", "purge tasks {states=[ready delayed] before=72h0m0s}",
		"purge tasks {ids=[5] states=[ready delayed dead]}", "purge tasks {ids=[8] states=[ready delayed dead]}")
	s.wants(t, []string{"purge", "7"}, 75, "", `reeve: task 0000000000000007 is leased: a task that runs is not purged, "reeve cancel" ends it`+"\n")
	s.n = 0 // it was handed over meanwhile
	s.wants(t, []string{"purge", "5"}, 75, "", `reeve: task 0000000000000005 is leased: a task that runs is not purged, "reeve cancel" ends it`+"\n")
}

func TestMove_TellsHowManyEvenWhenTheOtherQueueIsFull(t *testing.T) {
	t.Parallel()
	s := &stand{n: 3}
	s.wants(t, []string{"move", "a", "b", "-all"}, 0, "3 tasks moved\n", "")
	s.wants(t, []string{"move", "a", "b", "-id", "7,8", "-json"}, 0, `{"count":3}`+"\n", "")
	s.asks(t, "move a b {}", "move a b {ids=[7 8]}")
	s.err = fmt.Errorf("%w: b", reeve.ErrQueueFull)
	s.wants(t, []string{"move", "a", "b", "-state", "dead"}, 75, "3 tasks moved\n", "reeve: queue is full: b\n")
	s.n, s.err = 0, &reeve.NoSuchQueueError{Name: "b", Known: []string{"a"}}
	s.wants(t, []string{"move", "a", "b", "-state", "dead"}, 78, "", "reeve: no such queue: \"b\"; the master has: a\n")
}

func TestPauseAndResume_SayWhatTheQueueIsThen(t *testing.T) {
	t.Parallel()
	s := &stand{}
	s.wants(t, []string{"pause", "tasks", "-reason", "moving the disk"}, 0, "queue tasks is paused\n", "")
	s.wants(t, []string{"resume", "tasks"}, 0, "queue tasks is not paused\n", "")
	s.wants(t, []string{"pause", "tasks", "-json"}, 0, `{"queue":"tasks","paused":true}`+"\n", "")
	s.wants(t, []string{"resume", "tasks", "-json"}, 0, `{"queue":"tasks","paused":false}`+"\n", "")
	s.asks(t, `pause tasks "moving the disk"`, "resume tasks", `pause tasks ""`, "resume tasks")
	s.err = &reeve.NoSuchQueueError{Name: "tasks"}
	s.wants(t, []string{"pause", "tasks"}, 78, "", "reeve: no such queue: \"tasks\"; the master has none\n")
}

func TestDeclareAndDelete_SayWhatTheQueueIsNow(t *testing.T) {
	t.Parallel()
	s := &stand{}
	s.wants(t, []string{"declare", "tasks,max-len=5,idle-ttl=1h"}, 0, "queue tasks is declared\n", "")
	s.wants(t, []string{"declare", "other", "-json"}, 0, `{"queue":"other","is":"declared"}`+"\n", "")
	s.wants(t, []string{"delete", "tasks"}, 0, "queue tasks is deleted\n", "")
	s.wants(t, []string{"delete", "other", "-force", "-json"}, 0, `{"queue":"other","is":"deleted"}`+"\n", "")
	s.asks(t, "declare tasks 5 1h0m0s 1s", "declare other 0 0s 1s", "delete tasks false", "delete other true")
	s.err = fmt.Errorf("%w: tasks", reeve.ErrQueueExists)
	s.wants(t, []string{"declare", "tasks"}, 78, "", "reeve: queue exists with another configuration: tasks\n")
	s.err = fmt.Errorf("%w: tasks", reeve.ErrNotEmpty)
	s.wants(t, []string{"delete", "tasks"}, 75, "", "reeve: queue has tasks: tasks (-force deletes it with them)\n")
	s.err = &reeve.NoSuchQueueError{Name: "tasks"}
	s.wants(t, []string{"delete", "tasks"}, 78, "", "reeve: no such queue: \"tasks\"; the master has none\n")
}
