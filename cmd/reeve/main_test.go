package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRun_RefusesWhatCannotBeRun(t *testing.T) {
	t.Parallel()
	const noQueue, noID, noTasks = "the name of one queue is needed", "the id of one task is needed", "which tasks? Give their ids, or a queue with a filter or -all"
	const noDir = "the directory of one journal is needed"
	for args, want := range map[string]string{
		"":                      "a command is needed",
		"put":                   "the name of a queue is needed",
		"put tasks -batch 5000": "want a whole number from 1 to 4096",
		"get":                   noQueue,
		"keygen a b":            "one name is enough",
		"keygen UPPER":          "key id",
		"ls -connect localhost": `-connect "localhost": want HOST:PORT`,
		"version now":           `unexpected argument "now"`,
		"-connect h:1":          "unknown flag -connect",

		"put q x -priority 2147483648":                           "want a whole number from -2147483648 to 2147483647",
		"put q x -priority 1.5":                                  "want a whole number from -2147483648",
		"put q x -delay -1s":                                     "want a time with its unit",
		"put q x -delay 900000h":                                 "delay of 900000h0m0s, want 0 to 100 years",
		"put q x -at 25:00":                                      "want a time as 18:30",
		"put q x -at 1969-12-31T23:59:59Z":                       "want one of the years 1970 to 2200",
		"put q x -at 18:30 -delay 1h":                            "-delay and -at are both set, want one",
		"put q x -expires 0s":                                    "want more than 0",
		"put q x -expires 1h -expire-at 18:30":                   "-expires and -expire-at are both set, want one",
		"put q x -attempts 0":                                    "want a whole number from 1 to 1000000",
		"put q x -attempts -1":                                   "want a whole number from 1 to 1000000",
		"put q x -attempts 1000001":                              "want a whole number from 1 to 1000000",
		"put q x -backoff 0":                                     "want a first wait of more than 0",
		"put q x -backoff -1s":                                   "want a time, or FIRST..MAX",
		"put q x -backoff 10s..1s":                               "want a time, or FIRST..MAX",
		"put q x -backoff 1sxNaN":                                "xFACTOR (1 to 100)",
		"put q x -key=":                                          "want 1 to 1024 bytes",
		"put q x -unique=":                                       "want 1 to 1024 bytes",
		"put q x -unique-for 1h":                                 "-unique-for needs -unique KEY",
		"put q x -unique-mode for-time":                          "-unique-mode needs -unique KEY",
		"put q x -unique u -unique-mode ever":                    "want until-done or until-start or for-time",
		"put q x -unique u -unique-for -1s":                      "want a time with its unit",
		"put q x -unique u -unique-for 900000h":                  "unique for 900000h0m0s",
		"put q x -label=":                                        `-label: label "" of 0 bytes, want 1 to 255, in UTF-8`,
		"get q -max-wait 1s":                                     "-max-wait needs -block",
		"put q x -expires 0":                                     "want more than 0",
		"put q x -keep-result 0s":                                "want a time with its unit, as 30s or 24h, or none",
		"put q x -keep-result 900000h":                           "want a time with its unit, as 30s or 24h, or none",
		"put q x -jsonl":                                         "-jsonl is about the lines of the standard input, and there are payloads",
		"put q -type " + strings.Repeat("x", 256):                "task type bytes 256, limit 255",
		"put q -unique u -unique-mode until-done -unique-for 1h": "-unique-for goes with -unique-mode for-time, not with until-done",

		"ls a b":                            "unexpected argument \"b\"",
		"peek":                              noQueue,
		"peek a b":                          noQueue,
		"peek q -n 0":                       "want a whole number from 1 to 2147483647",
		"peek q -n 5000":                    "-n 5000: want at most 4096 of the next tasks",
		"peek q -n 5 -all":                  "-n and -all are both set, want one",
		"peek q -after 0":                   `"0" is no task id`,
		"peek q -after 1,2":                 "-after: want one id",
		"peek q -id x":                      `"x" is no task id`,
		"peek q -id=":                       `"" is no task id`,
		"peek q -state done":                "want ready or delayed or leased or dead",
		"peek q -state=":                    "want ready or delayed or leased or dead",
		"peek q -older-than 0s":             "want more than 0",
		"peek q -key=":                      "want 1 to 1024 bytes",
		"peek q -error=":                    "want 1 to 8192 bytes",
		"peek q -payload 2GiB":              "-payload 2GiB: want at most 1GiB",
		"dead":                              noQueue,
		"dead q -state ready":               "unknown flag -state",
		"show":                              noID,
		"show 1 2":                          noID,
		"show 0":                            `"0" is no task id (up to 16 hexadecimal digits, not zero)`,
		"show 12345678123456781":            "is no task id",
		"show 1 -raw -json":                 "-raw and -json are both set, want one",
		"why":                               noID,
		"why tasks":                         `"tasks" is no task id`,
		"result":                            noID,
		"result -- -1":                      `"-1" is no task id`,
		"wait":                              "the ids of 1 to 4096 tasks are needed",
		"wait" + strings.Repeat(" 1", 4097): "the ids of 1 to 4096 tasks are needed",
		"wait 1 x":                          `"x" is no task id`,
		"wait 1 -timeout -1s":               "want a time with its unit",
		"cancel":                            noTasks,
		"cancel q -all -key k":              "-all stands alone, without filters",
		"cancel a b -all":                   "with a filter or -all, the name of one queue is needed; more ids are given with -id",
		"cancel 1 -reason=":                 "want 1 to 8192 bytes",
		"revive":                            noTasks,
		"revive q -state dead":              "unknown flag -state",
		"purge":                             noTasks,
		"purge q -state leased":             "want ready or delayed or dead",
		"move a":                            "the names of two queues are needed",
		"move a b c -all":                   "the names of two queues are needed",
		"move a a -all":                     "the two queues are the same",
		"move a b":                          "which tasks? Give a filter or -all",
		"move a b -all -key k":              "-all stands alone, without filters",
		"pause":                             noQueue,
		"pause q -reason=":                  "want 1 to 8192 bytes",
		"resume a b":                        noQueue,
		"declare":                           "the name of one queue is needed, with its options",
		"declare a b":                       "the name of one queue is needed, with its options",
		"declare a,max-len=0":               "max-len=0: ",
		"declare a,size=1":                  `unknown option "size"`,
		"delete":                            noQueue,
		"delete a b":                        noQueue,
		"backup file":                       "unexpected argument \"file\"",
		"journal":                           "a command is needed: check, stat, salvage, dump, restore",
		"journal fix":                       "unknown command \"fix\"; there are: check",
		"journal check":                     noDir,
		"journal stat a b":                  noDir,
		"journal dump a -queue=":            "want 1 to 255 bytes",
		"journal salvage a":                 "the directory of a journal and a new one are needed",
		"journal restore a":                 "a file (or -) and a new directory are needed",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), append([]string{"x"}, strings.Fields(args)...), strings.NewReader(""), &stdout, &stderr, func(string) string { return "" })
			if code != 2 || stdout.Len() != 0 || !strings.Contains(stderr.String(), want) || !strings.Contains(stderr.String(), "\nTry 'reeve") {
				t.Fatalf("exit %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
		})
	}
}

func TestRun_EveryVerbHasAnExampleAndJSONAndIsCompleted(t *testing.T) {
	t.Parallel()
	call := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"x"}, args...), strings.NewReader(""), &stdout, &stderr, func(string) string { return "" }); code != 0 {
			t.Fatalf("%q: exit %d, %s", args, code, stderr.String())
		}
		return stdout.String()
	}
	offered := call("--generate-shell-completion")
	for _, verb := range []string{
		"put", "get", "ls", "peek", "show", "why", "result", "wait", "cancel", "dead", "revive", "purge", "move", "pause", "resume", "declare", "delete",
		"workers", "tail", "top", "backup", "keygen",
	} {
		if !strings.Contains("\n"+offered, "\n"+verb+":") {
			t.Errorf("%s is not completed: %s", verb, offered)
		}
		help := call(verb, "-help")
		if !strings.Contains(help, "\n  reeve "+verb) || !strings.Contains(help, "\n  -json\n") {
			t.Errorf("%s", help)
		}
	}
	for _, verb := range []string{"check", "stat", "salvage", "restore", "dump"} { // a dump is JSON
		help := call("journal", verb, "-help")
		if !strings.Contains(help, "\n  reeve journal "+verb) || strings.Contains(help, "\n  -json\n") == (verb == "dump") {
			t.Errorf("%s", help)
		}
	}
}
