package record_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
)

// -update writes the golden files anew. They are records and lines of every
// release, and open for ever: lines are only ever added to them. One that
// changes is a journal, or a dump, that is lost.
var update = flag.Bool("update", false, "write testdata/records.golden and testdata/lines.golden")

const (
	goldenRecords = "testdata/records.golden"
	goldenLines   = "testdata/lines.golden"
)

// goldenAt is the time of the golden frame.
const goldenAt = 1_893_456_000_123_456_789

func ns(seconds int64) int64 { return goldenAt + seconds*int64(time.Second) }

var goldenExtra = record.Extra{
	Timeout: int64(time.Minute), Attempts: 7, Key: "customer-7", Unique: "https://host.example/page", Mode: reeve.UniqueForTime,
	Claimed: true, UniqueUntil: ns(100), Labels: []string{"gpu", "räume"},
	Backoff:  &reeve.Backoff{Base: time.Second, Factor: 1.5, Max: time.Hour, Jitter: reeve.NoJitter},
	ExpireAt: ns(200), ExpireWall: true, Keep: -1, Asked: true,
}

var goldenBody = record.Body{
	Type: "mail", Payload: []byte("to: you\x00\xff"), Priority: -3, Source: 0x1234, PutAt: ns(0), Extra: &goldenExtra,
}

var goldenNow = record.Standing{
	State: record.Dead, Due: ns(1), Wall: true, Order: -5, Claimable: true, Blamed: true, Claimed: true, Client: 300,
	Until: ns(2), Attempt: 1000, Counts: reeve.Counts{Failed: 1, TimedOut: 2, Lost: 3, Returned: 4, Snoozed: 500},
	Error: "refused", Reason: "5 attempts failed", Last: true, DiedAt: ns(3), ReadyAt: ns(4), Append: true,
	History: []reeve.AttemptRecord{
		{Attempt: 1, Worker: "host:1", Start: time.Unix(0, ns(5)), End: time.Unix(0, ns(6)), Outcome: "failed", Error: "refused", Stack: "main.go:1"},
		{Attempt: 2, Worker: "host:1", Start: time.Unix(0, 0), Outcome: "lost"},
	},
}

var goldenBlobs = []reeve.BlobRef{
	{Hash: reeve.BlobHash{0: 1, 31: 255}, Size: 70_000},
	{Hash: reeve.BlobHash(bytes.Repeat([]byte{0xab}, 32))},
}

// golden are the samples. New ones are added, those that are there stay.
var golden = []struct {
	name string
	r    decoder
}{
	{"master", &record.Master{Epoch: 0x1122334455667788, Start: ns(0)}},
	{"master-last", &record.Master{Epoch: 1, Start: ns(0), Last: 0x100000001}},
	{"queue", &record.Queue{No: 1, Name: "räume", Config: []byte(`{"Attempts":5}`)}},
	{"queue-0", &record.Queue{}},
	{"pause", &record.Pause{Queue: 1, Paused: true, Reason: "maintenance"}},
	{"pause-0", &record.Pause{Queue: 1}},
	{"client", &record.Client{No: 2, Key: "SHA256:abc", Process: [16]byte{1, 2, 3, 15: 255}}},
	{"gone", &record.Gone{Client: 300}},
	{"request", &record.Request{Client: 2, Req: 70_000, Count: 64, First: 0x100000001}},
	{"request-1", &record.Request{Client: 2, Req: 70_000, Count: 1}},
	{"request-low", &record.Request{Client: 2, Req: 70_000, Count: 64, First: 0x100000001, Low: 69_990}},
	{"put", &record.Put{Queue: 1, ID: 0x100000001, Due: ns(9), Wall: true, Order: 0x100000000, Body: goldenBody}},
	{"put-0", &record.Put{}},
	{"put-plain", &record.Put{Queue: 1, ID: 0x100000002, Body: record.Body{Type: "mail", Payload: []byte("hello"), PutAt: ns(0)}}},
	{"put-extra-0", &record.Put{Queue: 1, ID: 0x100000003, Body: record.Body{Extra: &record.Extra{Backoff: &reeve.Backoff{}}}}},
	{"put-long", &record.Put{Queue: 200, ID: 0x100000004, Body: record.Body{Payload: bytes.Repeat([]byte("x"), 300)}}},
	{"task", &record.Task{Queue: 1, ID: 0x100000001, Body: goldenBody, Now: goldenNow}},
	{"task-0", &record.Task{}},
	{"lease", &record.Lease{Queue: 1, ID: 0x100000001, Attempt: 3, Client: 2}},
	{"extend", &record.Extend{Queue: 1, ID: 0x100000001, Until: ns(30)}},
	{"state", &record.Stand{Queue: 1, ID: 0x100000001, Now: goldenNow}},
	{"state-ready", &record.Stand{Queue: 1, ID: 0x100000001, Now: record.Standing{State: record.Ready, Order: -70_000, Attempt: 1}}},
	{"state-delayed", &record.Stand{Queue: 1, ID: 0x100000001, Now: record.Standing{State: record.Delayed, Due: ns(60), Attempt: 1}}},
	{"state-turn", &record.Stand{Queue: 1, ID: 0x100000001, Now: record.Standing{State: record.Ready, Turn: true, Attempt: 1}}},
	{"state-leased", &record.Stand{Queue: 1, ID: 0x100000001, Now: record.Standing{State: record.Leased, Client: 2, Until: ns(60), Attempt: 1}}},
	{"move", &record.Move{Queue: 1, To: 2, ID: 0x100000001, Claimed: true}},
	{"end", &record.End{Queue: 1, ID: 0x100000001}},
	{"result", &record.Result{Queue: 1, ID: 0x100000001, Type: "mail", State: reeve.StateDead, Payload: []byte{0xa1}, Reason: "5 attempts failed",
		Error: "refused", Attempts: 5, EndedAt: time.Unix(0, ns(7)), Until: ns(8)}},
	{"result-0", &record.Result{}},
	{"unique", &record.Unique{Queue: 1, Key: "https://host.example/page", ID: 0x100000001, Mode: reeve.UniqueForTime, Until: ns(100)}},
	{"unique-0", &record.Unique{Queue: 1, Key: "k", ID: 1}},
	{"delete", &record.Delete{Queue: 300}},
	{"put-blobs", &record.Put{Queue: 1, ID: 0x100000005, Body: record.Body{Payload: []byte("p"), PutAt: ns(0), Extra: &record.Extra{Asked: true}, Blobs: goldenBlobs}}},
	{"task-blobs", &record.Task{Queue: 1, ID: 0x100000005, Body: record.Body{Payload: []byte("p"), PutAt: ns(0), Extra: &record.Extra{Asked: true}, Blobs: goldenBlobs},
		Now: record.Standing{State: record.Ready, Attempt: 1, ReadyAt: ns(1)}}},
	{"result-blobs", &record.Result{Queue: 1, ID: 0x100000005, State: reeve.StateDone, Payload: []byte{0xa1}, Until: ns(8), Blobs: goldenBlobs[:1]}},
	{"object", &record.Object{No: 3, Type: "map", Name: "räume", Config: []byte{0xa1, 1, 2}}},
	{"object-0", &record.Object{}},
	{"drop", &record.Drop{Object: 3}},
	{"entry", &record.Entry{Object: 3, Key: []byte{0x61, 'a'}, Value: []byte{7}, Expires: ns(60), Seq: 300}},
	{"entry-0", &record.Entry{}},
	{"remove", &record.Remove{Object: 3, Key: []byte{0x61, 'a'}}},
	{"answer", &record.Answer{Client: 2, Req: 1<<62 + 5, Waits: true, Value: []byte{1}}},
	{"answer-0", &record.Answer{}},
}

func TestGolden_RecordsAreThoseOfEveryRelease(t *testing.T) {
	t.Parallel()
	if *update {
		b := fmt.Appendf(nil, "head %x\n", record.AppendHead(nil, record.Head{Time: goldenAt}))
		for _, g := range golden {
			b = fmt.Appendf(b, "%s %x\n", g.name, write(t, g.r))
		}
		if err := os.WriteFile(goldenRecords, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was := readGolden(t)
	if head, rest, err := record.ParseHead(was["head"]); err != nil || head.Time != goldenAt || len(rest) != 0 {
		t.Errorf("%+v, %x, %v", head, rest, err)
	}
	if b := record.AppendHead(nil, record.Head{Time: goldenAt}); !bytes.Equal(b, was["head"]) {
		t.Errorf("a head is\n%x, was\n%x", b, was["head"])
	}
	delete(was, "head")
	seen := map[record.Kind]bool{}
	for _, g := range golden {
		if b := write(t, g.r); !bytes.Equal(b, was[g.name]) {
			t.Errorf("%s is\n%x, was\n%x", g.name, b, was[g.name])
			continue
		}
		same(t, read(t, was[g.name]), g.r)
		kind, _ := only(t, was[g.name])
		seen[kind] = true
		delete(was, g.name)
	}
	for name := range was {
		t.Errorf("no sample %s any more", name)
	}
	for _, c := range codecs {
		if !seen[c.kind] {
			t.Errorf("no sample of a %v", c.kind)
		}
	}
}

func TestGolden_LinesAreThoseOfEveryRelease(t *testing.T) {
	t.Parallel()
	if *update {
		var b []byte
		for i, g := range golden {
			kind, body := only(t, write(t, g.r))
			b = append(b, lineOf(t, uint64(i), goldenAt, kind, body)+"\n"...)
		}
		if err := os.WriteFile(goldenLines, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(goldenLines)
	if err != nil {
		t.Fatal(err)
	}
	was := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(was) != len(golden) {
		t.Fatalf("%d lines, %d samples", len(was), len(golden))
	}
	for i, g := range golden {
		kind, body := only(t, write(t, g.r))
		if now := lineOf(t, uint64(i), goldenAt, kind, body); now != was[i] {
			t.Errorf("%s is\n%s, was\n%s", g.name, now, was[i])
		}
		frame, at, back, err := record.ParseLine([]byte(was[i]))
		if err != nil || frame != uint64(i) || at != goldenAt {
			t.Fatalf("%s: frame %d, time %d: %v", was[i], frame, at, err)
		}
		same(t, read(t, back), g.r)
	}
}

func readGolden(t testing.TB) map[string][]byte {
	t.Helper()
	f, err := os.Open(goldenRecords)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]byte{}
	s := bufio.NewScanner(f)
	for s.Scan() {
		name, digits, _ := strings.Cut(s.Text(), " ")
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) == 0 || out[name] != nil {
			t.Fatalf("line %q: %v", s.Text(), err)
		}
		out[name] = b
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
