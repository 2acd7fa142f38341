package dump_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/reeveq/reeve/internal/dump"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
)

const at = int64(1_790_000_000_000_000_000)

func frame(records ...[]byte) []byte {
	f := record.AppendHead(nil, record.Head{Time: at})
	for _, r := range records {
		f = append(f, r...)
	}
	return f
}

func queue(no uint32, name string) []byte {
	return record.AppendQueue(nil, &record.Queue{No: no, Name: name, Config: []byte(`{"lease":5}`)})
}

func put(no uint32, payload string) []byte {
	return record.AppendPut(nil, &record.Put{Queue: no, ID: 7, Body: record.Body{Payload: []byte(payload), PutAt: at}})
}

func frames() [][]byte {
	return [][]byte{
		frame(record.AppendMaster(nil, &record.Master{Epoch: 99, Start: at}), queue(1, "tasks"), queue(2, "other")),
		frame(put(1, "<a>"), put(2, "b\xff"), record.Append(nil, 200, []byte("of a later version"))),
		frame(record.AppendMove(nil, &record.Move{Queue: 1, To: 2, ID: 7})),
	}
}

func written(t testing.TB, only string, frames [][]byte) string {
	t.Helper()
	var b bytes.Buffer
	w, err := dump.NewWriter(&b, only)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		if err := w.Frame(journal.Pos(i+1), f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n") - 2; w.Records() != int64(n) {
		t.Errorf("%d records are said to be written, %d were", w.Records(), n)
	}
	return b.String()
}

func read(r io.Reader) (frames [][]byte, err error) {
	d, err := dump.NewReader(r, "FILE")
	if err != nil {
		return nil, err
	}
	for {
		f, n, err := d.Next()
		if err == io.EOF {
			return frames, nil
		}
		if err != nil {
			if _, _, again := d.Next(); again != err {
				return nil, errors.New("another call has another error")
			}
			return frames, err
		}
		if n == 0 {
			return nil, errors.New("a frame without a record")
		}
		frames = append(frames, f)
	}
}

const dumped = `{"reeve_journal":1}
{"frame":1,"time":"2026-09-21T14:13:20Z","record":"master","epoch":99,"start":"2026-09-21T14:13:20Z"}
{"frame":1,"time":"2026-09-21T14:13:20Z","record":"queue","queue_no":1,"name":"tasks","config":{"lease":5}}
{"frame":1,"time":"2026-09-21T14:13:20Z","record":"queue","queue_no":2,"name":"other","config":{"lease":5}}
{"frame":2,"time":"2026-09-21T14:13:20Z","record":"put","queue_no":1,"id":"0000000000000007","put_at":"2026-09-21T14:13:20Z","payload":"<a>"}
{"frame":2,"time":"2026-09-21T14:13:20Z","record":"put","queue_no":2,"id":"0000000000000007","put_at":"2026-09-21T14:13:20Z","payload_base64":"Yv8="}
{"frame":2,"time":"2026-09-21T14:13:20Z","record":"unknown","kind":200,"body_base64":"b2YgYSBsYXRlciB2ZXJzaW9u"}
{"frame":3,"time":"2026-09-21T14:13:20Z","record":"move","queue_no":1,"id":"0000000000000007","to_queue_no":2}
{"end":true,"records":7}
`

func TestDump_IsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	if got := written(t, "", frames()); got != dumped {
		t.Errorf("is\n%s, want\n%s", got, dumped)
	}
	for how, r := range map[string]io.Reader{
		"at once": strings.NewReader(dumped), "in halves": iotest.HalfReader(strings.NewReader(dumped)),
		"without the last line break": strings.NewReader(strings.TrimSpace(dumped)),
		"with empty lines":            strings.NewReader(strings.ReplaceAll(dumped, "\n", "\r\n \n")),
	} {
		got, err := read(r)
		if err != nil || len(got) != 3 {
			t.Fatalf("%s: %d frames, %v", how, len(got), err)
		}
		for i, want := range frames() {
			if !bytes.Equal(got[i], want) {
				t.Errorf("%s: frame %d is\n%x, want\n%x", how, i, got[i], want)
			}
		}
	}
	if got, err := read(strings.NewReader(written(t, "", nil))); err != nil || len(got) > 0 {
		t.Errorf("of nothing: %d frames, %v", len(got), err)
	}
}

func TestWriter_WritesTheRecordsOfOneQueue(t *testing.T) {
	t.Parallel()
	got := written(t, "other", frames())
	want := `{"reeve_journal":1,"queue":"other"}
{"frame":1,"time":"2026-09-21T14:13:20Z","record":"queue","queue_no":2,"name":"other","config":{"lease":5}}
{"frame":2,"time":"2026-09-21T14:13:20Z","record":"put","queue_no":2,"id":"0000000000000007","put_at":"2026-09-21T14:13:20Z","payload_base64":"Yv8="}
{"frame":3,"time":"2026-09-21T14:13:20Z","record":"move","queue_no":1,"id":"0000000000000007","to_queue_no":2}
{"end":true,"records":3}
`
	if got != want {
		t.Errorf("is\n%s, want\n%s", got, want)
	}
	if _, err := read(strings.NewReader(got)); !errors.Is(err, dump.ErrPart) {
		t.Error(err)
	}
	if got := written(t, "nope", frames()); strings.Count(got, "\n") != 2 {
		t.Error(got)
	}
}

func TestWriter_RefusesAFrameThatIsNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		frame []byte
		want  error
	}{
		"empty":          {nil, record.ErrMalformed},
		"newer":          {[]byte{99, 1, 2, 3, 4, 5, 6, 7, 8}, record.ErrNewer},
		"cut off":        {frame(put(1, "abc"))[:20], record.ErrMalformed},
		"a wrong record": {frame(record.Append(nil, record.KindEnd, nil)), record.ErrMalformed},
	} {
		w, err := dump.NewWriter(io.Discard, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Frame(17, c.frame); !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "frame 17: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReader_KnowsADumpThatWasCutOff(t *testing.T) {
	t.Parallel()
	for n := range len(dumped) - 1 {
		_, err := read(strings.NewReader(dumped[:n]))
		if want := dump.ErrIncomplete; n == 0 && !errors.Is(err, dump.ErrFormat) || n > 0 && !errors.Is(err, want) {
			t.Errorf("%d of %d bytes: %v", n, len(dumped), err)
		}
	}
	lines := strings.SplitAfter(dumped, "\n")
	short := strings.Join(append(lines[:4:4], lines[5:]...), "")
	if _, err := read(strings.NewReader(short)); !errors.Is(err, dump.ErrIncomplete) || !strings.HasSuffix(err.Error(), "6 records, of 7 that are said to be there (FILE, line 8)") {
		t.Errorf("without a line: %v", err)
	}
}

func TestReader_RefusesWhatIsNoDump(t *testing.T) {
	t.Parallel()
	const head, foot = `{"reeve_journal":1}` + "\n", "\n" + `{"end":true,"records":1}`
	const one = `{"frame":2,"record":"end","queue_no":1,"id":"7"}`
	for text, want := range map[string]error{
		"":                              dump.ErrFormat,
		"reeve backup 1\n":              dump.ErrFormat,
		"{}":                            dump.ErrFormat,
		`{"reeve_journal":0}` + "\n":    dump.ErrFormat,
		`{"reeve_journal":"1"}` + "\n":  dump.ErrFormat,
		`{"reeve_journal":2}` + "\n":    journal.ErrNewer,
		`{"reeve_j`:                     dump.ErrIncomplete,
		head + one + foot:               nil,
		head + one + foot + "\n\n":      nil,
		head + one + foot + "\nx":       dump.ErrFormat,
		head + one + "\n" + `{"end":1}`: dump.ErrFormat,
		head + `{"frame":1}` + foot:     dump.ErrFormat,
		head + "x" + foot:               dump.ErrFormat,
		head + one + "\n" + one + foot:  dump.ErrIncomplete,
		head + `{"frame":0,"record":"end","queue_no":1,"id":"7"}` + foot:              dump.ErrFormat,
		head + one + "\n" + `{"frame":1,"record":"end","queue_no":1,"id":"7"}` + foot: dump.ErrFormat,
		head + `{"frame":1,"record":"end","queue_no":1,"id":"7","idd":1}` + foot:      dump.ErrFormat,
	} {
		if _, err := read(strings.NewReader(text)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := read(io.MultiReader(strings.NewReader(dumped[:100]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := read(io.MultiReader(strings.NewReader(dumped), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(dumped))
	f.Add([]byte(`{"reeve_journal":1}` + "\n" + `{"end":true,"records":0}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := read(bytes.NewReader(text))
		if err != nil {
			return
		}
		// What was taken for a dump is the same dump when it is written again.
		again, err := read(strings.NewReader(written(t, "", got)))
		if err != nil || len(again) != len(got) {
			t.Fatalf("%d frames, again %d, %v", len(got), len(again), err)
		}
		for i := range got {
			if !bytes.Equal(got[i], again[i]) {
				t.Errorf("frame %d is\n%x, again\n%x", i, got[i], again[i])
			}
		}
	})
}

// TestWriter_WritesThatTheQueueWasDeleted dumps a queue that comes twice.
func TestWriter_WritesThatTheQueueWasDeleted(t *testing.T) {
	t.Parallel()
	frame := record.AppendHead(nil, record.Head{Time: 0})
	for _, r := range []record.Queue{{No: 1, Name: "tasks"}, {No: 2, Name: "other"}} {
		frame = record.AppendQueue(frame, &r)
	}
	frame = record.AppendDelete(frame, &record.Delete{Queue: 1})
	frame = record.AppendDelete(frame, &record.Delete{Queue: 2})
	frame = record.AppendQueue(frame, &record.Queue{No: 3, Name: "tasks"})
	got := written(t, "tasks", [][]byte{frame})
	for _, want := range []string{`"queue","queue_no":1`, `"delete","queue_no":1`, `"queue","queue_no":3`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, `"queue_no":2`) {
		t.Errorf("there is another queue in\n%s", got)
	}
}
