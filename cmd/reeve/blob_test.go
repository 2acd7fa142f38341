package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reeveq/reeve"
)

func TestBlob_IsPutListedAndRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	content := strings.Repeat("large value\n", 100_000)
	file := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _ := s.run(0, "", "blob put", file)
	ref, err := reeve.ParseBlobRef(strings.TrimSuffix(stdout, "\n"))
	if err != nil || ref.Size != int64(len(content)) {
		t.Fatalf("%q, %v", stdout, err)
	}
	if again, _ := s.run(0, content, "blob put -"); again != stdout {
		t.Errorf("from the standard input it is %q", again)
	}
	var inJSON reeve.BlobRef
	stdout, _ = s.run(0, "", "blob put -json", file)
	if err := json.Unmarshal([]byte(stdout), &inJSON); err != nil || inJSON != ref {
		t.Errorf("%q, %v", stdout, err)
	}
	for _, name := range []string{ref.String(), ref.Hash.String()} {
		if got, _ := s.run(0, "", "blob get", name); got != content {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
	s.says(`BLOB +SIZE +AGE +TASKS +CLIENTS +GOES\n`+ref.String()+` +1\.1MiB +0\.\ds +0 +0 +in (59\.\ds|1m00s)\n`, "blob ls")
	s.says(`{"ref":{"sha256":"`+ref.Hash.String()+`","size":1200000},"made":"[^"]+","tasks":0,"clients":0,"until":"[^"]+"}\n`, "blob ls -json")
}

func TestBlob_OfATaskLivesWithIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, map[string]reeve.QueueConfig{"tasks": {}})
	file := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(file, []byte("large"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := s.put("tasks train -blob", "@"+file)
	stdout, _ := s.run(0, "", "blob ls -json")
	var info reeve.BlobInfo
	if err := json.Unmarshal([]byte(stdout), &info); err != nil || info.Tasks != 1 || info.Clients != 0 || !info.Until.IsZero() {
		t.Fatalf("%s, %v", stdout, err)
	}
	s.says(`.*\nblob: +`+info.Ref.String()+`\n.*`, "show", first)
	s.says(`.*"blobs":\[{"sha256":"`+info.Ref.Hash.String()+`","size":5}\].*`, "peek tasks -json")
	line, _ := s.run(0, "", "get tasks -json -ack")
	stdout, _ = s.run(0, line, "put tasks -jsonl -ids")
	l := s.take("tasks")
	if l.ID.String() != strings.TrimSpace(stdout) || l.Rules == nil || len(l.Rules.Blobs) != 1 || l.Rules.Blobs[0] != info.Ref {
		t.Errorf("%+v", l.Task)
	}
}

func TestBlob_WhatIsWrongIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, map[string]reeve.QueueConfig{"tasks": {}})
	unknown := strings.Repeat("ab", 32)
	for line, code := range map[string]int{
		"blob put":                           2,
		"blob put a b":                       2,
		"blob put /no/such/file":             66,
		"blob get":                           2,
		"blob get xyz":                       2,
		"blob get " + unknown:                78,
		"blob ls x":                          2,
		"put tasks a -blob xyz":              2,
		"put tasks a -blob @":                2,
		"put tasks a -blob @/no/such/file":   66,
		"put tasks a -blob " + unknown:       78,
		"put tasks a -blob " + unknown + "-": 2,
	} {
		if _, stderr := s.run(code, "", line); stderr == "" {
			t.Errorf("%s: nothing is told", line)
		}
	}
	s.says("", "blob ls -json")
}
