package wire_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
)

// ruledSamples are tasks with priorities and rules, and what comes of them.
func ruledSamples() []sample {
	rules := &reeve.Rules{
		At: unix(sampleTime), ExpireAt: unix(sampleTime + 3600e9), Attempts: 3,
		Backoff: reeve.Backoff{Base: time.Second, Factor: 2, Max: time.Minute, Jitter: 0.2},
		Key:     "host.example", Unique: "https://host.example/", UniqueMode: reeve.UniqueForTime, UniqueFor: time.Hour,
		Labels: []string{"gpu", "eu"}, KeepResult: time.Minute,
	}
	sources := []wire.Source{{Queue: "high", Weight: 3}, {Queue: "low", Weight: 1}}
	return []sample{
		{"put-rules", func(b *wire.Builder) error {
			return b.Put(40, 40, "tasks", wire.FlagEach, []reeve.Task{
				{Payload: []byte("a"), Priority: -5, Rules: rules},
				{Payload: []byte("b"), Type: "sum", Priority: 7, Rules: &reeve.Rules{Expiry: time.Hour, KeepResult: -1}},
			})
		}},
		message("error-duplicate", wire.ErrorFor(40, &reeve.DuplicateError{Tasks: []int{0}, IDs: []reeve.ID{sampleID}}, "")),
		{"complete-by-id", func(b *wire.Builder) error {
			return b.Complete(42, 42, "tasks", "", sampleID, 1, &reeve.Task{Payload: []byte("ABC")})
		}},
		{"deliver-rules", func(b *wire.Builder) error {
			return b.Deliver(1, 0, "high", &reeve.Task{
				ID: sampleID, Attempt: 1, Payload: []byte("a"), PutAt: unix(sampleTime), Priority: -5,
				Rules: &reeve.Rules{Attempts: 3, Key: "host.example"},
			})
		}},
		{"put-blobs", func(b *wire.Builder) error {
			return b.Put(44, 44, "tasks", 0, []reeve.Task{{Payload: []byte("a"), Rules: &reeve.Rules{Blobs: []reeve.BlobRef{
				{Hash: reeve.BlobHash{0: 1, 31: 255}, Size: 70_000}, {Hash: reeve.BlobHash{2}},
			}}}})
		}},
		message("consume-sources", wire.Consume{
			Req: 43, Low: 43, Consumer: 2, Slots: 4, Types: []string{"sum", ""}, Labels: []string{"gpu"}, Sources: sources,
		}),
		message("get-no-types", wire.Get{Req: 44, Low: 44, Queue: "tasks", Max: 1, Types: []string{}}),
		message("get-until-empty", wire.Get{Req: 44, Low: 44, Queue: "tasks", Max: 1, UntilEmpty: true}),
		message("nack-snoozed", wire.Nack{
			Req: 45, Low: 45, Queue: "tasks", ID: sampleID, Attempt: 1, Delay: time.Minute, Cause: wire.CauseSnoozed,
		}),
		message("nack-discarded", wire.Nack{
			Req: 46, Low: 46, Queue: "tasks", ID: sampleID, Attempt: 1, Cause: wire.CauseDiscarded, Error: "gone",
		}),
		message("lost-cancelled", wire.Lost{Queue: "tasks", ID: sampleID, Attempt: 1, Code: 24, Text: "reeve: task was cancelled"}),
	}
}

// operatorSamples are the messages of those who look and act, and of workers.
func operatorSamples() []sample {
	filter := &wire.Filter{
		IDs: []reeve.ID{sampleID, 7}, States: []uint64{1, 4}, Types: []string{"sum", ""}, Key: "host.example", Unique: "u",
		Error: "no such file", Before: sampleTime,
	}
	full := fmt.Errorf("%w: moved 3", reeve.ErrQueueFull)
	return []sample{
		message("task", wire.TaskRequest{Req: 50, Low: 50, ID: sampleID}),
		message("list", wire.List{Req: 51, Low: 50, Queue: "tasks", Filter: filter, After: 9, Max: 100, Payload: 64}),
		message("peek", wire.Peek{Req: 52, Low: 50, Queue: "tasks", Max: 10, Payload: -1}),
		message("answer-task", wire.Answer{Req: 50, Tasks: []wire.TaskInfo{sampleInfo()}}),
		message("answer-list", wire.Answer{
			Req: 51, Tasks: []wire.TaskInfo{{ID: sampleID, PutAt: sampleTime, Queue: "tasks", State: 1, Size: 3, Since: sampleTime}}, Next: sampleID,
		}),
		message("explain", wire.Explain{Req: 53, Low: 53, ID: sampleID}),
		message("answer-explain", wire.Answer{Req: 53, Explanation: &wire.Explanation{
			ID: sampleID, Queue: "tasks", State: 1, Now: sampleTime, Reasons: []wire.Reason{
				{Code: "paused", Text: "the queue is paused: deploy"},
				{Code: "rate", Text: "in 400ms", Until: sampleTime + 4e8},
				{Code: "key", Text: "task 7 comes first", Tasks: []reeve.ID{7}, Worker: "w1@box:4711#1", Have: 1, Limit: 1},
			},
		}}),
		message("cancel-task", wire.CancelTask{Req: 54, Low: 54, ID: sampleID, Reason: "not needed"}),
		message("act-cancel", wire.Act{
			Req: 55, Low: 55, Queue: "tasks", Verb: wire.ActCancel, Filter: &wire.Filter{Types: []string{"sum"}}, Reason: "not needed",
		}),
		message("act-move", wire.Act{Req: 56, Low: 56, Queue: "tasks", Verb: wire.ActMove, To: "later"}),
		{"confirm-act", func(b *wire.Builder) error { b.ConfirmCount(55, 2); return nil }},
		message("error-moved", &wire.Error{Req: 56, Code: wire.Code(full), Text: full.Error(), First: 3}),
		message("pause", wire.Pause{Req: 57, Low: 57, Queue: "tasks", Paused: true, Reason: "deploy"}),
		message("result", wire.ResultRequest{Req: 58, Low: 58, ID: sampleID, Wait: true}),
		message("answer-result", wire.Answer{Req: 58, Result: &wire.Result{
			ID: sampleID, Queue: "tasks", Type: "sum", State: 5, Payload: []byte("ABC"), Attempts: 2, EndedAt: sampleTime,
		}}),
		message("answer-result-dead", wire.Answer{Req: 58, Result: &wire.Result{
			ID: sampleID, Queue: "tasks", State: 4, Reason: "5 attempts failed", Error: "no such file", Attempts: 5, EndedAt: sampleTime,
		}}),
		message("progress", wire.Progress{Queue: "tasks", ID: sampleID, Attempt: 1, Percent: 12.5, Text: "page 3"}),
		message("types", wire.TypesRequest{Req: 59, Low: 59, Queue: "tasks"}),
		message("answer-types", wire.Answer{Req: 59, Types: []wire.TypeCounts{{Type: "sum", Ready: 1, Delayed: 2, Leased: 3, Dead: 4, Takers: 5}}}),
		message("answer-stats-new", wire.Answer{Req: 15, Queues: []wire.Stats{sampleStats()}}),
		message("answer-dead-new", wire.Answer{Req: 18, Dead: []wire.Dead{{
			ID: sampleID, Attempt: 1, DiedAt: sampleTime, Snoozed: 4, Priority: -5, Rules: &wire.Rules{Key: "k"}, Delay: time.Second,
		}}}),
		message("hello-commands", wire.Hello{Version: 1, Client: wire.ClientID{15: 1}, Low: 1, Commands: true}),
		message("workers", wire.WorkersRequest{Req: 60, Low: 60}),
		message("workers-after", wire.WorkersRequest{Req: 60, Low: 60, After: 200}),
		message("answer-workers", wire.Answer{Req: 60, Workers: []wire.WorkerInfo{{
			ID: 1, Name: "w1", Host: "box", PID: 4711, Impl: "example/1.0", Addr: "192.0.2.1:5000", Since: sampleTime, Heard: time.Second,
			Queues: []wire.WorkerQueue{
				{Queue: "tasks", Slots: 4, Used: 1},
				{Queue: "high", Types: []string{"sum"}, Labels: []string{"gpu"}, Slots: 2},
			},
			Running: []wire.WorkerTask{{Queue: "tasks", ID: sampleID, Type: "sum", Attempt: 1, Age: time.Minute}}, Leased: 1,
		}}, Next: 1}),
		message("command-request", wire.CommandRequest{
			Req: 61, Low: 61, IDs: []uint64{1, 2}, Labels: []string{"gpu"}, Kind: "concurrency", Concurrency: 8, Timeout: 5 * time.Second,
		}),
		message("command", wire.Command{Seq: 1, Kind: "concurrency", Concurrency: 8}),
		message("report", wire.Report{Seq: 1, Status: sampleStatus()}),
		message("report-error", wire.Report{Seq: 1, Error: "reeve: invalid argument: concurrency of 0"}),
		message("answer-reports", wire.Answer{Req: 61, Reports: []wire.WorkerReport{
			{Worker: "w1@box:4711#1", ID: 1, Status: sampleStatus()},
			{Worker: "box:4712#2", ID: 2, Error: errors.New("no answer in 5s").Error()},
		}}),
		message("events", wire.Events{Req: 62, Low: 62, Sub: 1, Queues: []string{"tasks"}}),
		message("event", wire.Event{Sub: 1, Events: []wire.EventRecord{
			{Time: sampleTime, Queue: "tasks", Kind: "put", ID: sampleID, Type: "sum"},
			{Time: sampleTime + 1, Queue: "tasks", Kind: "failed", ID: 7, Attempt: 2, Worker: "w1@box:4711#1", Text: "no such file", Missed: 3},
		}}),
		message("unevents", wire.Unevents{Req: 63, Low: 63, Sub: 1}),
		message("backup", wire.Backup{Req: 64, Low: 64}),
		message("answer-backup", wire.Answer{Req: 64, Backup: &wire.BackupPage{Pin: 4711, First: 17, Last: 18, Frames: []wire.BackupFrame{
			{Pos: 17, Size: 3, Data: []byte("abc")}, {Pos: 18, Size: 5, Data: []byte("de")},
		}}}),
		message("backup-more", wire.Backup{Req: 65, Low: 65, Pin: 4711, From: 18, Offset: 2}),
		message("answer-backup-end", wire.Answer{Req: 65, Backup: &wire.BackupPage{Pin: 4711, First: 17, Last: 18, Frames: []wire.BackupFrame{
			{Pos: 18, Size: 5, Offset: 2, Data: []byte("fgh")},
		}}}),
		message("backup-over", wire.Backup{Req: 66, Low: 66, Pin: 4711, Over: true}),
		message("claimed", wire.Claimed{Req: 67, Low: 67}),
		{"call", func(b *wire.Builder) error {
			return b.Call(&wire.Call{
				Req: 68, Low: 68, Name: "scores", Type: "map", Method: "get", Args: []byte{0x81, 0x61, 'a'}, Flags: wire.FlagReads, Timeout: time.Second,
			})
		}},
		{"return", func(b *wire.Builder) error { return b.Return(68, []byte{7}) }},
		{"call-id", func(b *wire.Builder) error {
			return b.Call(&wire.Call{Req: 69, Low: 69, ID: 5, Life: 4711, Method: "release", Args: []byte{0x80}, Flags: wire.FlagAgain})
		}},
	}
}

func sampleInfo() wire.TaskInfo {
	return wire.TaskInfo{
		ID: sampleID, Attempt: 2, Payload: []byte("abc"), Type: "sum", PutAt: sampleTime, Source: 9, Reason: "cancelled",
		Error: "no such file", Stack: "main.go", Failed: 1, TimedOut: 2, Lost: 3, Returned: 4, EndedAt: sampleTime + 1,
		Timeout: time.Minute, Snoozed: 5, Priority: -5, Rules: &wire.Rules{Key: "k"}, Delay: time.Second, Queue: "tasks",
		State: 3, Size: 3, Since: sampleTime, Due: sampleTime + 2, Worker: "w1@box:4711#1", LeaseUntil: sampleTime + 3,
		TimeoutAt: sampleTime + 4, Progress: &wire.ProgressMade{Percent: 12.5, Text: "page 3", At: sampleTime},
		History: []wire.AttemptRecord{{
			Attempt: 1, Worker: "w1@box:4711#1", Start: sampleTime, End: sampleTime + 1, Outcome: "failed", Error: "no such file", Stack: "main.go",
		}},
	}
}

func sampleStatus() *wire.WorkerStatus {
	return &wire.WorkerStatus{
		Uptime: time.Hour, Concurrency: 8, Running: 3, Done: 1000, Failed: 2, Stuck: 1, Draining: true, Goroutines: 40, HeapBytes: 5000000,
	}
}

func sampleStats() wire.Stats {
	return wire.Stats{
		Name: "tasks", MaxBytes: -1, Snoozed: 25, Skipped: 26, Discarded: 27, Cancelled: 28, Expired: 29, Duplicates: 30, Revived: 31,
		Purged: 32, MovedIn: 33, MovedOut: 34, Paused: true, PauseReason: "deploy", Closed: true, Blocked: 38, Keys: 39, Uniques: 40,
		Results: 41, ResultBytes: 42, ResultsEarly: 43,
		Wait: wire.Histogram{Counts: []uint64{0, 0, 3, 1}, Sum: 13}, Run: wire.Histogram{Counts: []uint64{1}, Sum: 1},
		Held: "rate", NoWorker: 47,
	}
}
