package cmd_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestReeve_PutsLinesAndArgumentsAndGetsThemBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master()
	at := s.with("REEVE_CONNECT=" + addr)
	at.run("one\r\ntwo\n\nfour", "reeve", "put", "tasks").wants(0)
	at.run("", "reeve", "put", "tasks", "help", "-type", "demo", "--", "-six", "two words").wants(0)
	want := "one\ntwo\n\nfour\nhelp\n-six\ntwo words\n"
	for range 2 { // looking changes nothing
		got := at.run("", "reeve", "get", "tasks", "-n", "100")
		if got.wants(0); got.stdout.String() != want {
			t.Fatalf("got %q", got.stdout.String())
		}
	}
	got := at.run("", "reeve", "get", "-n", "5", "-ack", "tasks", "-json")
	got.wants(0)
	lines := strings.Split(strings.TrimSpace(got.stdout.String()), "\n")
	var last struct {
		ID      string
		Type    string
		Attempt int
		Payload string
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || len(lines) != 5 || last.Payload != "help" || last.Type != "demo" || len(last.ID) != 16 || last.Attempt < 1 {
		t.Fatalf("%v, %+v, %q", err, last, lines)
	}
	if got := at.run("", "reeve", "get", "tasks", "-n", "9", "-ack"); got.stdout.String() != "-six\ntwo words\n" {
		t.Errorf("got %q", got.stdout.String())
	}
	if got := at.run("", "reeve", "get", "tasks"); got.exit() != 0 || got.stdout.String() != "" {
		t.Errorf("an empty queue gave %q", got.stdout.String())
	}
}

func TestReeve_PutsMoreThanABatchAndTellsTheIDs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master()
	var in strings.Builder
	for i := range 10000 {
		fmt.Fprintln(&in, i)
	}
	put := s.run(in.String(), "reeve", "put", "tasks", "-json", "-connect", addr)
	put.wants(0)
	if n := strings.Count(put.stdout.String(), `{"id":"`); n != 10000 {
		t.Errorf("%d ids", n)
	}
	got := s.run("", "reeve", "get", "tasks", "-n", "20000", "-ack", "-connect", addr)
	if got.wants(0); got.stdout.String() != in.String() {
		t.Error("what was got is not what was put")
	}
}

func TestReeve_LsShowsTheNumbers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master("-queue", "b,max-len=7", "-queue", "a")
	s.run("", "reeve", "put", "b", "x", "y", "-connect", addr).wants(0)
	s.run("", "reeve", "put", "b", "later", "-delay", "1h", "-connect", addr).wants(0)
	var list []struct {
		Name                                 string
		Ready, Leased, Delayed, Dead, MaxLen int
		OldestReady                          int64 `json:"oldest_ready_ns"`
		Bytes                                int64
		Max                                  int `json:"max_len"`
	}
	js := s.run("", "reeve", "ls", "-json", "-connect", addr)
	js.wants(0)
	if err := json.Unmarshal([]byte(js.stdout.String()), &list); err != nil || len(list) != 2 || list[0].Name != "a" ||
		list[1].Ready != 2 || list[1].Delayed != 1 || list[1].Leased != 0 || list[1].Dead != 0 || list[1].OldestReady <= 0 || list[1].Max != 7 {
		t.Fatalf("%v, %+v", err, list)
	}
	text := s.run("", "reeve", "ls", "-connect", addr).stdout.String()
	rows := strings.Split(strings.TrimSpace(text), "\n")
	if len(rows) != 3 || strings.Join(strings.Fields(rows[0]), " ") != "NAME READY LEASED DELAYED DEAD OLDEST WORKERS STATE" ||
		!strings.HasPrefix(strings.Join(strings.Fields(rows[2]), " "), "b 2 0 1 0 ") {
		t.Errorf("%s", text)
	}
}

func TestReeve_WaitsForResultsAndTellsWhyThereAreNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master()
	at := s.with("REEVE_CONNECT=" + addr)
	put := at.run("", "reeve", "put", "tasks", "square 12", "square 13", "-keep-result", "1h")
	put.wants(0)
	ids := strings.Fields(put.stdout.String())
	why := at.run("", "reeve", "why", ids[0])
	if why.wants(0); !strings.HasPrefix(why.stdout.String(), "no_worker: ") {
		t.Errorf("%s", why.stdout.String())
	}
	wait := s.start("reeve", append([]string{"wait", "-connect", addr}, ids...)...)
	s.worker(addr)
	if wait.wants(0); wait.stdout.String() != "144\n169\n" {
		t.Errorf("%q", wait.stdout.String())
	}
	result := at.run("", "reeve", "result", ids[1])
	if result.wants(0); result.stdout.String() != "169\n" {
		t.Errorf("%q", result.stdout.String())
	}
	later := at.run("", "reeve", "put", "tasks", "square 14", "-delay", "1h", "-keep-result", "1h")
	id := strings.TrimSpace(later.stdout.String())
	at.run("", "reeve", "cancel", id, "-reason", "not needed").wants(0)
	at.run("", "reeve", "wait", id).wants(1, "is cancelled: not needed")
}

func TestReeve_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master("-max-payload", "4KiB", "-queue", "tasks,max-len=2,full=refuse")
	at := s.with("REEVE_CONNECT=" + addr)
	for args, want := range map[string]string{
		"":                       "a command is needed: put, get, ls, peek, show, why, result, wait, cancel, dead, revive, purge, move, pause, resume, declare, delete, workers, ",
		"peep":                   `unknown command "peep"`,
		"put":                    "the name of a queue is needed",
		"get":                    "the name of one queue is needed",
		"get a b":                "the name of one queue is needed",
		"get a -n 0":             "want a whole number from 1",
		"ls tasks more":          `unexpected argument "more"`,
		"put tasks x -delay -1s": "want a time with its unit",
		"ls -jsn":                "unknown flag -jsn (did you mean -json?)",
	} {
		at.run("", "reeve", strings.Fields(args)...).wants(2, want, "-help'")
	}
	at.run("", "reeve", "put", "tasks", strings.Repeat("x", 5000)).wants(65, "\nreeve: too large"[1:], "too large", "5000", "4096")
	at.run("ok\n"+strings.Repeat("x", 5000)+"\n", "reeve", "put", "tasks", "-max-payload", "4KiB").wants(65, "line 2", "-max-payload")
	at.run("", "reeve", "put", "tasks", "a", "b", "c").wants(75, "reeve: after 1 tasks were put: reeve: queue is full", "max-len")
	at.run("", "reeve", "put", "tasks", "c").wants(75, "reeve: queue is full")
}

func TestReeve_GetWaitsWhenAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, addr := s.master()
	s.run("", "reeve", "get", "tasks", "-block", "-max-wait", "50ms", "-connect", addr).wants(0)
	get := s.start("reeve", "get", "tasks", "-n", "2", "-block", "-ack", "-connect", addr)
	s.run("", "reeve", "put", "tasks", "a", "-connect", addr).wants(0)
	s.run("", "reeve", "put", "tasks", "b", "-connect", addr).wants(0)
	if get.wants(0); get.stdout.String() != "a\nb\n" {
		t.Errorf("got %q", get.stdout.String())
	}
}

func TestPrograms_ShowHelpVersionAndCompletions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, example := range map[string]string{"master": "master -addr :5000 -authkey-file reeve.key", "worker": "worker -timeout 1m -- convert", "reeve": "reeve put tasks 'square 12'"} {
		help := s.run("", name, "-help")
		if help.wants(0); !strings.Contains(help.stdout.String(), example) || strings.Contains(help.stdout.String(), "\n  --") {
			t.Errorf("%s", help.stdout.String())
		}
		if v := s.run("", name, "-version"); v.exit() != 0 || !strings.HasPrefix(v.stdout.String(), name+" version ") {
			t.Errorf("%q", v.stdout.String())
		}
		for _, shell := range []string{"bash", "zsh", "fish", "pwsh"} {
			if c := s.run("", name, "completion", shell); c.exit() != 0 || len(c.stdout.String()) < 200 {
				t.Errorf("%s %s: %q", name, shell, c.stdout.String())
			}
		}
	}
	if c := s.run("", "master", "-auth", "--generate-shell-completion"); !strings.Contains(c.stdout.String(), "-authkey-file:") || strings.Contains(c.stdout.String(), "--authkey") {
		t.Errorf("%q", c.stdout.String())
	}
}
