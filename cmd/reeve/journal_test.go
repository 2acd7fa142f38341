package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/record"
	"github.com/reeveq/reeve/journal"
	"github.com/reeveq/reeve/journal/backup"
	"github.com/reeveq/reeve/journal/file"
)

const frameTime = int64(1_790_000_000_000_000_000)

func journalFrame(at time.Duration, records ...[]byte) []byte {
	return append(record.AppendHead(nil, record.Head{Time: frameTime + int64(at)}), bytes.Join(records, nil)...)
}

func putRecord(queue uint32, id reeve.ID, payload string) []byte {
	return record.AppendPut(nil, &record.Put{Queue: queue, ID: id, Body: record.Body{Payload: []byte(payload), PutAt: frameTime}})
}

// aJournal is the frames of two queues: of the tasks 1 to 5, 1 was acked, 2 has
// a result, 3 was moved.
func aJournal() [][]byte {
	return [][]byte{
		journalFrame(0, record.AppendMaster(nil, &record.Master{Epoch: 99, Start: frameTime}),
			record.AppendQueue(nil, &record.Queue{No: 1, Name: "tasks", Config: []byte(`{}`)}),
			record.AppendQueue(nil, &record.Queue{No: 2, Name: "later"})),
		journalFrame(time.Second, putRecord(1, 1, "one"), putRecord(1, 2, "two"), putRecord(1, 3, "three\xff")),
		journalFrame(2*time.Second, putRecord(1, 4, strings.Repeat("four", 1000)), putRecord(2, 5, "five")),
		journalFrame(3*time.Second, record.AppendLease(nil, &record.Lease{Queue: 1, ID: 1, Attempt: 1}),
			record.AppendEnd(nil, &record.End{Queue: 1, ID: 1}),
			record.AppendResult(nil, &record.Result{Queue: 1, ID: 2, State: reeve.StateDone, Payload: []byte("TWO")}),
			record.AppendMove(nil, &record.Move{Queue: 1, To: 2, ID: 3})),
	}
}

// newJournal makes a journal, and returns it open.
func newJournal(t *testing.T, frames [][]byte) (dir string, j *file.Journal) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	j, err := file.Open(dir, file.Options{SegmentSize: file.MinSegmentSize})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		if err := j.Append(t.Context(), journal.Pos(i+1), f, journal.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := j.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return dir, j
}

func closedJournal(t *testing.T, frames [][]byte) (dir string) {
	t.Helper()
	dir, j := newJournal(t, frames)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// killed is a copy of an open journal: what is there after a kill.
func killed(t *testing.T, frames [][]byte) (dir string) {
	t.Helper()
	from, j := newJournal(t, frames)
	dir = t.TempDir()
	names, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if filepath.Ext(n.Name()) != ".seg" {
			continue // may be about to be made
		}
		b, err := os.ReadFile(filepath.Join(from, n.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, n.Name()), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// framesIn are the frames of a journal.
func framesIn(t *testing.T, dir string) (frames [][]byte) {
	t.Helper()
	if _, err := file.Scan(t.Context(), dir, func(_ journal.Pos, f []byte) error {
		frames = append(frames, bytes.Clone(f))
		return nil
	}); err != nil {
		t.Error(err)
	}
	return frames
}

// change changes the bytes of a journal's only segment from where find stands.
func change(t *testing.T, dir, find, with string) (name string, at int64) {
	t.Helper()
	info, err := file.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	name = info.Segments[0].File
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at = int64(bytes.Index(b, []byte(find)))
	if find == "" {
		at = info.Segments[0].Bytes
	}
	if at < 0 {
		t.Fatalf("%q is not in %s", find, name)
	}
	copy(b[at:], with)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name, at
}

// journalRun runs "reeve journal" with args, and requires the exit code, what is
// written to stdout, and that a text is in what is written to stderr. Numbers
// that differ from run to run are 0 there.
func journalRun(t *testing.T, stdin string, args []string, code int, stdout, stderr string) string {
	t.Helper()
	got, out, errs := runWith(t, "", nil, stdin, append([]string{"journal"}, args...)...)
	if got != code || stdout != "*" && steady(out) != stdout || !strings.Contains(errs, stderr) || stderr == "" && errs != "" {
		t.Errorf("%q: exit %d, want %d\nstdout:\n%s\nwant:\n%s\nstderr:\n%s\nwant:\n%s", args, got, code, steady(out), stdout, errs, stderr)
	}
	return out
}

var unsteady = regexp.MustCompile(`process \d+|"pid":\d+|\d[\d.]*[KM]iB on the disk|"(disk|reserve)":\d+|(reserve: +)[^\n]*`)

func steady(s string) string {
	return unsteady.ReplaceAllStringFunc(s, func(s string) string {
		return regexp.MustCompile(`\d[\d.]*([KM]iB)?|none`).ReplaceAllString(s, "0")
	})
}

func TestJournalCheck_SaysThatAllIsWhole(t *testing.T) {
	t.Parallel()
	dir := closedJournal(t, aJournal())
	journalRun(t, "", []string{"check", dir}, 0, "OK: 4 frames, 12 records, 4.2KiB in 1 segment\n", "")
	journalRun(t, "", []string{"check", dir, "-json"}, 0, `{"ok":true,"frames":4,"records":12,"bytes":4262,"segments":1}`+"\n", "")

	dir = closedJournal(t, nil)
	journalRun(t, "", []string{"check", dir}, 0, "OK: 0 frames, 0 records, 0B in 1 segment\n", "")

	dir = closedJournal(t, [][]byte{journalFrame(0, record.Append(nil, 200, []byte("later")))})
	journalRun(t, "", []string{"check", dir}, 0, "OK: 1 frame, 1 record, 16B in 1 segment\nof a later version: 1 record\n", "")
}

func TestJournalCheck_OfARunningMasterSaysSo(t *testing.T) {
	t.Parallel()
	dir, j := newJournal(t, aJournal())
	defer j.Close()
	journalRun(t, "", []string{"check", dir}, 0, "OK: 4 frames, 12 records, 4.2KiB in 1 segment\n"+
		"process 0 has it: what that writes meanwhile may be missing\n", "")
	journalRun(t, "", []string{"check", dir, "-json"}, 0,
		`{"ok":true,"frames":4,"records":12,"bytes":4262,"segments":1,"in_use":true,"pid":0}`+"\n", "")
	journalRun(t, "", []string{"stat", dir}, 0, "*", "")
	journalRun(t, "", []string{"dump", dir}, 0, "*", fmt.Sprintf("process %d has it", os.Getpid()))
	journalRun(t, "", []string{"salvage", dir, filepath.Join(t.TempDir(), "new")}, 69, "", "stop that first")
}

func TestJournalCheck_ATornEndIsNoDamage(t *testing.T) {
	t.Parallel()
	dir := killed(t, aJournal())
	name, at := change(t, dir, "", "something that a power cut interrupted..")
	out := journalRun(t, "", []string{"check", dir}, 0, "*", "")
	want := fmt.Sprintf("OK: 4 frames, 12 records, 4.2KiB in 1 segment\nits end is torn: %s has no frame from byte %d on, 40 bytes (", name, at)
	if !strings.HasPrefix(out, want) {
		t.Errorf("%s, want %s", out, want)
	}
}

func TestJournalCheck_NamesFileAndByteOfDamage(t *testing.T) {
	t.Parallel()
	dir := closedJournal(t, aJournal())
	name, _ := change(t, dir, "three\xff", "THREE")
	journalRun(t, "", []string{"check", dir}, 1, "", "journal: damaged: "+name+" at byte ")
	_, _, text := runWith(t, "", nil, "", "journal", "check", dir)
	if !strings.Contains(text, "(frame 2): ") || !strings.Contains(text, `; "reeve journal salvage `+dir+` NEWDIR" takes what is whole (whole before it: 1 frame)`) {
		t.Error(text)
	}
	out := journalRun(t, "", []string{"check", dir, "-json"}, 1, "*", "")
	if !strings.HasPrefix(out, `{"ok":false,"frames":1,"records":3,`) || !strings.Contains(out, fmt.Sprintf(`"damage":{"file":%q,"offset":`, name)) || !strings.Contains(out, `"frame":2,`) {
		t.Error(out)
	}

	// A frame that is whole, of records that are none.
	dir = closedJournal(t, append(aJournal()[:1:1], journalFrame(0, record.Append(nil, record.KindEnd, nil))))
	journalRun(t, "", []string{"check", dir}, 1, "", "frame 2: record: malformed")
	journalRun(t, "", []string{"check", dir, "-json"}, 1, "*", "")
	journalRun(t, "", []string{"stat", dir}, 1, "*", "frame 2: record: malformed")
	journalRun(t, "", []string{"dump", dir}, 1, "*", "the dump is incomplete: frame 2: record: malformed")
}

func TestJournal_WhatIsNoJournalOfThisVersionIsRefused(t *testing.T) {
	t.Parallel()
	newer := closedJournal(t, [][]byte{append([]byte{99}, aJournal()[0][1:]...)})
	empty := t.TempDir()
	for _, verb := range []string{"check", "stat", "dump"} {
		journalRun(t, "", []string{verb, filepath.Join(empty, "nope")}, 66, "", "nope")
		journalRun(t, "", []string{verb, empty}, 66, "", "there is none in "+empty)
		journalRun(t, "", []string{verb, newer}, 76, "*", "record: format of a newer version: 99")
	}
	journalRun(t, "", []string{"salvage", empty, filepath.Join(empty, "new")}, 66, "", "there is none in "+empty)
	if names, err := os.ReadDir(empty); err != nil || len(names) > 0 {
		t.Error(names, err)
	}
}

func TestJournalStat_TellsWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := closedJournal(t, aJournal())
	from, to := stamp(time.Unix(0, frameTime)), stamp(time.Unix(3, frameTime))
	journalRun(t, "", []string{"stat", dir}, 0, `frames:    4, 4.2KiB, numbers 1 to 4
written:   `+from+` to `+to+`
segments:  1; with all there is, 0 on the disk
reserve:   0
closed:    yes
tasks:     3, 4.0KiB
records:   12, master 1, queue 2, put 5, lease 1, move 1, end 1, result 1

QUEUE  LIVE  SIZE    PUT  ENDED
tasks  1     3.9KiB  4    2
later  2     52B     1    0
`, "")
	info, err := file.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	seg := info.Segments[0]
	journalRun(t, "", []string{"stat", dir, "-json"}, 0, fmt.Sprintf(`{"dir":%q,"frames":4,"first":1,"last":4,"bytes":4262,"disk":0,`+
		`"segments":[{"file":%q,"first":1,"frames":4,"bytes":%d,"disk":0}],"reserve":0,"clean":true,`+
		`"oldest":"2026-09-21T14:13:20Z","newest":"2026-09-21T14:13:23Z","records":12,`+
		`"kinds":{"end":1,"lease":1,"master":1,"move":1,"put":5,"queue":2,"result":1},"tasks":3,"task_bytes":4075,`+
		`"queues":[{"queue_no":1,"name":"tasks","live":1,"live_bytes":4023,"put":4,"ended":2},`+
		`{"queue_no":2,"name":"later","live":2,"live_bytes":52,"put":1,"ended":0}]}`+"\n", dir, seg.File, seg.Bytes), "")

	journalRun(t, "", []string{"stat", killed(t, [][]byte{journalFrame(0, putRecord(7, 1, "x"))})}, 0, `frames:    1, 31B, numbers 1 to 1
written:   `+from+` to `+from+`
segments:  1; with all there is, 0 on the disk
reserve:   0
closed:    no: its process was ended, or the power
tasks:     1, 22B
records:   1, put 1

QUEUE       LIVE  SIZE  PUT  ENDED
(number 7)  1     22B   1    0
`, "")
}

func TestJournalSalvage_TakesWhatIsWhole(t *testing.T) {
	t.Parallel()
	frames := aJournal()
	dir, newDir := closedJournal(t, frames), filepath.Join(t.TempDir(), "new")
	journalRun(t, "", []string{"salvage", dir, newDir}, 0, "salvaged: 4 frames, 4.2KiB into "+newDir+"\n", "")
	if got := framesIn(t, newDir); !slices.EqualFunc(got, frames, bytes.Equal) {
		t.Errorf("%d frames are others", len(got))
	}
	name, _ := change(t, dir, "three\xff", "THREE")
	journalRun(t, "", []string{"salvage", dir, newDir}, 74, "", newDir+" is not empty: name a directory that does not exist")

	newDir = t.TempDir()
	out := journalRun(t, "", []string{"salvage", dir, newDir}, 1, "*", "")
	if !strings.HasPrefix(out, "left behind: "+name+", ") || !strings.HasSuffix(out, "\nmissing: frame 2\nsalvaged: 3 frames, 4.1KiB into "+newDir+"\n") {
		t.Error(out)
	}
	if got := framesIn(t, newDir); !slices.EqualFunc(got, slices.Delete(slices.Clone(frames), 1, 2), bytes.Equal) {
		t.Errorf("%d frames are others", len(got))
	}
	out = journalRun(t, "", []string{"salvage", dir, filepath.Join(newDir, "deeper"), "-json"}, 1, "*", "")
	if !strings.Contains(out, `{"frames":3,"bytes":`) || !strings.Contains(out, `"missing":[{"from":2,"to":2}],"named":[]}`) || !strings.Contains(out, `"dropped":[{"file":`) {
		t.Error(out)
	}
}

func TestJournalSalvage_NamesQueuesWhoseNameIsLost(t *testing.T) {
	t.Parallel()
	dir, newDir := closedJournal(t, append(aJournal(), journalFrame(0, record.AppendQueue(nil, &record.Queue{No: 9, Name: "salvaged-1"})))), filepath.Join(t.TempDir(), "new")
	change(t, dir, "tasks", "TASKS")
	out := journalRun(t, "", []string{"salvage", dir, newDir}, 1, "*", "")
	if !strings.HasSuffix(out, `
named: a queue with 1 task, of which the name is lost, is salvaged-1- now
named: a queue with 2 tasks, of which the name is lost, is salvaged-2 now
salvaged: 4 frames, 4.1KiB into `+newDir+"\n") {
		t.Error(out)
	}
	journalRun(t, "", []string{"dump", newDir, "-queue", "salvaged-2"}, 0, "*", "")
	out = journalRun(t, "", []string{"stat", newDir}, 0, "*", "")
	if !strings.Contains(out, "\nsalvaged-1-  1 ") || !strings.Contains(out, "\nsalvaged-2   2 ") {
		t.Error(out)
	}
}

func TestJournalDump_IsRestored(t *testing.T) {
	t.Parallel()
	frames := aJournal()
	dir, newDir := closedJournal(t, frames), filepath.Join(t.TempDir(), "new")
	dumped := journalRun(t, "", []string{"dump", dir}, 0, "*", "")
	if !strings.HasPrefix(dumped, `{"reeve_journal":1}`+"\n"+`{"frame":1,`) || !strings.HasSuffix(dumped, "\n"+`{"end":true,"records":12}`+"\n") {
		t.Error(dumped)
	}
	journalRun(t, dumped, []string{"restore", "-", newDir}, 0, "restored: 4 frames, 4.2KiB into "+newDir+"\n", "")
	if got := framesIn(t, newDir); !slices.EqualFunc(got, frames, bytes.Equal) {
		t.Errorf("%d frames are others", len(got))
	}
	journalRun(t, "", []string{"dump", newDir}, 0, dumped, "")

	name := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(name, []byte(dumped), 0o600); err != nil {
		t.Fatal(err)
	}
	journalRun(t, "", []string{"restore", name, filepath.Join(t.TempDir(), "new"), "-json"}, 0, `{"frames":4,"bytes":4262}`+"\n", "")
}

func TestJournalDump_OfOneQueueIsToBeRead(t *testing.T) {
	t.Parallel()
	dir := closedJournal(t, aJournal())
	dumped := journalRun(t, "", []string{"dump", dir, "-queue", "later"}, 0, "*", "")
	if strings.Count(dumped, "\n") != 5 || !strings.Contains(dumped, `"payload":"five"`) {
		t.Error(dumped)
	}
	newDir := filepath.Join(t.TempDir(), "new")
	journalRun(t, dumped, []string{"restore", "-", newDir}, 65, "", `of "later": dump without -queue`)
	journalRun(t, "", []string{"dump", dir, "-queue", "nope"}, 78, "*", `the journal has no queue "nope"`)
}

// backupOf is a backup of frames.
func backupOf(t *testing.T, frames [][]byte) string {
	t.Helper()
	var b bytes.Buffer
	w, err := backup.NewWriter(&b, backup.Header{First: 17, Last: 16 + journal.Pos(len(frames)), Time: time.Unix(0, frameTime)})
	for i, f := range frames {
		if err == nil {
			err = w.Frame(17+journal.Pos(i), f)
		}
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJournalRestore_MakesAJournalOfABackup(t *testing.T) {
	t.Parallel()
	for _, frames := range [][][]byte{aJournal(), nil, {journalFrame(0, putRecord(1, 1, strings.Repeat("large", 1<<20)))}} {
		newDir := t.TempDir() // it is there, and empty
		journalRun(t, backupOf(t, frames), []string{"restore", "-", newDir + string(filepath.Separator)}, 0, "*", "")
		if got := framesIn(t, newDir); !slices.EqualFunc(got, frames, bytes.Equal) {
			t.Errorf("%d frames are others", len(got))
		}
		journalRun(t, "", []string{"check", newDir}, 0, "*", "")
	}
}

// Of what is not whole nothing is made, and nothing stays.
func TestJournalRestore_RefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	whole := backupOf(t, aJournal())
	dumped := journalRun(t, "", []string{"dump", closedJournal(t, aJournal())}, 0, "*", "")
	flipped := []byte(whole)
	flipped[len(flipped)/2] ^= 1
	parent := t.TempDir()
	newDir := filepath.Join(parent, "new")
	for name, c := range map[string]struct {
		text, stderr string
		code         int
	}{
		"nothing":            {"", "the standard input is neither a backup nor a dump of a journal", 66},
		"something else":     {"hello, world, how are you", "the standard input is neither a backup nor a dump of a journal", 66},
		"a cut backup":       {whole[:len(whole)-1], "the standard input was cut off in its end, after " + fmt.Sprint(len(whole)-1) + " bytes: nothing was restored", 65},
		"half a backup":      {whole[:len(whole)/2], "was cut off in frame 19 of 20", 65},
		"a damaged backup":   {string(flipped), "damaged: the standard input at byte", 65},
		"a newer backup":     {"reeve backup 2\n and more", "format of a newer version", 76},
		"a cut dump":         {dumped[:len(dumped)-4], "was cut off in line 14: nothing was restored", 65},
		"half a dump":        {dumped[:len(dumped)/2], "nothing was restored", 65},
		"a newer dump":       {`{"reeve_journal":2}` + "\n", "format of a newer version", 76},
		"a dump with a word": {strings.Replace(dumped, `"record":"end"`, `"record":"and"`, 1), "(the standard input, line ", 65},
	} {
		t.Run(name, func(t *testing.T) {
			journalRun(t, c.text, []string{"restore", "-", newDir}, c.code, "", c.stderr)
			if names, err := os.ReadDir(parent); err != nil || len(names) > 0 {
				t.Errorf("%v, %v", names, err)
			}
		})
	}
	journalRun(t, "", []string{"restore", filepath.Join(parent, "nope"), newDir}, 66, "", "nope")
}

func TestJournalRestore_TakesNoDirectoryThatIsInUse(t *testing.T) {
	t.Parallel()
	dir := closedJournal(t, aJournal())
	before := framesIn(t, dir)
	journalRun(t, backupOf(t, nil), []string{"restore", "-", dir}, 74, "", dir+" is not empty")
	journalRun(t, backupOf(t, nil), []string{"restore", "-", filepath.Join(dir, "LOCK")}, 74, "", "LOCK")
	if got := framesIn(t, dir); !slices.EqualFunc(got, before, bytes.Equal) {
		t.Error("the journal was changed")
	}
	newDir := filepath.Join(t.TempDir(), "new")
	if err := os.Mkdir(newDir+".tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	journalRun(t, backupOf(t, nil), []string{"restore", "-", newDir}, 74, "", newDir+".tmp is there")
	if err := os.Remove(newDir + ".tmp"); err != nil {
		t.Error(err)
	}
}
