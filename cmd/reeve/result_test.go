package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
)

// ended is results of every kind.
func ended() map[reeve.ID]reeve.Result {
	return map[reeve.ID]reeve.Result{
		1: {ID: 1, Queue: "tasks", Type: "square", State: reeve.StateDone, Payload: []byte("144\n"), Attempts: 1, EndedAt: time.Unix(1, 0)},
		2: {ID: 2, State: reeve.StateDone},
		3: {ID: 3, State: reeve.StateDead, Reason: "5 attempts failed", Error: "connection\nrefused", Attempts: 5},
		6: {ID: 6, State: reeve.StateDead, Reason: "2 attempts failed; last: exit code 3: no", Error: "exit code 3: no\nluck"},
		7: {ID: 7, State: reeve.StateDead, Reason: "no mailbox", Error: "no mailbox"},
		8: {ID: 8, State: reeve.StateDead, Reason: "worker lost ×5"},
		4: {ID: 4, State: reeve.StateCancelled},
		9: {ID: 9, State: reeve.StateDone, Payload: []byte{0xa1, 'a', 'n', 12}},
	}
}

func TestResult_WritesTheResultOrSaysWhyThereIsNone(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several(), results: ended()}
	s.wants(t, []string{"result", "1"}, 0, "144\n", "")
	s.wants(t, []string{"result", "2"}, 0, "\n", "")
	s.wants(t, []string{"result", "3"}, 1, "", "reeve: task 0000000000000003 is dead: 5 attempts failed: connection refused\n")
	s.wants(t, []string{"result", "6"}, 1, "", "reeve: task 0000000000000006 is dead: 2 attempts failed: exit code 3: no luck\n")
	s.wants(t, []string{"result", "7"}, 1, "", "reeve: task 0000000000000007 is dead: no mailbox\n")
	s.wants(t, []string{"result", "8"}, 1, "", "reeve: task 0000000000000008 is dead: worker lost ×5\n")
	s.wants(t, []string{"result", "4"}, 1, "", "reeve: task 0000000000000004 is cancelled\n")
	s.wants(t, []string{"result", "5"}, 75, "", `reeve: task 0000000000000005 has not ended yet: "reeve wait 0000000000000005" waits for it, "reeve why 0000000000000005" tells what it waits for`+"\n")
	s.wants(t, []string{"result", "9"}, 0, "\xa1an\x0c\n", "")
}

func TestResult_JSONTellsOfBadEndsToo(t *testing.T) {
	t.Parallel()
	s := &stand{results: ended()}
	for id, want := range map[string]map[string]any{
		"1": {"id": "0000000000000001", "queue": "tasks", "type": "square", "state": "done", "payload": "144\n", "attempts": 1.0},
		"2": {"state": "done", "payload": ""},
		"3": {"state": "dead", "reason": "5 attempts failed", "error": "connection\nrefused", "payload": nil, "attempts": 5.0},
		"9": {"payload_base64": "oWFuDA=="},
	} {
		code, stdout, _ := s.run(t, "", "result", id, "-json")
		var got map[string]any
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || (code == 1) != (id == "3") {
			t.Errorf("%s: exit %d, %v, %s", id, code, err, stdout)
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %s is %v, want %v", id, k, got[k], v)
			}
		}
	}
}

func TestWait_WritesResultsInTheOrderOfTheIDs(t *testing.T) {
	t.Parallel()
	s := &stand{tasks: several(), results: ended()}
	s.wants(t, []string{"wait", "2", "1", "0001"}, 0, "\n144\n144\n", "")
	s.wants(t, []string{"wait", "1", "99", "3", "2"}, 66, "144\n\n", unknown+"reeve: task 0000000000000003 is dead: 5 attempts failed: connection refused\n")
	s.wants(t, []string{"wait", "4", "5", "1", "-timeout", "1ms"}, 1, "144\n",
		"reeve: task 0000000000000004 is cancelled\nreeve: task 0000000000000005 has not ended within 1ms\n")
	s.wants(t, []string{"wait", "5", "-timeout", "1ms"}, 75, "", "reeve: task 0000000000000005 has not ended within 1ms\n")
	code, stdout, _ := s.run(t, "", "wait", "3", "1", "-json")
	if lines := strings.Split(stdout, "\n"); code != 1 || len(lines) != 3 || !strings.HasPrefix(lines[0], `{"id":"0000000000000003"`) || !strings.HasPrefix(lines[1], `{"id":"0000000000000001"`) {
		t.Errorf("exit %d, %s", code, stdout)
	}
}
