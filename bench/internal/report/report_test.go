package report_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/reeveq/reeve/bench/internal/report"
	"github.com/reeveq/reeve/bench/internal/system"
)

var update = flag.Bool("update", false, "write what is compared anew, to testdata")

// run is a made-up run. In it a peer is ahead in the main figure of one workload
// and, within the spread, in another figure of another.
func run() *report.Run {
	r := &report.Run{
		Time:    time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
		Command: "go run . -workloads all -repeat 3",
		Machine: report.Machine{CPU: "Abacus 9000", Cores: 2, Memory: 16 << 30, OS: "Debian GNU/Linux 13 (trixie), Linux 6.12.0", Go: "go1.26.8"},
		Versions: map[string]string{
			"redis": "7.0.15", "nsq": "1.3.0", "beanstalkd": "1.12",
		},
		Skipped: []report.Skip{
			{System: "rabbitmq", Reason: "rabbitmq-server: not on this machine: apt-get install rabbitmq-server"},
			{Workload: "idle-1000", System: "nsq", Reason: "context deadline exceeded\n  after 1m0s | <server log>"},
			{Workload: "idle-5000", System: "nsq", Reason: "context deadline exceeded\n  after 1m0s | <server log>"},
		},
	}
	add := func(workload, name string, group system.Group, metric, unit string, lower, main bool, values ...float64) {
		r.Measures = append(r.Measures, report.Measure{Workload: workload, System: name, Group: string(group),
			Metric: metric, Unit: unit, Lower: lower, Main: main, Values: values})
	}
	for _, s := range []struct {
		name  string
		group system.Group
		p50   float64
	}{
		{"reeve", system.Reeve, 71.2}, {"yamux+coalesce/tls", system.Limit, 52}, {"redis-lists", system.Peer, 84.4},
		{"nsq", system.Peer, 121}, {"jetstream", system.Peer, 190}, {"beanstalkd", system.Peer, 78}, {"managers", system.Peer, 402},
	} {
		add("rtt", s.name, s.group, "p50", "µs", true, true, s.p50*0.97, s.p50, s.p50*1.08)
		p99 := s.p50 * 2.4
		if s.name == "beanstalkd" {
			p99 = s.p50 * 2.15 // ahead, but not by more than the spread
		}
		add("rtt", s.name, s.group, "p99", "µs", true, false, p99*0.9, p99, p99*1.2)
	}
	for _, s := range []struct {
		name  string
		group system.Group
		rate  float64
	}{
		{"reeve-batch", system.Reeve, 301e3}, {"reeve", system.Reeve, 96e3}, {"floor", system.Limit, 372e3},
		{"redis-lists", system.Peer, 213e3}, {"redis-lists-naive", system.Peer, 22e3}, {"redis-streams", system.Peer, 140e3},
		{"asynq", system.Peer, 9.4e3}, {"nsq", system.Peer, 61e3}, {"jetstream", system.Peer, 48e3},
		{"beanstalkd", system.Peer, 88e3}, {"net/rpc", system.Peer, 105e3}, {"managers", system.Peer, 5.1e3},
	} {
		add("pipeline-4", s.name, s.group, "tasks/s", "/s", false, true, s.rate, s.rate*0.93, s.rate*1.05)
		add("pipeline-4", s.name, s.group, "server CPU a task", "µs", true, false, 1e6/s.rate/2)
		add("pipeline-4", s.name, s.group, "peak RSS", "B", true, false, 35.7*1024*1024, 36*1024*1024, 34*1024*1024)
	}
	add("payload", "reeve-batch", system.Reeve, "throughput", "MB/s", false, true, 612, 640, 598)
	add("payload", "redis-lists", system.Peer, "throughput", "MB/s", false, true, 1210, 1190, 1260)
	add("payload", "beanstalkd", system.Peer, "throughput", "MB/s", false, true, 850)
	add("payload", "nsq", system.Peer, "throughput", "MB/s", false, true, 401, 377)
	add("idle-1000", "reeve-batch", system.Reeve, "server bytes a consumer", "B", true, true, 35.7*1024, 35.1*1024, 36*1024)
	add("idle-1000", "redis-lists", system.Peer, "server bytes a consumer", "B", true, true, 18.2*1024, 18*1024, 18.2*1024)
	add("idle-1000", "jetstream", system.Peer, "server bytes a consumer", "B", true, true, 61*1024, 63*1024, 60*1024)
	add("idle-1000", "reeve-batch", system.Reeve, "delivered after", "µs", true, false, 90, 95, 88)
	return r
}

func TestTable_IsTheGoldenOne(t *testing.T) {
	var b bytes.Buffer
	if err := report.Table(&b, run()); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.md", b.Bytes(), bytes.Equal)
}

func TestJSON_IsTheGoldenOneAndReadBack(t *testing.T) {
	var b bytes.Buffer
	if err := report.WriteJSON(&b, run()); err != nil {
		t.Fatal(err)
	}
	golden(t, "run.json", b.Bytes(), bytes.Equal)
	read, err := report.ReadJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := report.WriteJSON(&again, read); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("what was read is written as\n%s, %v", &again, err)
	}
}

func TestChart_IsTheGoldenOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.svg")
	if err := report.Chart(path, run()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "run.svg", got, sameDrawing)
}

var figure = regexp.MustCompile(`-?[0-9]+(\.[0-9]+)?`)

// sameDrawing compares SVG; coordinates may be off by what no one sees, as
// processors round differently.
func sameDrawing(a, b []byte) bool {
	blank := []byte("0")
	if !bytes.Equal(figure.ReplaceAll(a, blank), figure.ReplaceAll(b, blank)) {
		return false
	}
	x, y := figure.FindAll(a, -1), figure.FindAll(b, -1)
	for i := range x {
		p, _ := strconv.ParseFloat(string(x[i]), 64)
		q, _ := strconv.ParseFloat(string(y[i]), 64)
		if math.Abs(p-q) > 0.05 {
			return false
		}
	}
	return true
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte, same func(a, b []byte) bool) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !same(got, want) {
		t.Errorf("%s differs (go test -update writes it anew); got\n%s", path, got)
	}
}
