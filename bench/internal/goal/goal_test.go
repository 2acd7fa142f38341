package goal_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/reeveq/reeve/bench/internal/goal"
	"github.com/reeveq/reeve/bench/internal/report"
	"github.com/reeveq/reeve/bench/internal/system"
)

var update = flag.Bool("update", false, "write what is compared anew, to testdata")

// run is a made-up run, in which some goals are reached, some are not, and for
// some a figure is missing.
func run() *report.Run {
	r := &report.Run{
		Time:    time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
		Machine: report.Machine{CPU: "Abacus 9000", Cores: 2, Memory: 16 << 30, OS: "Debian GNU/Linux 13 (trixie), Linux 6.12.0", Go: "go1.26.8"},
	}
	add := func(workload, name string, group system.Group, metric, unit string, lower bool, values ...float64) {
		r.Measures = append(r.Measures, report.Measure{Workload: workload, System: name, Group: string(group),
			Metric: metric, Unit: unit, Lower: lower, Values: values})
	}
	ours := func(workload, metric, unit string, lower bool, values ...float64) {
		add(workload, "reeve-batch", system.Reeve, metric, unit, lower, values...)
	}
	const putToGet = "put to get, median"
	ours("rtt", putToGet, "µs", true, 62, 60, 71)
	add("rtt", "floor-yamux-cbor-tls", system.Limit, putToGet, "µs", true, 40, 41, 39) // missed
	add("rtt", "nsq", system.Peer, putToGet, "µs", true, 78, 80, 90)
	add("rtt", "managers", system.Peer, putToGet, "µs", true, 150)

	ours("pipeline-4", "tasks per second", "/s", false, 301e3, 298e3, 310e3)
	ours("pipeline-4", "server CPU per task", "µs", true, 2.5, 2.5, 2.5) // just reached
	for name, rate := range map[string]float64{
		"redis-lists": 110e3, "redis-lists-script": 260e3, "nsq": 120e3, "managers": 11e3, "net-rpc-chunked": 290e3, // redis-lists is not the fastest
	} {
		add("pipeline-4", name, system.Peer, "tasks per second", "/s", false, rate)
	}
	add("pipeline-4", "floor-yamux-cbor-tls", system.Limit, "tasks per second", "/s", false, 360e3)

	ours("payload", "payload", "MB/s", false, 330, 340)
	add("limits-bulk", "raw-yamux-coalesced-tls", system.Limit, "bytes", "MB/s", false, 760)
	ours("backlog", "put", "/s", false, 1.2e6)
	ours("backlog", "drained", "/s", false, 0.2e6)
	ours("backlog", "memory per queued task, beside its payload", "B", true, -3)
	ours("idle-5000", "server memory each", "B", true, 28*1024)
	ours("idle-5000", putToGet, "µs", true, 130)
	ours("durable", "tasks per second", "/s", false, 100e3)
	add("durable", "redis-lists", system.Peer, "tasks per second", "/s", false, 85e3)
	add("durable", "nats-jetstream", system.Peer, "tasks per second", "/s", false, 3e3)
	add("durable", "nats-jetstream-batch", system.Peer, "tasks per second", "/s", false, 20e3)

	ours("scaling", "one by one per second, 64 goroutines on 1 connection", "/s", false, 120e3)
	ours("scaling", "one by one per second, 1 on each of 64", "/s", false, 100e3)
	ours("scaling", "in batches per second, 1 queue", "/s", false, 400e3)
	for depth, cpu := range map[string]float64{"10": 1.5, "1,000": 1.4, "100,000": 1.6, "1,000,000": 2.2} {
		ours("scaling", "server CPU per task, "+depth+" queued", "µs", true, cpu)
	}
	return r
}

func TestTable_IsTheGoldenOne(t *testing.T) {
	var b bytes.Buffer
	if err := goal.Table(&b, run()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "goals.md")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs (go test -update writes it anew); got\n%s", path, &b)
	}
}

func TestJudge_OfNothingSaysWhatIsMissing(t *testing.T) {
	for _, v := range goal.Judge(&report.Run{}) {
		if v.Missing == "" || v.Reached || v.Measured != "" {
			t.Errorf("%+v", v)
		}
	}
}
