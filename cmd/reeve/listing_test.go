package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
)

func TestPeek_ShowsWhatIsNextInATable(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several()}
	s.wants(t, []string{"peek", "tasks"}, 0, `
ID                STATE    TYPE    PRIORITY  ATTEMPT  AGE     NOTE                                PAYLOAD
0000000000000005  ready    square  -3        0        12d04h  -                                   square 12
0000000000000006  delayed  -       0         0        12d04h  due in 12d04h key customer-7        {"n":12}
0000000000000007  leased   -       0         2        12d04h  with w@host:77#3 for 12d04h 42.5 %  a b
0000000000000008  dead     -       0         5        12d04h  5 attempts failed                   0xff0001
`[1:], "")
	s.asks(t, "peek tasks 20 payload 80")
}

func TestPeek_WithAFilterListsPageByPage(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several()}
	code, stdout, stderr := s.run(t, "", "peek", "tasks", "-all", "-payload", "3")
	if code != 0 || strings.Count(stdout, "\n") != 5 || !strings.Contains(stdout, "  squ…\n") || stderr != "" {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	s.asks(t, "list tasks {} after 0 max 512 payload 3", "list tasks {} after 4 max 512 payload 3", "list tasks {} after 6 max 512 payload 3")

	code, stdout, stderr = s.run(t, "", "peek", "tasks", "-n", "3", "-older-than", "1h")
	if code != 0 || strings.Count(stdout, "\n") != 4 || stderr != "reeve: there may be more: -after 0000000000000007 shows them, -all shows everything\n" {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	s.asks(t, "list tasks {before=1h0m0s} after 0 max 3 payload 80", "list tasks {before=1h0m0s} after 4 max 3 payload 80", "list tasks {before=1h0m0s} after 6 max 1 payload 80")

	code, stdout, _ = s.run(t, "", "peek", "tasks", "-after", "7", "-state", "dead,leased", "-state", "ready", "-type", "", "-type", "a",
		"-key", "k", "-unique", "u", "-error", "refused", "-id", "8,7")
	if code != 0 || strings.Count(stdout, "\n") != 2 {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	s.asks(t, `list tasks {ids=[8 7] states=[dead leased ready] types=["" "a"] key=k unique=u error=refused} after 7 max 20 payload 80`)
}

func TestPeek_JSONIsALineForEachTask(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several()}
	_, stdout, _ := s.run(t, "", "peek", "tasks", "-json", "-all", "-payload", "4")
	var got []map[string]any
	for line := range strings.Lines(stdout) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if len(got) != 4 {
		t.Fatalf("%d lines:\n%s", len(got), stdout)
	}
	for i, want := range []map[string]any{
		{"id": "0000000000000005", "state": "ready", "type": "square", "priority": -3.0, "payload": "squa", "payload_cut": true, "size": 9.0, "queue": "tasks", "attempt": 0.0},
		{"state": "delayed", "key": "customer-7", "payload_base64": "oWFuDA=="},
		{"state": "leased", "worker": "w@host:77#3", "attempt": 2.0, "payload": "a\nb"},
		{"state": "dead", "reason": "5 attempts failed", "error": "connection\nrefused\x1b[31m", "payload_base64": "/wAB"},
	} {
		for k, v := range want {
			if got[i][k] != v {
				t.Errorf("task %d: %s is %v, want %v", i, k, got[i][k], v)
			}
		}
	}
	if got[1]["payload_cbor"].(map[string]any)["n"] != 12.0 || got[2]["progress"].(map[string]any)["percent"] != 42.49 || got[1]["payload_cut"] != nil {
		t.Errorf("%s", stdout)
	}
	if got[0]["due"] != nil || got[0]["history"] != nil || got[1]["due"] == nil || got[3]["counts"].(map[string]any)["failed"] != 5.0 {
		t.Errorf("%s", stdout)
	}
}

func TestDead_ListsDeadLettersWithWhatKilledThem(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several()}
	s.wants(t, []string{"dead", "tasks", "-error", "refused"}, 0, `
ID                TYPE  DIED    ATTEMPTS  REASON             ERROR                    PAYLOAD
0000000000000008  -     12d04h  5         5 attempts failed  connection refused?[31m  0xff0001
`[1:], "")
	s.asks(t, "list tasks {states=[dead] error=refused} after 0 max 20 payload 80", "list tasks {states=[dead] error=refused} after 4 max 20 payload 80")
	if _, stdout, _ := s.run(t, "", "dead", "tasks", "-json"); !strings.HasPrefix(stdout, `{"id":"0000000000000008","queue":"tasks","state":"dead"`) || strings.Count(stdout, "\n") != 1 {
		t.Errorf("%s", stdout)
	}
}

func TestLs_ShowsQueuesAndTheirStates(t *testing.T) {
	t.Parallel()
	s := &stand{
		stats: []reeve.QueueStats{
			{Name: "tasks", Ready: 3, Delayed: 1, Leased: 2, Dead: 4, OldestReady: long, Consumers: 1, MaxLen: 4, MaxBytes: -1, Closed: true},
			{Name: "a", MaxBytes: 100, Paused: true, PauseReason: "moving\nthe disk"},
			{
				Name: "b", MaxBytes: 1 << 20, Bytes: 123456, Shutdown: true, Blocked: 7, FreeSlots: 8, Put: 9, Done: 10, Failed: 11, TimedOut: 1, Lost: 12, Results: 13,
				Wait: reeve.Histogram{Counts: []uint64{1, 1, 97, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, Run: reeve.Histogram{Counts: append(make([]uint64, 24), 1)},
			},
		},
		types: []reeve.TypeStats{{Type: "square", Ready: 2, Leased: 1, Takers: 1}, {Ready: 1, Delayed: 1, Dead: 4}},
	}
	s.wants(t, []string{"ls"}, 0, `
NAME   READY  LEASED  DELAYED  DEAD  OLDEST     WORKERS  STATE
a      0      0       0        0     -          0        paused: moving the disk
b      0      0       0        0     -          0        shut down
tasks  3      2       1        4     292h30m0s  1        closed, full
`[1:], "")
	s.wants(t, []string{"ls", "tasks"}, 0, `
NAME   READY  LEASED  DELAYED  DEAD  OLDEST     WORKERS  STATE
tasks  3      2       1        4     292h30m0s  1        closed, full

TYPE    READY  LEASED  DELAYED  DEAD  TAKERS
square  2      1       0        0     1
-       1      0       1        4     0
`[1:], "")
	s.asks(t, "types of tasks")
	_, stdout, _ := s.run(t, "", "ls", "-l")
	rows := strings.Split(stdout, "\n")
	if strings.Join(strings.Fields(rows[0]), " ") != "NAME READY LEASED DELAYED DEAD OLDEST WORKERS BLOCKED FREE PUT DONE FAILED LOST SIZE RESULTS WAIT RUN STATE" ||
		strings.Join(strings.Fields(rows[2]), " ") != "b 0 0 0 0 - 0 7 8 9 10 12 12 121KiB 13 4µs / 4µs 16.8s / 16.8s shut down" {
		t.Errorf("%s", stdout)
	}
	s.wants(t, []string{"ls", "nosuch"}, 78, "", "reeve: no such queue: \"nosuch\"; the master has: tasks\n")

	_, stdout, _ = s.run(t, "", "ls", "tasks", "-json")
	var one struct {
		Queue struct {
			Name   string
			Closed bool
		}
		Types []struct {
			Type   string
			Takers int
		}
	}
	if err := json.Unmarshal([]byte(stdout), &one); err != nil || one.Queue.Name != "tasks" || !one.Queue.Closed || len(one.Types) != 2 || one.Types[0].Takers != 1 {
		t.Errorf("%v, %s", err, stdout)
	}
	(&stand{}).wants(t, []string{"ls", "-json"}, 0, "[]\n", "")
}
