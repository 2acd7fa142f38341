package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clipperhouse/displaywidth"
	"github.com/reeveq/reeve"
)

// screenText is what render shows, without the blanks at the ends of lines.
func screenText(m *topModel, width, height int, now time.Time) string {
	var b strings.Builder
	for _, line := range m.render(width, height, now) {
		var l strings.Builder
		for _, p := range line {
			l.WriteString(p.text)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return b.String()
}

// modelAt is a model that looked at a master twice, two seconds apart.
func modelAt(first, second []reeve.QueueStats, workers []reeve.WorkerInfo) *topModel {
	m := newTopModel("host:5000", 2*time.Second)
	m.take(topSample{at: noon, queues: first, workers: workers})
	m.take(topSample{at: noon.Add(2 * time.Second), queues: second, workers: workers})
	return m
}

func twoLooks() (first, second []reeve.QueueStats) {
	first = []reeve.QueueStats{{Name: "tasks", Put: 100, Done: 50, Failed: 1}, {Name: "other"}}
	second = []reeve.QueueStats{
		{Name: "tasks", Ready: 123456, Delayed: 5, Leased: 7, Dead: 1, Blocked: 2, OldestReady: 90 * time.Second, Consumers: 3,
			Put: 125, Done: 53, Failed: 2, TimedOut: 1, Lost: 2, Paused: true, PauseReason: "up\x1bgrade"},
		{Name: "other", Ready: 4, MaxLen: 4, Closed: true},
	}
	return first, second
}

func TestTop_ShowsQueuesAndWorkers(t *testing.T) {
	t.Parallel()
	first, second := twoLooks()
	got := screenText(modelAt(first, second, crew()), 130, 14, noon.Add(3*time.Second))
	want := `reeve top  host:5000  12:00:03  every 2s  2 queues, 2 workers, 5 of 7 slots in use
123k ready, 5 delayed, 7 leased, 1 dead; put 12/s, done 1.5/s, failed 2.0/s

> 2 queues
QUEUE↑     READY   DELAYED   LEASED    DEAD   BLOCKED   PUT/S   DONE/S   FAIL/S   OLDEST   TAKERS  STATE
other          4         0        0       0         0       0        0        0        -        0  closed, full
tasks       123k         5        7       1         2      12      1.5      2.0    1m30s        3  paused: up?grade

2 workers
   ID  NAME↑     HOST:PID       SLOTS   LEASED   OLDEST   HEARD  QUEUES    VERSION
   18  e?[2Jvil  10.0.0.8:1       0/1        0        -    0.0s  high      -
   17  resizer   big:4711         5/6        5    1m30s    1.5s  high,low  worker 1.2

q end  ←→ sort  r reverse  Tab other table  ↑↓ move
`
	if got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTop_RatesAreUnknownUntilThereAreTwoLooksAtTheSameCounters(t *testing.T) {
	t.Parallel()
	q := func(put, done uint64) []reeve.QueueStats {
		return []reeve.QueueStats{{Name: "q", Put: put, Done: done}}
	}
	m := newTopModel("h:1", time.Second)
	for i, step := range []struct {
		after     time.Duration
		put, done uint64
		want      string
	}{
		{0, 10, 5, "put -/s, done -/s"},
		{time.Second, 20, 5, "put 10/s, done 0/s"},
		{10 * time.Second, 30, 6, "put 1.0/s, done 0.1/s"},
		{time.Second, 4, 2, "put -/s, done -/s"}, // another master
		{time.Second, 5, 1, "put -/s, done -/s"},
		{0, 50, 10, "put -/s, done -/s"},
		{time.Second, 250_050, 11, "put 250k/s, done 1.0/s"},
	} {
		m.take(topSample{at: m.at.Add(step.after), queues: q(step.put, step.done)})
		if got := screenText(m, 100, 20, m.at); !strings.Contains(got, step.want) {
			t.Errorf("look %d: no %q in\n%s", i, step.want, got)
		}
	}
	// A queue that is new has no rate, and does not hide that of the others.
	m.take(topSample{at: m.at.Add(time.Second), queues: append(q(250_060, 11), reeve.QueueStats{Name: "new", Put: 1000})})
	if m.total.put != 10 || m.queues.rows[0].put != -1 || m.queues.rows[1].put != 10 {
		t.Errorf("total %v, rows %+v", m.total.put, m.queues.rows)
	}
}

func TestTop_SortsByEveryColumnBothWaysAround(t *testing.T) {
	t.Parallel()
	first, second := twoLooks()
	m := modelAt(first, second, crew())
	for _, c := range queueColumns {
		for _, turned := range []bool{false, true} {
			m.queues.sortBy(c.name, turned)
			a, b := m.queues.rows[0], m.queues.rows[1]
			if n := c.compare(&a, &b); n > 0 && c.falling == turned || n < 0 && c.falling != turned {
				t.Errorf("%s, turned %v: %s before %s", c.name, turned, a.Name, b.Name)
			}
		}
	}
	m.queues.sortBy("ready", false)
	if m.queues.rows[0].Name != "tasks" {
		t.Error("the queue with most ready tasks is not the first")
	}
	m.act(actReverse)
	if m.queues.rows[0].Name != "other" {
		t.Error("the order was not turned around")
	}
	m.act(actLeft)
	m.act(actLeft)
	if c := queueColumns[m.queues.sorted].name; c != "state" || m.queues.turned {
		t.Errorf("sorted by %s, turned %v", c, m.queues.turned)
	}
	m.act(actRight)
	m.act(actOther)
	for range workerColumns {
		m.act(actRight)
		m.act(actReverse)
	}
	if m.queues.sorted != 0 || m.workers.sorted != workerByDefault || !m.workers.turned {
		t.Errorf("queues by %d, workers by %d", m.queues.sorted, m.workers.sorted)
	}
}

func TestTop_ScrollsToTheEndsAndNotBeyond(t *testing.T) {
	t.Parallel()
	var qs []reeve.QueueStats
	for i := range 100 {
		qs = append(qs, reeve.QueueStats{Name: fmt.Sprintf("q%02d", i)})
	}
	m := modelAt(qs, qs, nil)
	for _, step := range []struct {
		do   topAction
		want string
	}{
		{actNone, "1 to 9"}, {actUp, "1 to 9"}, {actDown, "2 to 10"}, {actPageDown, "11 to 19"}, {actEnd, "92 to 100"},
		{actDown, "92 to 100"}, {actPageUp, "83 to 91"}, {actHome, "1 to 9"},
	} {
		m.act(step.do)
		got := screenText(m, 80, 18, noon)
		if !strings.Contains(got, "> queues "+step.want+" of 100\n") || strings.Count(got, "\n") != 18 {
			t.Fatalf("no %q in\n%s", step.want, got)
		}
	}
	m.act(actEnd)
	m.take(topSample{at: noon.Add(time.Hour), queues: qs[:3]})
	if got := screenText(m, 80, 18, noon); !strings.Contains(got, "> 3 queues\n") || !strings.Contains(got, "\nq02") {
		t.Errorf("after most queues have gone\n%s", got)
	}
}

func TestTop_FitsIntoEveryWindow(t *testing.T) {
	t.Parallel()
	first, second := twoLooks()
	first[0].Name, second[0].Name = "漢字の長い列名"+strings.Repeat("x", 60), "漢字の長い列名"+strings.Repeat("x", 60)
	m := modelAt(first, second, crew())
	m.take(topSample{err: errors.New(strings.Repeat("e", 300))})
	for width := 0; width < 160; width += 3 {
		for height := range 30 {
			m.second = height%2 == 0
			lines := m.render(width, height, noon)
			if len(lines) > height {
				t.Fatalf("%d lines in %d", len(lines), height)
			}
			for _, l := range lines {
				sum := 0
				for _, p := range l {
					if got := displaywidth.String(p.text); got != p.width {
						t.Fatalf("%q takes %d cells and says %d", p.text, got, p.width)
					}
					sum += p.width
				}
				if sum > width {
					t.Fatalf("a line of %d cells in %d: %v", sum, width, l)
				}
			}
		}
	}
	// The columns that matter most stay.
	if got := screenText(m, 44, 20, noon); !strings.Contains(got, "READY   LEASED    DEAD") || strings.Contains(got, "TAKERS") {
		t.Errorf("at 44 cells\n%s", got)
	}
	if got := screenText(m, 10, 3, noon); got != "the windo…\n" {
		t.Errorf("%q", got)
	}
}

func TestTop_SaysWhenTheNumbersAreOld(t *testing.T) {
	t.Parallel()
	first, second := twoLooks()
	m := modelAt(first, second, crew())
	at := m.at
	for after, want := range map[time.Duration]string{5 * time.Second: "", 6 * time.Second: "no answer for 6.0s"} {
		if got := screenText(m, 90, 20, at.Add(after)); want == "" && strings.Contains(got, "no answer") || !strings.Contains(got, want) {
			t.Errorf("after %v\n%s", after, got)
		}
	}
	m.take(topSample{err: reeve.ErrDisconnected})
	got := screenText(m, 90, 20, at.Add(7*time.Second))
	if !strings.Contains(got, "no answer for 7.0s: reeve: not connected to the master\n") || !strings.Contains(got, "123k") {
		t.Errorf("what was known is not there any more, or not said to be old\n%s", got)
	}
	m.take(topSample{at: at.Add(8 * time.Second), queues: second, workersErr: reeve.ErrUnsupported})
	if got := screenText(m, 90, 20, at.Add(8*time.Second)); !strings.Contains(got, "nothing is known of the workers: "+reeve.ErrUnsupported.Error()) || !strings.Contains(got, "resizer") {
		t.Errorf("%s", got)
	}
}

func TestTop_WritesNumbersShort(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{
		0: "0", 99_999: "99999", 100_000: "100k", 999_499: "999k", 999_500: "1.0M", 12_345_678: "12.3M", 5e9: "5.0G",
	} {
		if got := short(n); got != want {
			t.Errorf("%v: %q, want %q", n, got, want)
		}
	}
	for r, want := range map[float64]string{-1: "-", 0: "0", 0.04: "0.0", 0.5: "0.5", 9.94: "9.9", 9.96: "10", 1234.4: "1234"} {
		if got := rateText(r); got != want {
			t.Errorf("%v: %q, want %q", r, got, want)
		}
	}
}

func TestTop_NeedsATerminal(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"top":                "the standard output is no terminal; 'reeve ls -json'",
		"top tasks":          `unexpected argument "tasks"`,
		"top -interval 10ms": "100ms",
		"top -sort biggest":  "-sort",
	} {
		if code, stdout, stderr := (&staged{}).run(t.Context(), t, strings.Fields(args)...); code != 2 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
	if code, _, stderr := (&staged{term: "dumb"}).run(t.Context(), t, "top"); code != 2 || !strings.Contains(stderr, "(TERM=dumb)") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

func TestHeldOutput_ComesAfterwards(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	h := &heldOutput{w: &b}
	fmt.Fprint(h, "a")
	h.hold()
	fmt.Fprint(h, "b")
	if b.String() != "a" {
		t.Fatalf("%q", b.String())
	}
	fmt.Fprint(h, strings.Repeat("x", maxHeld))
	h.release()
	fmt.Fprint(h, "c")
	if want := fmt.Sprintf("abreeve: %d more bytes of the log were left out\nc", maxHeld); b.String() != want {
		t.Errorf("%q", b.String())
	}
}
